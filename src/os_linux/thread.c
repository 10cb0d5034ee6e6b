/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of the program by their numbers: started detached, put to sleep and woken through one
 * futex word each. Distrusts the numbers.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "os_linux/os_linux_internal.h"

static const int64_t second_ns = 1000000000;

static struct alc_linux_thread *find_thread(struct alc_os_linux *system, uint32_t thread)
{
    if (thread >= ALC_LIMIT_ENCLAVE_THREADS) {
        return NULL;
    }
    return &system->threads[alc_index_clamp(thread, ALC_LIMIT_ENCLAVE_THREADS)];
}

static void *run_thread(void *argument)
{
    struct alc_linux_thread *thread = argument;
    struct alc_os_linux *system = thread->system;
    (void)system->thread_body(system->thread_argument, (uint32_t)(thread - system->threads));
    if (system->on_thread_end != NULL) {
        system->on_thread_end();
    }
    __atomic_store_n(&thread->is_running, false, __ATOMIC_RELEASE);
    return NULL;
}

void alc_os_linux_on_thread_end(struct alc_os_linux *system, void (*function)(void))
{
    system->on_thread_end = function;
}

void alc_linux_set_thread_body(void *context, alc_os_thread_body *body, void *argument)
{
    struct alc_os_linux *system = context;
    system->thread_body = body;
    system->thread_argument = argument;
}

int64_t alc_linux_thread_start(void *context, uint32_t thread)
{
    struct alc_os_linux *system = context;
    struct alc_linux_thread *entry = find_thread(system, thread);
    pthread_t handle;
    pthread_attr_t attributes;
    if (entry == NULL || thread == 0 || system->thread_body == NULL) {
        return -ALC_OS_INVALID;
    }
    if (__atomic_exchange_n(&entry->is_running, true, __ATOMIC_ACQUIRE)) {
        return -ALC_OS_BUSY;
    }
    entry->system = system;
    bool is_started = false;
    if (pthread_attr_init(&attributes) == 0) {
        is_started = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                     pthread_create(&handle, &attributes, run_thread, entry) == 0;
        pthread_attr_destroy(&attributes);
    }
    if (!is_started) {
        __atomic_store_n(&entry->is_running, false, __ATOMIC_RELEASE);
        return -ALC_OS_AGAIN;
    }
    return 0;
}

int64_t alc_linux_thread_sleep(void *context, uint32_t thread, int64_t timeout_ns)
{
    struct alc_linux_thread *entry = find_thread(context, thread);
    struct timespec time = {.tv_sec = timeout_ns / second_ns, .tv_nsec = timeout_ns % second_ns};
    if (entry == NULL) {
        return -ALC_OS_INVALID;
    }
    if (__atomic_load_n(&entry->wakes, __ATOMIC_ACQUIRE) == 0) {
        /* However it ends: the caller looks by itself whether it is time. */
        (void)syscall(SYS_futex, &entry->wakes, FUTEX_WAIT_PRIVATE, 0,
                      timeout_ns < 0 ? NULL : &time, NULL, 0);
    }
    /* Before the caller looks: a wake-up that comes later stays. */
    (void)__atomic_exchange_n(&entry->wakes, 0, __ATOMIC_SEQ_CST);
    return 0;
}

int64_t alc_linux_thread_wake(void *context, uint32_t thread)
{
    struct alc_linux_thread *entry = find_thread(context, thread);
    if (entry == NULL) {
        return -ALC_OS_INVALID;
    }
    __atomic_store_n(&entry->wakes, 1, __ATOMIC_RELEASE);
    (void)syscall(SYS_futex, &entry->wakes, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return 0;
}

bool alc_os_linux_has_threads(const struct alc_os_linux *system)
{
    for (uint32_t i = 1; i < ALC_LIMIT_ENCLAVE_THREADS; i++) {
        if (__atomic_load_n(&system->threads[i].is_running, __ATOMIC_ACQUIRE)) {
            return true;
        }
    }
    return false;
}
