/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals into traps. A handler runs on a stack of its own, because a fault may be that the native
 * stack is full; it asks alc_native_fault with what the kernel saved, and writes back what that
 * changed. Everything else about a fault is decided there.
 */
#include "native_linux/native_linux.h"

#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "native/image.h"
#include "native_exec/native_exec.h"

enum {
    SIGNAL_STACK_SIZE = 64 << 10,
    HWCAP2_FSGSBASE_BIT = 1 << 1,
    VECTOR_PAGE = 14,
};

static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
static struct sigaction g_former[ALC_ARRAY_COUNT(SIGNALS)];

/* A thread that is in compiled code, for alc_native_linux_stop. */
struct runner {
    struct alc_native_thread *thread;
    struct runner *next;
};

static pthread_mutex_t g_runners_lock = PTHREAD_MUTEX_INITIALIZER;
static struct runner *g_runners;
static _Thread_local struct runner t_runner;
static _Thread_local struct alc_native_thread *t_watched;
static _Thread_local bool t_has_stack;
static _Thread_local _Alignas(16) uint8_t t_stack[SIGNAL_STACK_SIZE];

/* -- faults -- */

static void hand_on(int number, siginfo_t *info, void *context)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(SIGNALS); i++) {
        const struct sigaction *former = &g_former[i];
        if (SIGNALS[i] != number) {
            continue;
        }
        if ((former->sa_flags & SA_SIGINFO) != 0) {
            former->sa_sigaction(number, info, context);
        } else if (former->sa_handler != SIG_DFL && former->sa_handler != SIG_IGN) {
            former->sa_handler(number);
        } else {
            (void)signal(number, SIG_DFL); /* the instruction faults once more */
        }
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct alc_native_fault fault = {
        .rip = (uint64_t)registers[REG_RIP],
        .rsp = (uint64_t)registers[REG_RSP],
        .r11 = (uint64_t)registers[REG_R11],
        .flags = (uint64_t)registers[REG_EFL],
        .vector = (uint32_t)registers[REG_TRAPNO],
        .has_addr = registers[REG_TRAPNO] == VECTOR_PAGE,
        .fault_addr = (uint64_t)registers[REG_CR2],
    };
    bool is_from_kernel = info->si_code > 0; /* not of kill and the like */
    if (!is_from_kernel || !alc_native_fault(t_watched, &fault)) {
        hand_on(number, info, context);
        return;
    }
    registers[REG_RIP] = (greg_t)fault.rip;
    registers[REG_RSP] = (greg_t)fault.rsp;
    registers[REG_R11] = (greg_t)fault.r11;
    registers[REG_EFL] = (greg_t)fault.flags;
}

static void take_stack(void)
{
    stack_t stack = {.ss_sp = t_stack, .ss_size = sizeof t_stack};
    ALC_ASSERT(sigaltstack(&stack, NULL) == 0);
    t_has_stack = true;
}

/* This thread runs compiled code of `thread` from now on, or none. */
static void enlist(struct alc_native_thread *thread)
{
    ALC_ASSERT(pthread_mutex_lock(&g_runners_lock) == 0);
    for (struct runner **at = &g_runners; *at != NULL; at = &(*at)->next) {
        if (*at == &t_runner) {
            *at = t_runner.next;
            break;
        }
    }
    if (thread != NULL) {
        t_runner = (struct runner){.thread = thread, .next = g_runners};
        g_runners = &t_runner;
    }
    ALC_ASSERT(pthread_mutex_unlock(&g_runners_lock) == 0);
}

static struct alc_native_thread *watch(void *context, struct alc_native_thread *thread)
{
    (void)context;
    struct alc_native_thread *before = t_watched;
    if (!t_has_stack) {
        take_stack();
    }
    if (before == NULL || thread == NULL) {
        enlist(thread);
    }
    t_watched = thread;
    return before;
}

/* -- the end that somebody wishes -- */

void alc_native_linux_stop(void)
{
    ALC_ASSERT(pthread_mutex_lock(&g_runners_lock) == 0);
    for (struct runner *runner = g_runners; runner != NULL; runner = runner->next) {
        alc_native_stop(runner->thread);
    }
    ALC_ASSERT(pthread_mutex_unlock(&g_runners_lock) == 0);
}

/* -- pages -- */

static void *reserve(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static alc_status commit(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static alc_status execute(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context;
    ALC_ASSERT(munmap(addr, size) == 0);
}

static void uncommit(void *context, void *addr, size_t size)
{
    (void)context;
    ALC_ASSERT(mmap(addr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
                    -1, 0) == addr);
}

/* -- the tables -- */

static struct alc_native_support g_support = {.watch = watch, .uncommit = uncommit};
static pthread_mutex_t g_lock = PTHREAD_MUTEX_INITIALIZER;

static bool has_fsgsbase(void)
{
    return (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) != 0;
}

/* Where the handler is not ours, or no more. */
static bool install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(SIGNALS); i++) {
        struct sigaction present;
        if (sigaction(SIGNALS[i], NULL, &present) != 0) {
            return false;
        }
        if ((present.sa_flags & SA_SIGINFO) != 0 && present.sa_sigaction == on_fault) {
            continue;
        }
        g_former[i] = present;
        if (sigaction(SIGNALS[i], &action, NULL) != 0) {
            return false;
        }
    }
    return true;
}

const struct alc_native_support *alc_native_linux_support(void)
{
    ALC_ASSERT(pthread_mutex_lock(&g_lock) == 0);
    bool is_supported = has_fsgsbase() && install();
    g_support.features = __builtin_cpu_supports("x86-64-v3") ? ALC_NATIVE_V3 : 0;
    ALC_ASSERT(pthread_mutex_unlock(&g_lock) == 0);
    return is_supported ? &g_support : NULL;
}

bool alc_native_linux_pages(struct alc_pages *out)
{
    *out = (struct alc_pages){.reserve = reserve,
                              .commit = commit,
                              .release = release,
                              .execute = execute,
                              .native = alc_native_linux_support()};
    return out->native != NULL;
}
