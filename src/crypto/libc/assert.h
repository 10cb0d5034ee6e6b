/* SPDX-License-Identifier: Apache-2.0
 *
 * mbedTLS includes <assert.h> for static assertions only.
 */
#ifndef ALC_CRYPTO_LIBC_ASSERT_H
#define ALC_CRYPTO_LIBC_ASSERT_H

#define static_assert _Static_assert

#endif
