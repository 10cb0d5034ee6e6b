/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes <stdlib.h> and uses nothing of it: its memory comes from pool.c.
 */
#ifndef ALC_CRYPTO_LIBC_STDLIB_H
#define ALC_CRYPTO_LIBC_STDLIB_H

#include <stddef.h>

#endif
