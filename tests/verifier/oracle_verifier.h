/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of docs/verifier.md a second time, over Zydis, written to be read and not to be fast.
 */
#ifndef ALC_TESTS_ORACLE_VERIFIER_H
#define ALC_TESTS_ORACLE_VERIFIER_H

#include "native/verifier.h"

/* NULL, or why the code is not confined. Code of at most ORACLE_CODE_MAX bytes. */
enum { ORACLE_CODE_MAX = 4096 };
const char *oracle_verify(const struct alc_verifier_input *input);

#endif
