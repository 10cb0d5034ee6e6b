/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses a backend, loads the image, serves its host calls. Outside the enclave: nothing here is
 * trusted by the workload.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/complete.h"
#include "cli/enclave.h"
#include "hostcall/dispatch.h"
#include "sgx/cpu.h"
#include "sgx_emu/emu.h"

extern const uint8_t alc_runtime_image[];
extern const uint64_t alc_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_runtime_sigstruct;
extern const uint8_t alc_native_runtime_image[];
extern const uint64_t alc_native_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_native_runtime_sigstruct;

static void find_built_in(struct cli_image_kind kind, struct cli_image *out)
{
    static const struct cli_built_in interpreter = {alc_runtime_image, &alc_runtime_image_size,
                                                    &alc_runtime_sigstruct};
    static const struct cli_built_in native = {
        alc_native_runtime_image, &alc_native_runtime_image_size, &alc_native_runtime_sigstruct};
    const struct cli_built_in *found = kind.is_native ? &native : &interpreter;
    if (kind.is_complete) {
        const struct cli_complete *complete = cli_complete_need("complete images");
        found = kind.is_native ? &complete->native : &complete->interpreter;
    }
    out->bytes = found->bytes;
    out->size = *found->size;
    out->sigstruct = *found->sigstruct;
}

void cli_image_open(const char *image_path, const char *signature_path, struct cli_image_kind kind,
                    struct cli_image *out)
{
    struct alc_error error;
    alc_error_clear(&error);
    find_built_in(kind, out);
    if (image_path != NULL) {
        struct cli_file file = cli_read_file(image_path);
        out->bytes = file.bytes;
        out->size = file.size;
    }
    if (signature_path != NULL) {
        struct cli_file file = cli_read_file(signature_path);
        if (file.size != sizeof out->sigstruct) {
            cli_die(CLI_REFUSED, "%s: %s", signature_path, alc_status_text(ALC_E_BAD_SIGSTRUCT));
        }
        alc_copy(&out->sigstruct, file.bytes, file.size);
        cli_unmap(&file);
    }
    if (alc_image_parse(out->bytes, out->size, &out->parsed, &error) != ALC_OK) {
        int code = cli_report_error(image_path == NULL ? "built-in image" : image_path, &error);
        cli_die(code, "no enclave without an image");
    }
}

static alc_status load_on(const struct alc_sgx_backend *backend, const struct cli_image *image,
                          const uint8_t *config_id, struct alc_sgx_enclave **out,
                          struct alc_error *error)
{
    return alc_sgx_load(backend, image->bytes, image->size, &image->sigstruct, config_id, out,
                        error);
}

static alc_status load(enum run_tee tee, const struct cli_image *image, const uint8_t *config_id,
                       struct alc_sgx_enclave **out, struct alc_error *error)
{
    if (tee == RUN_TEE_EMULATED) {
        return load_on(alc_sgx_emu_backend(), image, config_id, out, error);
    }
    alc_status status = load_on(&alc_sgx_hardware, image, config_id, out, error);
    /* Where there is a driver, somebody expects protection: a missing permission is no reason to do
     * without. */
    bool has_driver = access(ALC_SGX_ENCLAVE_DEVICE, F_OK) == 0;
    if (tee == RUN_TEE_SGX || status != ALC_E_NOT_SUPPORTED || has_driver) {
        return status;
    }
    fprintf(stderr, "alcove: no SGX here (%s): running in the emulator, which protects nothing\n",
            error->detail[0] == '\0' ? alc_status_text(status) : error->detail);
    alc_error_clear(error);
    return load_on(alc_sgx_emu_backend(), image, config_id, out, error);
}

static alc_status serve(void *context)
{
    return alc_hostcall_serve(context);
}

/* What threads that the enclave asks for need. Lasts to the end of the process. */
static struct {
    struct alc_sgx_enclave *enclave;
    struct alc_ring_region *region;
    struct alc_hostcall_server servers[ALC_LIMIT_ENCLAVE_THREADS];
} g_crew;

