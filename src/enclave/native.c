/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults of compiled code at level 1 (native.h). Level 0 is frozen meanwhile, so its thread's
 * record cannot change; nothing here uses GS, the native stack, or a lock that level 0 may hold.
 */
#include "enclave/native.h"

#include "base/spin.h"
#include "enclave/exception.h"
#include "enclave/pages.h"
#include "enclave/thread.h"
#include "native_exec/native_exec.h"

static struct alc_native_thread *watch(void *context, struct alc_native_thread *native_thread)
{
    struct alc_enclave_thread *thread = alc_enclave_thread_get();
    (void)context;
    alc_spin_lock(&thread->native_lock);
    struct alc_native_thread *previous = thread->native_thread;
    thread->native_thread = native_thread;
    alc_spin_unlock(&thread->native_lock);
    return previous;
}

const struct alc_native_support alc_enclave_native_support = {.watch = watch};

/* The host took away a page that the enclave has: it is to give it back. Of a page that is there,
 * but not for this access, the processor says so. */
static bool is_missing_page(const struct alc_exception *exception)
{
    return exception->has_fault_addr && exception->vector == ALC_SGX_VECTOR_PF &&
           (exception->error_code & ALC_SGX_PF_PRESENT) == 0 &&
           alc_enclave_pages_has(exception->fault_addr);
}

static bool handle(const struct alc_exception *exception, void *context)
{
    struct alc_native_thread *native_thread = alc_enclave_thread_get()->native_thread;
    struct alc_sgx_gprs *gprs = exception->gprs;
    (void)context;
    if (native_thread == NULL) {
        return false;
    }
    if (is_missing_page(exception)) {
        return true;
    }
    struct alc_native_fault fault = {
        .rip = gprs->rip,
        .rsp = gprs->rsp,
        .r11 = gprs->r11,
        .flags = gprs->rflags,
        .vector = exception->vector,
        .has_addr = exception->has_fault_addr && exception->vector == ALC_SGX_VECTOR_PF,
        .fault_addr = exception->fault_addr,
    };
    if (!alc_native_fault(native_thread, &fault)) {
        return false;
    }
    gprs->rip = fault.rip;
    gprs->rsp = fault.rsp;
    gprs->r11 = fault.r11;
    gprs->rflags = fault.flags;
    return true;
}

alc_status alc_enclave_native_init(void)
{
    /* All code that is no part of the image stands there. */
    const struct alc_exception_range heap = {
        .code_start = (uint64_t)(uintptr_t)alc_enclave_base() + alc_enclave_layout.heap_offset,
        .code_size = alc_enclave_layout.heap_size,
        .handler = handle,
    };
    return alc_enclave_exception_register(&heap);
}

void alc_enclave_native_stop(void)
{
    for (uint64_t i = 0; i < alc_enclave_layout.threads_count; i++) {
        struct alc_enclave_thread *thread =
            (void *)(alc_enclave_base() + alc_enclave_layout.threads_offset +
                     i * alc_enclave_layout.threads_stride + alc_enclave_layout.tls_offset);
        alc_spin_lock(&thread->native_lock);
        if (thread->native_thread != NULL) {
            alc_native_stop(thread->native_thread);
        }
        alc_spin_unlock(&thread->native_lock);
    }
}
