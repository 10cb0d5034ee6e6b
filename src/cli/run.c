/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove run: writes the manifest, grants the handles, starts the program in an enclave or outside,
 * keeps its deadline and turns the outcome into an exit code.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/cvm.h"
#include "cli/enclave.h"
#include "cli/kbs.h"
#include "cli/outcome.h"
#include "cli/program.h"
#include "native_linux/native_linux.h"
#include "os_linux/os_linux.h"

/* How long a program may ignore the stop flag (blocked in a host call) before the process ends. */
enum { STOP_GRACE_MS = 500 };

/* What the timer's thread may still do. The word that the running program polls may go away with
 * the region it lies in, so both sides hold the lock while they touch it. */
static pthread_mutex_t g_stop_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t *g_stop_flag;
static void (*g_stop_native)(void); /* native code does not look at the word */
static bool g_is_over;
static volatile uint64_t g_local_stop_flag;

static void publish_stop_flag(volatile uint64_t *stop_flag)
{
    pthread_mutex_lock(&g_stop_lock);
    g_stop_flag = stop_flag;
    pthread_mutex_unlock(&g_stop_lock);
}

/* The program has ended: what is left is to say how, and the deadline is not about that. */
static void end_deadline(void)
{
    pthread_mutex_lock(&g_stop_lock);
    g_is_over = true;
    g_stop_flag = NULL;
    pthread_mutex_unlock(&g_stop_lock);
}

static void sleep_ns(uint64_t duration_ns)
{
    struct timespec left = {.tv_sec = (time_t)(duration_ns / 1000000000),
                            .tv_nsec = (long)(duration_ns % 1000000000)};
    while (nanosleep(&left, &left) != 0) {
    }
}

static void *keep_deadline(void *argument)
{
    const struct run_options *options = argument;
    sleep_ns(options->limits.timeout_ns);
    pthread_mutex_lock(&g_stop_lock);
    if (g_stop_flag != NULL) {
        *g_stop_flag = 1;
        if (g_stop_native != NULL) {
            g_stop_native();
        }
    }
    pthread_mutex_unlock(&g_stop_lock);
    sleep_ns(STOP_GRACE_MS * UINT64_C(1000000));
    pthread_mutex_lock(&g_stop_lock);
    if (g_is_over) {
        pthread_mutex_unlock(&g_stop_lock);
        return NULL;
    }
    fprintf(stderr, "alcove: %s: %s\n", options->module_path, alc_status_text(ALC_E_DEADLINE));
    _exit(alc_status_exit_code(ALC_E_DEADLINE));
}

static void start_timer(struct run_options *options)
{
    pthread_t thread;
    if (options->limits.timeout_ns != 0 &&
        pthread_create(&thread, NULL, keep_deadline, options) != 0) {
        cli_die(CLI_FAILED, "no thread for --timeout");
    }
}

static void check_grant(int64_t result, const char *what)
{
    if (result < 0) {
        cli_die(CLI_USAGE, "%s: %s", what, alc_os_errno_text(-result));
    }
}

static void grant_mount(struct alc_os_linux *system, int32_t handle, const struct run_mount *mount)
{
    const bool is_read_only = (mount->flags & ALC_MOUNT_READ_ONLY) != 0;
    if ((mount->flags & ALC_MOUNT_MEMORY) != 0) { /* the number is taken, and that is all */
        check_grant(alc_os_linux_grant_bytes(system, handle, "", 0), "directory in memory");
        return;
    }
    if ((mount->flags & ALC_MOUNT_ARCHIVE) == 0) {
        check_grant(alc_os_linux_grant_directory(system, handle, mount->host_path,
                                                 is_read_only ? ALC_OS_LINUX_READ_ONLY : 0),
                    mount->host_path);
        return;
    }
    int fd = open(mount->host_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cli_die(CLI_USAGE, "%s: %s", mount->host_path, strerror(errno));
    }
    check_grant(alc_os_linux_grant(system, handle, fd, ALC_OS_LINUX_OWNED), mount->host_path);
}

