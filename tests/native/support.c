/* SPDX-License-Identifier: Apache-2.0
 *
 * See support.h.
 */
#include "native/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hostcall/dispatch.h"
#include "os_linux/os_linux.h"

enum { MANIFEST_SIZE = 4096, ARENA_SIZE = 64 << 20 };

static void read_module(const char *path, struct native_program *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    out->module_size = (size_t)ftell(file);
    rewind(file);
    out->module = malloc(out->module_size);
    assert_int_equal(fread(out->module, 1, out->module_size, file), out->module_size);
    fclose(file);
}

void native_compile(const char *path, const struct alc_compile_options *options,
                    struct native_program *out)
{
    struct alc_arena arena;
    struct alc_module *module;
    struct alc_compiled compiled;
    struct alc_error error;
    const struct alc_load_options load_options = {0};
    void *memory = malloc(ARENA_SIZE);
    assert_non_null(memory);
    alc_arena_init(&arena, memory, ARENA_SIZE);
    alc_error_clear(&error);
    read_module(path, out);
    assert_int_equal(
        alc_module_load(&arena, out->module, out->module_size, &load_options, &module, &error),
        ALC_OK);
    if (alc_compile(module, options, &compiled, &error) != ALC_OK) {
        fail_msg("%s: %s: %s", path, alc_status_text(error.status), error.detail);
    }
    out->file_size = (size_t)alc_native_image_file_size(&compiled.image);
    out->file = malloc(out->file_size);
    assert_int_equal(alc_native_image_write(&compiled.image, out->file, out->file_size, &error),
                     ALC_OK);
    alc_compiled_free(&compiled);
    free(memory);
    assert_int_equal(alc_native_image_read(out->file, out->file_size, &out->image, &error), ALC_OK);
}

void native_free(struct native_program *program)
{
    free(program->module);
    free(program->file);
}

static size_t write_manifest(const struct native_program *program, const struct native_run *run,
                             uint8_t bytes[MANIFEST_SIZE])
{
    struct alc_string arguments[2] = {{(const uint8_t *)"program", 7}};
    struct alc_manifest manifest = {
        .arguments = arguments,
        .arguments_count = 1,
        .limits = run->limits,
        .has_native = true,
        .native_flags = run->native_flags,
    };
    size_t size;
    if (run->argument != NULL) {
        arguments[1] = (struct alc_string){(const uint8_t *)run->argument, strlen(run->argument)};
        manifest.arguments_count = 2;
    }
    memcpy(manifest.module_sha256, program->image.module_sha256, ALC_SHA256_SIZE);
    memcpy(manifest.native_sha256, program->image.native_sha256, ALC_SHA256_SIZE);
    memcpy(manifest.voucher_key_sha256, run->voucher_key_sha256, ALC_SHA256_SIZE);
    manifest.module_sha256[31] ^= run->wrong_module;
    manifest.native_sha256[0] ^= run->wrong_native;
    assert_int_equal(alc_manifest_encode(&manifest, bytes, MANIFEST_SIZE, &size), ALC_OK);
    return size;
}

struct host {
    struct native_run *run;
    struct alc_hostcall_server server;
};

static alc_status serve(void *context)
{
    struct host *host = context;
    alc_status status = alc_hostcall_serve(&host->server);
    uint64_t index = (host->server.completion_tail - 1) & (ALC_RING_SLOTS - 1);
    if (host->run->served != NULL) {
        host->run->served(host->run->context, host->server.channel->control.completions[index].op);
    }
    return status;
}

struct companion {
    struct native_run *run;
    struct alc_sgx_enclave *enclave;
    volatile uint64_t *stop_flag;
};

static void *accompany(void *argument)
{
    struct companion *companion = argument;
    companion->run->meanwhile(companion->run->context, companion->enclave, companion->stop_flag);
    return NULL;
}

static alc_status call_enclave(struct native_run *run, struct alc_sgx_enclave *enclave,
                               struct alc_ring_region *region, const struct alc_os *os)
{
    struct host host = {.run = run};
    struct companion companion = {run, enclave, &region->header.stop_flag};
    pthread_t thread;
    uint64_t value = ALC_E_INTERNAL;
    alc_hostcall_region_init(region);
    alc_hostcall_server_init(&host.server, region, 0, os);
    const struct alc_sgx_call call = {.thread = 0,
                                      .ecall = ALC_ENTRY_RUN,
                                      .region = region,
                                      .region_size = ALC_RING_REGION_SIZE,
                                      .serve = serve,
                                      .context = &host};
    if (run->meanwhile != NULL) {
        assert_int_equal(pthread_create(&thread, NULL, accompany, &companion), 0);
    }
    alc_status status = alc_sgx_call(enclave, &call, &value, &run->error);
    if (run->meanwhile != NULL) {
        pthread_join(thread, NULL);
    }
    if (status == ALC_OK) {
        assert_int_equal(value, run->outcome.status);
    }
    return status;
}

alc_status native_run(const struct native_program *program, struct native_run *run)
{
    const struct alc_sgx_backend *backend =
        run->backend != NULL ? run->backend : alc_sgx_emu_backend();
    uint8_t manifest[MANIFEST_SIZE];
    size_t manifest_size = write_manifest(program, run, manifest);
    struct alc_os_linux *system;
    struct alc_sgx_enclave *enclave;
    struct alc_sgx_emu_statistics statistics;
    alc_error_clear(&run->error);
    memset(&run->outcome, 0, sizeof run->outcome);
    assert_int_equal(alc_os_linux_new(NULL, &system), ALC_OK);
    assert_true(alc_os_linux_grant_bytes(system, ALC_OS_MANIFEST, manifest, manifest_size) >= 0);
    assert_true(
        alc_os_linux_grant_bytes(system, ALC_OS_MODULE, program->file, program->file_size) >= 0);
    assert_true(alc_os_linux_grant_buffer(system, ALC_OS_OUTCOME, &run->outcome,
                                          sizeof run->outcome, &run->outcome_size) >= 0);
    struct alc_ring_region *region =
        mmap(NULL, ALC_RING_REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(region, MAP_FAILED);
    if (alc_sgx_load(backend, alc_native_runtime_image, alc_native_runtime_image_size,
                     &alc_native_runtime_sigstruct, NULL, &enclave, &run->error) != ALC_OK) {
        fail_msg("load: %s: %s", alc_status_text(run->error.status), run->error.detail);
    }
    alc_status status = call_enclave(run, enclave, region, alc_os_linux_get_os(system));
    alc_sgx_emu_get_statistics(alc_sgx_context(enclave), &statistics);
    run->exceptions_count = alc_sgx_exceptions_count(enclave);
    run->writable_code = statistics.writable_code;
    alc_sgx_close(enclave);
    munmap(region, ALC_RING_REGION_SIZE);
    alc_os_linux_free(system);
    return status;
}
