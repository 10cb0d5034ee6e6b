/* SPDX-License-Identifier: Apache-2.0
 *
 * What mbedTLS uses of <limits.h>. gcc's own one would ask for the C library's.
 */
#ifndef ALC_CRYPTO_LIBC_LIMITS_H
#define ALC_CRYPTO_LIBC_LIMITS_H

#define CHAR_BIT __CHAR_BIT__
#define INT_MAX __INT_MAX__
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX (INT_MAX * 2u + 1u)

#endif
