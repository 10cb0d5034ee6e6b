/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that enter enclaves and the signals they need. A thread's record lies at the base of its
 * alternate signal stack, so that the trampoline finds it without thread-local storage, which the
 * enclave's FS hides. Handlers that were there before are called for everything else.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sgx_emu/emu_internal.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif
#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

enum { THREADS_MAX = 256, HWCAP2_FSGSBASE_BIT = 1 << 1, SIGNALS_MAX = 65 };
enum { KERNEL_SA_RESTORER = 0x04000000 };

static const int synchronous_signals[] = {SIGILL, SIGSEGV, SIGTRAP, SIGFPE, SIGBUS, SIGSYS};

/* The process's own, set up once. Records stay in the table until their thread ends. */
static struct emu_thread *_Atomic g_threads[THREADS_MAX];
static pthread_once_t g_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t g_install_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t g_thread_key;
static _Thread_local struct emu_thread *g_own_thread;
static struct sigaction g_previous[SIGNALS_MAX];
static bool g_has_fsgsbase;
static bool g_has_dispatch;
static bool g_has_seccomp;
static bool g_has_protection_keys;
static bool g_has_cpuid_faulting;
static bool g_has_handlers;

int alc_sgx_emu_preempt_signal(void)
{
    return SIGRTMAX - 3;
}

bool emu_has_protection_keys(void)
{
    return g_has_protection_keys;
}

bool emu_has_cpuid_faulting(void)
{
    return g_has_cpuid_faulting;
}

/* -- signals -- */

typedef void signal_handler(int signal_number, siginfo_t *info, void *frame);

static signal_handler *emu_handler(void)
{
    return emu_trampoline;
}

struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* With our own restorer, whose system call is allowed whatever the selector says. Others may put
 * handlers over ours at any time (test runners do, before every test): then theirs becomes the
 * previous one. */
static bool install(int signal_number)
{
    struct sigaction present;
    if (sigaction(signal_number, NULL, &present) != 0) {
        return false;
    }
    if (present.sa_sigaction == emu_handler()) {
        return true;
    }
    g_previous[signal_number] = present;
    const struct kernel_sigaction action = {
        .handler = emu_handler(),
        .flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | KERNEL_SA_RESTORER,
        .restorer = emu_restorer,
        .mask = UINT64_MAX,
    };
    return syscall(SYS_rt_sigaction, signal_number, &action, NULL, sizeof action.mask) == 0;
}

static bool install_all(void)
{
    bool installed = install(alc_sgx_emu_preempt_signal());
    for (size_t i = 0; i < ALC_ARRAY_COUNT(synchronous_signals); i++) {
        installed = install(synchronous_signals[i]) && installed;
    }
    return installed;
}

/* One question a crossing: whoever replaces one handler replaces all. */
static bool has_handlers(void)
{
    struct sigaction present;
    if (sigaction(SIGILL, NULL, &present) == 0 && present.sa_sigaction == emu_handler()) {
        return true;
    }
    pthread_mutex_lock(&g_install_lock);
    bool installed = install_all();
    pthread_mutex_unlock(&g_install_lock);
    return installed;
}

void emu_foreign_signal(int signal_number, siginfo_t *info, ucontext_t *frame)
{
    const struct sigaction *previous = &g_previous[signal_number];
    if (signal_number == alc_sgx_emu_preempt_signal()) {
        return;
    }
    if ((previous->sa_flags & SA_SIGINFO) != 0) {
        previous->sa_sigaction(signal_number, info, frame);
    } else if (previous->sa_handler == SIG_DFL || previous->sa_handler == SIG_IGN) {
        /* The instruction runs again and ends the process as it would have without us. */
        const struct sigaction by_default = {.sa_handler = SIG_DFL};
        sigaction(signal_number, &by_default, NULL);
        if (info->si_code <= 0) { /* sent, not raised by an instruction */
            raise(signal_number);
        }
    } else {
        previous->sa_handler(signal_number);
    }
}

