/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes <stdio.h> and uses nothing of it.
 */
#ifndef ALC_CRYPTO_LIBC_STDIO_H
#define ALC_CRYPTO_LIBC_STDIO_H

#endif
