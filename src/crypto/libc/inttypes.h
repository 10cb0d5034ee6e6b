/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes <inttypes.h> for formats of messages that are not compiled.
 */
#ifndef ALC_CRYPTO_LIBC_INTTYPES_H
#define ALC_CRYPTO_LIBC_INTTYPES_H

#include <stdint.h>

#endif
