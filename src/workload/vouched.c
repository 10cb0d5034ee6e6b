/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled code that its owner's key vouches for. Apart from compiled.c, so that an image without
 * vouchers carries nothing of it.
 */
#include "native/image.h"
#include "voucher/voucher.h"
#include "workload/workload_internal.h"

alc_status alc_workload_accept_voucher(struct alc_workload *run,
                                       const struct alc_native_image *image)
{
    struct alc_workload_limits *limits = &run->manifest.limits;
    struct alc_voucher_limits allowed;
    const struct alc_voucher_question question = {
        .bytes = image->voucher,
        .size = image->voucher_size,
        .module_sha256 = image->module_sha256,
        .native_sha256 = image->native_sha256,
        .key_sha256 = run->manifest.voucher_key_sha256,
        .wanted = {limits->fuel, limits->memory_size, limits->timeout_ns},
    };
    ALC_TRY(alc_voucher_accept(&run->module_arena, &question, &allowed, &run->error));
    *limits = (struct alc_workload_limits){allowed.fuel, allowed.memory_size, allowed.timeout_ns};
    return ALC_OK;
}