static void grant_handles(struct alc_os_linux *system, const struct run_options *options)
{
    static const int32_t streams[] = {ALC_OS_STDIN, ALC_OS_STDOUT, ALC_OS_STDERR};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int status_flags = fcntl(fd, F_GETFL);
        if (status_flags >= 0 && (status_flags & O_PATH) == 0) { /* closed here, closed there */
            check_grant(alc_os_linux_grant(system, streams[fd], fd, 0), "standard stream");
        }
    }
    int32_t handle = ALC_OS_FIRST_MOUNT;
    for (size_t i = 0; i < options->mounts_count; i++) {
        grant_mount(system, handle++, &options->mounts[i]);
    }
    for (size_t i = 0; i < options->sockets_count; i++) {
        check_grant(alc_os_linux_grant(system, handle++, options->sockets[i], ALC_OS_LINUX_OWNED),
                    "socket");
    }
    for (size_t i = 0; i < options->mounts_count; i++) {
        const struct cli_file *tree = &options->mounts[i].tree;
        if ((options->mounts[i].flags & ALC_MOUNT_ARCHIVE) != 0) {
            check_grant(alc_os_linux_grant_bytes(system, handle++, tree->bytes, tree->size),
                        "hash tree");
        }
    }
    if (options->endorsements.size != 0) {
        check_grant(alc_os_linux_grant_bytes(system, ALC_OS_ENDORSEMENTS,
                                             options->endorsements.bytes,
                                             options->endorsements.size),
                    "endorsements");
    }
    if (options->witness >= 0) {
        check_grant(alc_os_linux_grant(system, handle++, options->witness, ALC_OS_LINUX_OWNED),
                    "connection to the witness");
    }
}

/* What is to be done with a sealed mount, for who finds it instead of running the program. */
static void grant_upkeep(struct alc_os_linux *system, const struct run_options *options)
{
    static uint8_t request[CLI_UPKEEP_SIZE];
    if (options->upkeep == RUN_UPKEEP_NONE) {
        return;
    }
    cli_complete_need("sealed storage")->write_upkeep(options, request);
    check_grant(alc_os_linux_grant_bytes(system, ALC_OS_UPKEEP, request, sizeof request), "upkeep");
    if (options->upkeep_path != NULL) {
        const uint32_t flags = options->upkeep == RUN_UPKEEP_IMPORT ? ALC_OS_LINUX_READ_ONLY : 0;
        check_grant(alc_os_linux_grant_directory(system, ALC_OS_UPKEEP_DIRECTORY,
                                                 options->upkeep_path, flags),
                    options->upkeep_path);
    }
}

/* Whether the program may need something that is not in plain images: it was given that, or has the
 * name somewhere by which it would import it. */
static bool needs_services(const struct run_options *options, const struct cli_program *program)
{
    static const char module[] = "alcove:attest";
    return options->has_services || options->owner_path != NULL || options->proof->is_asked_for ||
           memmem(program->module.bytes, program->module.size, module, sizeof module - 1) != NULL;
}

/* Of the confidential machine that this is, or NULL. */
static const struct alc_attester *g_attester;

/* Not in an enclave. */
static alc_status run_here(const struct run_options *options, const struct cli_program *program,
                           struct alc_os_linux *system, struct alc_error *error)
{
    static struct alc_os own_os; /* static: threads may outlive this function */
    static struct alc_workload_compiled compiled;
    static struct alc_workload_profile interpreted;
    struct alc_workload_profile *profile = &interpreted;
    interpreted = alc_workload_interpreted;
    own_os = *alc_os_linux_get_os(system);
    if (options->proof->is_asked_for) {
        own_os = *cli_complete_need("evidence")
                      ->offer_proof(alc_os_linux_get_os(system), false, options->proof);
    }
    if (program->is_native) {
        const struct alc_native_support *support = alc_native_linux_support();
        if (support == NULL) {
            return alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET,
                                 "native code needs FSGSBASE");
        }
        alc_workload_compiled_init(&compiled, support);
        if (needs_services(options, program)) {
            cli_complete_need("services")->equip(&compiled);
        }
        profile = &compiled.profile;
        g_stop_native = alc_native_linux_stop;
    }
    publish_stop_flag(&g_local_stop_flag);
    if (needs_services(options, program)) {
        cli_complete_need("services")
            ->run(&(struct cli_place){options->seal_key_path, g_attester}, &own_os, profile,
                  &g_local_stop_flag);
    } else {
        (void)!alc_workload_run_from_os(&own_os, profile, &g_local_stop_flag);
    }
    return ALC_OK; /* the outcome says how it ended */
}

