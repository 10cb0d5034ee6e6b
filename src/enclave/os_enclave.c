/* SPDX-License-Identifier: Apache-2.0
 *
 * The os table of the enclave: the generated stubs of hostcall.host, and the functions that a host
 * may never answer.
 */
#include "enclave/os_enclave.h"

#include "base/sha256.h"
#include "enclave/pages.h"
#include "enclave/random.h"
#include "enclave/tee.h"
#include "enclave/thread.h"
#include "hostcall/hostcall_host.h"
#include "hostcall/outside.h"

/* Shown to the host when it is given up. */
enum { HINT_HOST_LIED = 0x4c494544 };

static int64_t fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return alc_enclave_random(buf, buf_size) == ALC_OK ? 0 : -ALC_OS_IO;
}

static void *reserve_pages(void *context, size_t size)
{
    (void)context;
    return alc_enclave_pages_reserve(size);
}

static int64_t commit_pages(void *context, void *addr, size_t size)
{
    (void)context;
    return alc_enclave_pages_commit(addr, size) == ALC_OK ? 0 : -ALC_OS_NO_MEMORY;
}

/* What threads that the host brings in are to do; set before the first of them is asked for. */
static alc_os_thread_body *thread_body;
static void *thread_argument;

static void set_thread_body(void *context, alc_os_thread_body *body, void *argument)
{
    (void)context;
    thread_argument = argument;
    __atomic_store_n(&thread_body, body, __ATOMIC_RELEASE);
}

bool alc_os_enclave_run_thread(void)
{
    alc_os_thread_body *body = __atomic_load_n(&thread_body, __ATOMIC_ACQUIRE);
    return body != NULL && body(thread_argument, (uint32_t)alc_enclave_thread_index());
}

static void release_pages(void *context, void *addr, size_t size)
{
    (void)context;
    (void)size;
    alc_enclave_pages_release(addr);
}

static const struct alc_os_operations operations = {
    ALC_HOSTCALL_OPERATIONS,      .set_thread_body = set_thread_body,
    .random = fill_random,        .pages_reserve = reserve_pages,
    .pages_commit = commit_pages, .pages_release = release_pages,
};

/* Per-enclave state; zero in the image, set once. */
static struct alc_hostcall_client client;
static struct alc_os enclave_os;
static const struct alc_ring_header *outside_header;

static uint32_t thread_index(void)
{
    return (uint32_t)alc_enclave_thread_index();
}

static void give_up(void)
{
    alc_tee_poison(HINT_HOST_LIED);
}

alc_status alc_os_enclave_init(uint64_t raw_base, uint64_t raw_size)
{
    struct alc_hostcall_environment environment = {
        .leave = alc_enclave_leave_for_host,
        .thread_index = thread_index,
        .give_up = give_up,
        .inside_base = (uint64_t)(uintptr_t)alc_enclave_base(),
        .inside_size = alc_enclave_layout.elrange_size,
    };
    ALC_ASSERT(enclave_os.operations == NULL);
    ALC_TRY(alc_hostcall_client_init(&client, &environment, raw_base, raw_size));
    outside_header = &((const struct alc_ring_region *)(uintptr_t)raw_base)->header;
    enclave_os = (struct alc_os){.operations = &operations, .context = &client};
    return ALC_OK;
}

struct alc_os *alc_os_enclave_get(void)
{
    ALC_ASSERT(enclave_os.operations != NULL);
    return &enclave_os;
}

const volatile uint64_t *alc_os_enclave_stop_flag(void)
{
    ALC_ASSERT(outside_header != NULL);
    return &outside_header->stop_flag;
}

void alc_os_enclave_use_processor(void)
{
    ALC_ASSERT(outside_header != NULL);
    if ((alc_outside_load(&outside_header->processor) & ALC_RING_PROCESSOR_SHA) != 0) {
        alc_sha256_use_instructions();
    }
}