void emu_inside_mask(sigset_t *out)
{
    alc_fill(out, 0xFF, sizeof *out); /* sigfillset leaves out what the C library uses itself */
    for (size_t i = 0; i < ALC_ARRAY_COUNT(synchronous_signals); i++) {
        sigdelset(out, synchronous_signals[i]);
    }
    sigdelset(out, alc_sgx_emu_preempt_signal());
}

/* -- records -- */

/* Neither guard nor shadow memory: both are found through FS, which is the enclave's. */
__attribute__((no_stack_protector, no_sanitize_address)) struct emu_thread *
emu_find_thread(uint64_t rsp)
{
    struct emu_thread *candidate =
        (struct emu_thread *)(uintptr_t)(rsp & ~(uint64_t)(EMU_STACK_SIZE - 1));
    for (int i = 0; i < THREADS_MAX; i++) {
        if (atomic_load_explicit(&g_threads[i], memory_order_acquire) == candidate) {
            return candidate;
        }
    }
    return NULL;
}

static void end_thread(void *record)
{
    struct emu_thread *thread = record;
    if (thread->has_tick) {
        timer_delete(thread->tick);
    }
    if (thread->syscalls_by_dispatch) {
        prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
    }
    sigaltstack(&thread->previous_stack, NULL);
    for (int i = 0; i < THREADS_MAX; i++) {
        struct emu_thread *expected = thread;
        atomic_compare_exchange_strong(&g_threads[i], &expected, NULL);
    }
    munmap(thread, EMU_STACK_SIZE);
    g_own_thread = NULL;
}

static struct emu_thread *allocate_record(void)
{
    const size_t size = EMU_STACK_SIZE;
    uint8_t *start = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    size_t lead = (size - (uintptr_t)start % size) % size;
    if (lead != 0) {
        munmap(start, lead);
    }
    munmap(start + lead + size, size - lead);
    return (struct emu_thread *)(void *)(start + lead);
}

static bool register_record(struct emu_thread *thread)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        struct emu_thread *expected = NULL;
        if (atomic_compare_exchange_strong(&g_threads[i], &expected, thread)) {
            return true;
        }
    }
    return false;
}

/* The tick counts CPU time of this thread only, so it costs nothing while the thread waits. The
 * signal is blocked outside. */
static bool start_tick(struct emu_thread *thread)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = alc_sgx_emu_preempt_signal()};
    const struct timespec period = {.tv_nsec = (long)ALC_SGX_EMU_TICK_NS};
    const struct itimerspec spec = {.it_interval = period, .it_value = period};
    event._sigev_un._tid = gettid();
    thread->has_tick = timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &thread->tick) == 0;
    return thread->has_tick && timer_settime(thread->tick, 0, &spec, NULL) == 0;
}

static struct emu_thread *make_thread(void)
{
    struct emu_thread *thread = allocate_record();
    if (thread == NULL) {
        return NULL;
    }
    const stack_t stack = {.ss_sp = thread, .ss_size = EMU_STACK_SIZE};
    __asm__ volatile("rdfsbase %0" : "=r"(thread->host_fs));
    thread->has_pku = g_has_protection_keys;
    if (!register_record(thread) || sigaltstack(&stack, &thread->previous_stack) != 0) {
        munmap(thread, EMU_STACK_SIZE);
        return NULL;
    }
    sigset_t preempt;
    sigemptyset(&preempt);
    sigaddset(&preempt, alc_sgx_emu_preempt_signal());
    pthread_sigmask(SIG_BLOCK, &preempt, NULL);
    if (pthread_setspecific(g_thread_key, thread) != 0) {
        end_thread(thread);
        return NULL;
    }
    return thread;
}

/* A child of fork has neither timers nor system call dispatch, and none of the other threads. */
static void after_fork(void)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        if (atomic_load(&g_threads[i]) != g_own_thread) {
            atomic_store(&g_threads[i], NULL);
        }
    }
    if (g_own_thread != NULL) {
        g_own_thread->has_tick = false;
        g_own_thread->syscalls_by_dispatch = false;
    }
}

