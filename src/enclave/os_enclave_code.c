/* SPDX-License-Identifier: Apache-2.0
 *
 * The os table of images that run compiled code, which counts on faults behind the memory it has:
 * released pages go; and which may be packed with their workload. In a file of its own, so that
 * others do without.
 */
#include "enclave/os_enclave.h"
#include "enclave/pages.h"
#include "enclave/payload.h"

static int64_t execute_pages(void *context, void *addr, size_t size)
{
    (void)context;
    switch ((int)alc_enclave_pages_execute(addr, size)) {
    case ALC_OK:
        return 0;
    case ALC_E_HOST_LIED:
        return -ALC_OS_IO;
    default:
        return -ALC_OS_INVALID;
    }
}

static void release_pages(void *context, void *addr, size_t size)
{
    (void)context;
    (void)size;
    alc_enclave_pages_discard(addr);
}

struct alc_os *alc_os_enclave_get_for_code(void)
{
    /* Per-enclave state; zero in the image, set once before the program starts. */
    static struct alc_os_operations operations;
    static struct alc_os os;
    const struct alc_os *plain = alc_os_enclave_get();
    operations = *plain->operations;
    operations.pages_execute = execute_pages;
    operations.pages_release = release_pages;
    alc_enclave_payload_serve(&operations);
    os = (struct alc_os){.operations = &operations, .context = plain->context};
    return &os;
}
