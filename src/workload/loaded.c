/* SPDX-License-Identifier: Apache-2.0
 *
 * What those around a workload may know of it, and say about it, when it is loaded.
 */
#include "workload/workload_internal.h"

struct alc_linker *alc_workload_linker(struct alc_workload *workload)
{
    return &workload->linker;
}

const struct alc_manifest *alc_workload_manifest(const struct alc_workload *workload)
{
    return &workload->manifest;
}

struct alc_string alc_workload_manifest_bytes(const struct alc_workload *workload)
{
    return workload->manifest_bytes;
}

void alc_workload_set_connections(struct alc_workload *workload, uint32_t connections_count)
{
    ALC_ASSERT(connections_count <= workload->manifest.sockets_count);
    workload->connections_count = connections_count;
}

int64_t alc_workload_find_handle(struct alc_workload *workload, uint32_t descriptor)
{
    return alc_wasi_find_handle(&workload->wasi, descriptor);
}

void alc_workload_describe_code(const struct alc_workload *workload, struct alc_outcome_code *out)
{
    *out = workload->code;
}