/* -- no system calls from inside -- */

static bool arm_dispatch(struct emu_thread *thread)
{
    uint64_t start = (uint64_t)(uintptr_t)emu_restorer;
    uint64_t size = (uint64_t)(uintptr_t)emu_restorer_end - start;
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start, size, thread->selector) ==
           0;
}

/* Traps system calls whose instruction lies in the enclave's range. Sees the address only, not who
 * jumped there. */
static bool filter_range(uint64_t base, uint64_t size)
{
    const uint32_t first_high = (uint32_t)(base >> 32);
    const uint32_t last_high = (uint32_t)((base + size - 1) >> 32);
    const uint32_t first_low = (uint32_t)base;
    const uint32_t last_low = (uint32_t)(base + size - 1);
    const uint32_t low = offsetof(struct seccomp_data, instruction_pointer);
    /* Ranges are aligned to their size: either they share the high word, or they cover whole ones.
     */
    const bool one_high = first_high == last_high;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + 4),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first_high, 0, 5),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_high, 4, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, one_high ? first_low : 0, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, one_high ? last_low : UINT32_MAX, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = ALC_ARRAY_COUNT(code), .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool forbid_system_calls(struct emu_thread *thread, const struct alc_sgx_context *context)
{
    bool by_filter = context->options->syscalls == ALC_SGX_EMU_SYSCALLS_SECCOMP || !g_has_dispatch;
    if (!by_filter) {
        if (!thread->syscalls_by_dispatch) {
            thread->syscalls_by_dispatch = arm_dispatch(thread);
        }
        return thread->syscalls_by_dispatch;
    }
    if (thread->filtered_base != context->secs.base) {
        if (!filter_range(context->secs.base, context->secs.size)) {
            return false;
        }
        thread->filtered_base = context->secs.base;
    }
    return true;
}

struct emu_thread *emu_prepare_thread(const struct alc_sgx_context *context)
{
    if (g_own_thread == NULL) {
        g_own_thread = make_thread();
    }
    struct emu_thread *thread = g_own_thread;
    bool is_ready = thread != NULL && has_handlers() && (thread->has_tick || start_tick(thread)) &&
                    forbid_system_calls(thread, context);
    return is_ready ? thread : NULL;
}

/* -- the process -- */

static bool probe_dispatch(void)
{
    static volatile uint8_t selector = EMU_SELECTOR_ALLOW;
    uint64_t start = (uint64_t)(uintptr_t)emu_restorer;
    bool works = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start, 1, &selector) == 0;
    return works && prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0;
}

static void probe(void)
{
    g_has_fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
    g_has_dispatch = probe_dispatch();
    g_has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
    int key = pkey_alloc(0, 0);
    g_has_protection_keys = key >= 0;
    if (key >= 0) {
        pkey_free(key);
    }
    g_has_cpuid_faulting = syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0;
    emu_xstate_probe();
    g_has_handlers = pthread_key_create(&g_thread_key, end_thread) == 0 &&
                     pthread_atfork(NULL, NULL, after_fork) == 0 && install_all();
}

alc_status emu_prepare_process(const struct alc_sgx_emu_options *options, struct alc_error *error)
{
    pthread_once(&g_once, probe);
    const char *missing = NULL;
    if (!g_has_fsgsbase) {
        missing =
            "emulator: no FSGSBASE instructions (Linux 5.9 and a processor of 2012 have them)";
    } else if (!g_has_handlers) {
        missing = "emulator: signal handlers cannot be installed";
    } else if (options->syscalls == ALC_SGX_EMU_SYSCALLS_DISPATCH && !g_has_dispatch) {
        missing = "emulator: no Syscall User Dispatch (Linux 5.11)";
    } else if (!g_has_dispatch && !g_has_seccomp) {
        missing = "emulator: neither Syscall User Dispatch nor seccomp";
    }
    return missing == NULL ? ALC_OK
                           : alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET, missing);
}
