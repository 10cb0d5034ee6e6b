/* SPDX-License-Identifier: Apache-2.0
 *
 * What workload.c and compiled.c share: one program on its way from manifest to outcome.
 */
#ifndef ALC_WORKLOAD_WORKLOAD_INTERNAL_H
#define ALC_WORKLOAD_WORKLOAD_INTERNAL_H

#include "base/bytes.h"
#include "exec/engine.h"
#include "wasi/wasi.h"
#include "workload/threads.h"
#include "workload/workload.h"

struct alc_workload {
    struct alc_os *os;
    const struct alc_workload_profile *profile;
    const volatile uint64_t *stop_flag;
    struct alc_arena module_arena; /* manifest, module, instance, WASI */
    struct alc_arena store_arena;  /* types, linker's tables */
    struct alc_arena scratch_arena;
    struct alc_manifest manifest;
    struct alc_string manifest_bytes;
    struct alc_string module_bytes; /* what was granted: a module, or an image with one */
    struct alc_store store;
    struct alc_module *module;
    struct alc_instance *instance;
    struct alc_wasi wasi;
    struct alc_linker linker;
    struct alc_error error;
    struct alc_threads threads;
    enum alc_workload_phase phase;
    uint32_t connections_count; /* of the manifest's sockets the last ones, which do not listen */
    struct alc_outcome_code code;
    bool has_store;
    bool has_wasi;
    bool has_threads; /* the program can start them */
    bool is_reported; /* by the first thread, or by the one that ended the program */
    alc_status written;
};

/* Whether the program has to look at the stop word: it has a deadline. */
static inline bool alc_workload_has_deadline(const struct alc_workload *workload)
{
    return workload->stop_flag != NULL && workload->manifest.limits.timeout_ns != 0;
}

/* All bytes behind a granted handle, in the module's arena; `too_big` is how more than `size_max`
 * end. */
ALC_MUST_CHECK alc_status alc_workload_read_granted(struct alc_workload *workload, int32_t handle,
                                                    uint64_t size_max, alc_status too_big,
                                                    struct alc_string *out);
/* ALC_E_POLICY_REFUSED with `detail` unless the bytes have the hash. */
ALC_MUST_CHECK static inline alc_status
alc_workload_check_hash(struct alc_workload *workload, struct alc_string bytes,
                        const uint8_t expected[ALC_SHA256_SIZE], const char *detail)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(bytes.bytes, bytes.size, digest);
    return alc_equal(digest, expected, sizeof digest)
               ? ALC_OK
               : alc_fail_with(&workload->error, ALC_E_POLICY_REFUSED, ALC_NO_OFFSET, detail);
}
/* Opens the store as manifest and profile want it; the rest is for compiled code and may be NULL.
 */
ALC_MUST_CHECK alc_status alc_workload_open_store(struct alc_workload *workload,
                                                  alc_commit_function *execute,
                                                  const struct alc_native_support *native);
/* For `load`, which sets has_threads to it. */
bool alc_workload_imports_threads(const struct alc_module *module);

#endif