static alc_status run_with(const struct run_options *options, const struct cli_program *program,
                           const struct cli_file *manifest, struct alc_os_linux *system,
                           struct alc_error *error)
{
    uint8_t workload_id[ALC_SHA256_SIZE];
    if (!run_tee_is_enclave(options->tee)) {
        return run_here(options, program, system, error);
    }
    if (program->is_native) {
        g_stop_native = cli_enclave_stop;
    }
    const struct cli_image_kind kind = {.is_native = program->is_native,
                                        .is_complete = needs_services(options, program)};
    alc_sha256(manifest->bytes, manifest->size, workload_id);
    return cli_enclave_run(options, kind, workload_id, system, publish_stop_flag, error);
}

/* What the program leaves. */
static struct {
    const struct run_options *options;
    const struct cli_program *program;
    struct alc_outcome outcome;
    size_t outcome_size;
} g_result;

/* NULL: `--tee` says nothing that the machine has proven to be able to. */
static const char *tee_of(const struct run_options *options)
{
    return options->tee == RUN_TEE_TDX || options->tee == RUN_TEE_SNP ? run_tee_word(options->tee)
                                                                      : NULL;
}

static int print_outcome(void)
{
    int exit_code = cli_outcome_print(g_result.options->module_path, &g_result.program->module,
                                      &g_result.outcome);
    if (g_result.options->report) {
        cli_outcome_print_report(&g_result.outcome, tee_of(g_result.options));
    }
    if (g_result.options->upkeep == RUN_UPKEEP_VERIFY && exit_code == CLI_OK) {
        printf("%s: everything is genuine\n", g_result.options->upkeep_mount);
    }
    return exit_code;
}

/* A thread of the program has ended. If it ended the program, the first thread may be blocked for
 * ever: whoever comes first to the lock has the last word. */
static void look_for_outcome(void)
{
    if (__atomic_load_n(&g_result.outcome_size, __ATOMIC_ACQUIRE) != sizeof g_result.outcome) {
        return;
    }
    pthread_mutex_lock(&g_stop_lock);
    if (!g_is_over) {
        g_is_over = true;
        int exit_code = print_outcome();
        fflush(NULL);
        _exit(exit_code);
    }
    pthread_mutex_unlock(&g_stop_lock);
}

static int write_proof(const struct run_options *options)
{
    static char own_path[4096];
    const char *path = options->evidence_path;
    if (options->proof->item == NULL) {
        fprintf(stderr, "alcove: %s: the enclave gave no evidence\n", options->module_path);
        return CLI_FAILED;
    }
    if (path == NULL) {
        snprintf(own_path, sizeof own_path, "%s.evidence", options->module_path);
        path = own_path;
    }
    cli_complete_need("evidence")->write_proof(options->proof, path);
    if (options->proof->is_emulated) {
        fprintf(stderr,
                "alcove: EMULATED evidence: it proves nothing, everybody can make the same. "
                "Verifiers refuse it\nunless they are told to accept it.\n");
    }
    return CLI_OK;
}

static void print_levels(const struct run_options *options, const struct cli_program *program,
                         const struct cli_file *manifest)
{
    if (options->report && options->mounts_count != 0 && cli_complete_get() != NULL) {
        cli_complete_get()->print_levels(manifest, program->is_native);
    }
}

