/* SPDX-License-Identifier: Apache-2.0
 *
 * Place of the image's layout. In a file of its own, so that no compiler sees the zeros and folds
 * them into the code that reads it.
 */
#include "sgx_arch/layout.h"

const struct alc_enclave_layout alc_enclave_layout = {0};