/* Enters the enclave as its thread `thread` and serves it until it leaves for good. */
static alc_status enter(uint64_t ecall, uint32_t thread, uint64_t *value, struct alc_error *error)
{
    const struct alc_sgx_call call = {
        .thread = (int32_t)thread,
        .ecall = ecall,
        .region = g_crew.region,
        .region_size = ALC_RING_REGION_SIZE,
        .serve = serve,
        .context = &g_crew.servers[thread],
    };
    return alc_sgx_call(g_crew.enclave, &call, value, error);
}

static bool enter_thread(void *argument, uint32_t thread)
{
    uint64_t value = ALC_E_INTERNAL;
    struct alc_error error;
    (void)argument;
    alc_error_clear(&error);
    return enter(ALC_ENTRY_THREAD, thread, &value, &error) == ALC_OK && value == ALC_OK;
}

static void print_enclave(const struct alc_sgx_enclave *enclave)
{
    bool is_protected = (alc_sgx_capabilities(enclave) & ALC_SGX_CAN_PROTECT) != 0;
    fprintf(stderr, "alcove: enclave %s, MRENCLAVE ", is_protected ? "in hardware" : "EMULATED");
    cli_print_hex(stderr, alc_sgx_measurement(enclave), ALC_SGX_HASH_SIZE);
    fprintf(stderr, "\n");
}

void cli_enclave_stop(void)
{
    const struct alc_sgx_call call = {.thread = ALC_SGX_ANY_THREAD, .ecall = ALC_ENTRY_STOP};
    uint64_t value;
    struct alc_error error;
    alc_error_clear(&error);
    (void)!alc_sgx_call(g_crew.enclave, &call, &value, &error);
}

/* Native code sets GS by itself; where the kernel does not let it, it would only be lost. */
static alc_status check_machine(bool is_native, struct alc_error *error)
{
    return !is_native || alc_cpu_may_set_gs()
               ? ALC_OK
               : alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET,
                               "native code needs FSGSBASE, which this kernel does not allow");
}

alc_status cli_enclave_run(const struct run_options *options, struct cli_image_kind kind,
                           const uint8_t workload_id[ALC_SHA256_SIZE], struct alc_os_linux *system,
                           void (*publish_stop_flag)(volatile uint64_t *stop_flag),
                           struct alc_error *error)
{
    const struct alc_os *os = alc_os_linux_get_os(system);
    struct cli_image image;
    struct alc_sgx_enclave *enclave;
    uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {0};
    alc_copy(config_id, workload_id, ALC_SHA256_SIZE);
    ALC_TRY(check_machine(kind.is_native, error));
    cli_image_open(options->image_path, options->signature_path, kind, &image);
    ALC_TRY(load(options->tee, &image, config_id, &enclave, error));
    if (options->report) {
        print_enclave(enclave);
    }
    if (cli_complete_get() != NULL) {
        bool is_emulated = (alc_sgx_capabilities(enclave) & ALC_SGX_CAN_PROTECT) == 0;
        os = cli_complete_get()->offer_proof(os, is_emulated, options->proof);
    }
    struct alc_ring_region *region =
        mmap(NULL, ALC_RING_REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    g_crew.enclave = enclave;
    g_crew.region = region;
    alc_hostcall_region_init(region);
    region->header.processor = alc_cpu_has_sha() ? ALC_RING_PROCESSOR_SHA : 0;
    for (uint32_t i = 0; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        alc_hostcall_server_init(&g_crew.servers[i], region, i, os);
    }
    os->operations->set_thread_body(os->context, enter_thread, NULL);
    publish_stop_flag(&region->header.stop_flag);
    uint64_t value;
    alc_status status = enter(ALC_ENTRY_RUN, 0, &value, error);
    publish_stop_flag(NULL);
    if (!alc_os_linux_has_threads(
            system)) { /* else they are still inside, and go with the process */
        alc_sgx_close(enclave);
        munmap(region, ALC_RING_REGION_SIZE);
    }
    /* The image's main function returns an alc_status; believed only as far as it is one. */
    return status == ALC_OK && value < ALC_STATUS_COUNT ? (alc_status)value : status;
}