/* Runs the program, or has it proven when `proof` says so. */
static int run(struct cli_arguments *arguments, struct cli_proof *proof)
{
    static struct run_options options; /* static: threads may outlive this function */
    static struct cli_program program;
    static struct cli_file manifest;
    struct alc_os_linux *system;
    struct alc_error error;
    run_options_parse(arguments, proof, &options);
    if (options.tee == RUN_TEE_TDX || options.tee == RUN_TEE_SNP) {
        g_attester = cli_cvm_need(options.tee);
    }
    if (proof->is_asked_for && options.tee == RUN_TEE_NONE) {
        cli_die(CLI_FAILED, "--tee none: outside an enclave there is nothing that proves anything");
    }
    if (options.key_broker_url != NULL) {
        cli_kbs_need(arguments);
    }
    cli_program_open(&options, &program);
    if (options.has_services) {
        cli_complete_need("services")->prepare(&options);
    }
    manifest = program.is_packed ? program.manifest : cli_manifest_encode(&options, &program);
    print_levels(&options, &program, &manifest);
    g_result.options = &options;
    g_result.program = &program;
    if (alc_os_linux_new(NULL, &system) != ALC_OK) {
        cli_die(CLI_FAILED, "out of memory");
    }
    if (!proof->is_asked_for) { /* an image that knows no proof would run the program */
        grant_handles(system, &options);
        grant_upkeep(system, &options);
    }
    check_grant(alc_os_linux_grant_bytes(system, ALC_OS_MANIFEST, manifest.bytes, manifest.size),
                "manifest");
    check_grant(alc_os_linux_grant_bytes(system, ALC_OS_MODULE, program.granted.bytes,
                                         program.granted.size),
                "module");
    check_grant(alc_os_linux_grant_buffer(system, ALC_OS_OUTCOME, &g_result.outcome,
                                          sizeof g_result.outcome, &g_result.outcome_size),
                "outcome");
    if (options.key_broker_url != NULL) {
        int fd = cli_kbs_relay(options.key_broker_url, options.key_broker_ca_path);
        check_grant(alc_os_linux_grant(system, ALC_OS_KEY_BROKER, fd, ALC_OS_LINUX_OWNED),
                    "key broker");
    }
    alc_os_linux_on_thread_end(system, look_for_outcome);
    alc_error_clear(&error);
    start_timer(&options);
    alc_status status = run_with(&options, &program, &manifest, system, &error);
    end_deadline();
    int exit_code;
    if (g_result.outcome_size == sizeof g_result.outcome) {
        exit_code = print_outcome();
        if (proof->is_asked_for && exit_code == CLI_OK) {
            exit_code = write_proof(&options);
        }
    } else {
        if (error.status == ALC_OK) {
            (void)alc_fail(&error, status == ALC_OK ? ALC_E_HOST_GONE : status, ALC_NO_OFFSET);
        }
        exit_code = cli_report_error("enclave", &error);
        if (options.report) {
            cli_outcome_print_report(&g_result.outcome, tee_of(g_result.options));
        }
    }
    if (!alc_os_linux_has_threads(system)) { /* else they go with the process */
        alc_os_linux_free(system);
    }
    return exit_code;
}

int cli_run(struct cli_arguments *arguments)
{
    static struct cli_proof proof;
    return run(arguments, &proof);
}

/* The options say that a sealed mount is looked after, and how. */
int cli_seal_verify(struct cli_arguments *arguments)
{
    return cli_run(arguments);
}

int cli_seal_rekey(struct cli_arguments *arguments)
{
    return cli_run(arguments);
}

int cli_seal_export(struct cli_arguments *arguments)
{
    return cli_run(arguments);
}

int cli_seal_import(struct cli_arguments *arguments)
{
    return cli_run(arguments);
}

int cli_attest(struct cli_arguments *arguments)
{
    static struct cli_proof proof = {.is_asked_for = true};
    (void)cli_complete_need("evidence");
    return run(arguments, &proof);
}
