/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests in an emulated enclave: loads the image of the test profile as the command line loads
 * the runtime's, and serves its host calls, through which stream and reports travel.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "hostcall/dispatch.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"
#include "spec/spec_child.h"

static alc_status serve(void *context)
{
    return alc_hostcall_serve(context);
}

static alc_status load(const struct spec_image *files, const struct alc_sgx_backend *backend,
                       struct alc_sgx_enclave **out, struct alc_error *error)
{
    struct spec_buffer image = {0};
    struct spec_buffer signature = {0};
    struct alc_sgx_sigstruct sigstruct;
    alc_status status = ALC_E_NOT_FOUND;
    if (spec_buffer_add_file(&image, files->image_path) == 0 &&
        spec_buffer_add_file(&signature, files->signature_path) == 0 &&
        signature.size == sizeof sigstruct) {
        alc_copy(&sigstruct, signature.bytes, sizeof sigstruct);
        status = alc_sgx_load(backend, image.bytes, image.size, &sigstruct, NULL, out, error);
    }
    spec_buffer_fini(&image);
    spec_buffer_fini(&signature);
    return status;
}

/* What a thread that the enclave asked for needs outside. */
struct crew {
    struct alc_sgx_enclave *enclave;
    struct alc_ring_region *region;
    struct alc_hostcall_server servers[ALC_LIMIT_ENCLAVE_THREADS]; /* as long as the channels */
    uint32_t inside_count;
};

static bool enter_thread(void *argument, uint32_t thread)
{
    struct crew *crew = argument;
    const struct alc_sgx_call call = {
        .thread = (int32_t)thread,
        .ecall = ALC_ENTRY_THREAD,
        .region = crew->region,
        .region_size = ALC_RING_REGION_SIZE,
        .serve = serve,
        .context = &crew->servers[thread],
    };
    uint64_t value = ALC_E_INTERNAL;
    struct alc_error error;
    alc_error_clear(&error);
    __atomic_add_fetch(&crew->inside_count, 1, __ATOMIC_SEQ_CST);
    alc_status status = alc_sgx_call(crew->enclave, &call, &value, &error);
    __atomic_sub_fetch(&crew->inside_count, 1, __ATOMIC_SEQ_CST);
    return status == ALC_OK && value == ALC_OK;
}

alc_status spec_place_emulated(struct alc_os *os, const void *context, struct alc_error *error)
{
    const struct spec_image *files = context;
    const struct alc_sgx_emu_options options = {.step = true, .poison_entry = true};
    const struct alc_sgx_backend stepping = alc_sgx_emu_backend_with(&options);
    struct alc_sgx_enclave *enclave;
    ALC_TRY(load(files, files->is_stepped ? &stepping : alc_sgx_emu_backend(), &enclave, error));
    struct alc_ring_region *region =
        mmap(NULL, ALC_RING_REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) {
        return ALC_E_OUT_OF_MEMORY;
    }
    struct crew crew = {.enclave = enclave, .region = region};
    alc_hostcall_region_init(region);
    for (uint32_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        alc_hostcall_server_init(&crew.servers[i], region, i, os);
    }
    os->operations->set_thread_body(os->context, enter_thread, &crew);
    const struct alc_sgx_call call = {
        .thread = 0,
        .ecall = ALC_ENTRY_RUN,
        .region = region,
        .region_size = ALC_RING_REGION_SIZE,
        .serve = serve,
        .context = &crew.servers[0],
    };
    uint64_t value = ALC_E_INTERNAL;
    alc_status status = alc_sgx_call(enclave, &call, &value, error);
    /* Threads that have said inside that they are done may still be on their way out. */
    while (__atomic_load_n(&crew.inside_count, __ATOMIC_SEQ_CST) != 0) {
        sched_yield();
    }
    alc_sgx_close(enclave);
    munmap(region, ALC_RING_REGION_SIZE);
    if (status != ALC_OK) {
        return status;
    }
    return value < ALC_STATUS_COUNT ? (alc_status)value : ALC_E_INTERNAL;
}
