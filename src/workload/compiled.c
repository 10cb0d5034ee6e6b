/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs whose code was compiled: what is granted as the module is a native image, which holds
 * the module too. Distrusts the image: the manifest says which module and which code it must be,
 * and code that is not confined runs only if the manifest vouches for it, or somebody whom the
 * manifest names.
 */
#include "native/image_format.h"
#include "native_exec/native_exec.h"
#include "workload/workload_internal.h"

/* A module, and about as much for its code. */
#define IMAGE_SIZE_MAX (2 * (uint64_t)ALC_LIMIT_MODULE_SIZE)

static alc_status refuse(struct alc_workload *run, const char *detail)
{
    return alc_fail_with(&run->error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET, detail);
}

/* The image's hashes were checked when it was read. */
static alc_status check_identity(struct alc_workload *run, const struct alc_native_image *image)
{
    const struct alc_manifest *manifest = &run->manifest;
    if (!alc_equal(image->module_sha256, manifest->module_sha256, ALC_SHA256_SIZE)) {
        return refuse(run, "not the module of the manifest");
    }
    if (!alc_equal(image->native_sha256, manifest->native_sha256, ALC_SHA256_SIZE)) {
        return refuse(run, "not the code of the manifest");
    }
    return ALC_OK;
}

/* Who vouches for the code. */
static alc_status find_voucher(struct alc_workload *run, const struct alc_native_image *image,
                               enum alc_workload_voucher *out)
{
    const struct alc_workload_compiled *own = (const void *)run->profile;
    *out = ALC_VOUCHED_BY_NOBODY;
    if (run->manifest.native_flags == ALC_NATIVE_VOUCHED) {
        *out = ALC_VOUCHED_BY_MANIFEST;
    } else if (run->manifest.native_flags != 0) {
        if (own->accept_voucher == NULL) {
            return refuse(run, "no vouchers are verified here");
        }
        *out = ALC_VOUCHED_BY_KEY;
        return own->accept_voucher(run, image);
    }
    return ALC_OK;
}

/* A limit that the code does not keep is none. */
static alc_status check_options(struct alc_workload *run, const struct alc_native_image *image)
{
    bool must_stop = alc_workload_has_deadline(run) || run->has_threads;
    if (run->manifest.limits.fuel != 0 && (image->options & ALC_NATIVE_METERED) == 0) {
        return refuse(run, "the code counts no fuel");
    }
    if (must_stop && (image->options & ALC_NATIVE_INTERRUPTIBLE) == 0) {
        return refuse(run, "the code cannot be stopped");
    }
    return ALC_OK;
}

static alc_status load_compiled(struct alc_workload *run)
{
    const struct alc_workload_compiled *own = (const void *)run->profile;
    struct alc_native_image image;
    ALC_TRY(alc_workload_read_granted(run, ALC_OS_MODULE, IMAGE_SIZE_MAX, ALC_E_BAD_NATIVE_IMAGE,
                                      &run->module_bytes));
    ALC_TRY(alc_native_image_read(run->module_bytes.bytes, run->module_bytes.size, &image,
                                  &run->error));
    ALC_TRY(check_identity(run, &image));
    enum alc_workload_voucher voucher;
    ALC_TRY(find_voucher(run, &image, &voucher));
    ALC_TRY(alc_workload_open_store(run, alc_os_execute, own->native));
    const struct alc_native_load_options options = {.is_vouched = voucher != ALC_VOUCHED_BY_NOBODY};
    ALC_TRY(alc_native_load(&run->store, &run->module_arena, &image, &options, &run->module,
                            &run->error));
    run->has_threads = alc_workload_imports_threads(run->module);
    run->code = (struct alc_outcome_code){
        .is_compiled = 1,
        .is_verified = image.shape == ALC_NATIVE_CONFINED,
        .vouched_by = (uint8_t)voucher,
    };
    return check_options(run, &image);
}

void alc_workload_compiled_init(struct alc_workload_compiled *out,
                                const struct alc_native_support *native)
{
    *out = (struct alc_workload_compiled){.profile = {.executor = &alc_native_executor,
                                                      .decode_manifest = alc_manifest_decode_native,
                                                      .load = load_compiled},
                                          .native = native};
}
