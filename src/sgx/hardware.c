/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend over the kernel's SGX driver (Linux 5.11; dynamic pages from 6.0): ioctls on
 * /dev/sgx_enclave and __vdso_sgx_enter_enclave. Compiled, never run on hardware.
 */
#include <asm/sgx.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sgx/backend.h"
#include "sgx/cpu.h"
#include "sgx/vdso.h"

struct alc_sgx_context {
    int fd;
    uint64_t base;
    uintptr_t enter_function;
};

_Static_assert(sizeof(struct alc_sgx_run) == sizeof(struct sgx_enclave_run), "uapi");

/* 0, or minus errno. */
static int call_driver(const struct alc_sgx_context *context, unsigned long request, void *argument)
{
    return ioctl(context->fd, request, argument) == 0 ? 0 : -errno;
}

static uint64_t to_word(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* A driver without dynamic pages does not know the request; any other complaint means that it does.
 */
static bool driver_has_dynamic_pages(const struct alc_sgx_context *context)
{
    struct sgx_enclave_restrict_permissions nothing = {0};
    return call_driver(context, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &nothing) != -ENOTTY;
}

static uint32_t find_capabilities(const struct alc_sgx_context *context)
{
    struct alc_cpu_sgx cpu;
    alc_cpu_read_sgx(&cpu);
    uint32_t capabilities = ALC_SGX_CAN_PROTECT;
    if (cpu.has_sgx2 && driver_has_dynamic_pages(context)) {
        capabilities |= ALC_SGX_CAN_EDMM;
    }
    if (cpu.has_exinfo) {
        capabilities |= ALC_SGX_CAN_EXINFO;
    }
    if (cpu.has_kss) {
        capabilities |= ALC_SGX_CAN_KSS;
    }
    return capabilities;
}

static alc_status fail_unsupported(struct alc_error *error, const char *detail)
{
    return alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET, detail);
}

static alc_status hardware_open(const struct alc_sgx_backend *backend, struct alc_sgx_context **out,
                                uint32_t *capabilities, struct alc_error *error)
{
    (void)backend;
    uintptr_t enter_function = alc_vdso_find("__vdso_sgx_enter_enclave");
    if (enter_function == 0) {
        return fail_unsupported(error, "the kernel has no SGX entry in its vDSO");
    }
    int fd = open(ALC_SGX_ENCLAVE_DEVICE, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return fail_unsupported(error, errno == EACCES ? "no permission for /dev/sgx_enclave"
                                                       : "no /dev/sgx_enclave");
    }
    struct alc_sgx_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        close(fd);
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    context->fd = fd;
    context->enter_function = enter_function;
    *capabilities = find_capabilities(context);
    *out = context;
    return ALC_OK;
}

static int hardware_create(struct alc_sgx_context *context, const struct alc_sgx_secs *secs)
{
    struct sgx_enclave_create request = {.src = to_word(secs)};
    context->base = secs->base;
    return call_driver(context, SGX_IOC_ENCLAVE_CREATE, &request);
}

static int hardware_add_pages(struct alc_sgx_context *context,
                              const struct alc_sgx_add_pages *pages)
{
    struct sgx_enclave_add_pages request = {
        .src = to_word(pages->src),
        .offset = pages->offset,
        .length = pages->length,
        .secinfo = to_word(pages->secinfo),
        .flags = pages->measure ? SGX_PAGE_MEASURE : 0,
    };
    /* A signal ends the request early; `count` says how far it came. */
    while (request.length != 0) {
        request.count = 0;
        int result = call_driver(context, SGX_IOC_ENCLAVE_ADD_PAGES, &request);
        if (result != 0 && result != -EINTR && result != -EAGAIN) {
            return result;
        }
        if (request.count > request.length || (result == 0 && request.count == 0)) {
            return -EIO; /* not what the interface promises; do not go round for ever */
        }
        request.src += request.count;
        request.offset += request.count;
        request.length -= request.count;
    }
    return 0;
}

static int hardware_init(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
                         uint32_t *einit_error)
{
    struct sgx_enclave_init request = {.sigstruct = to_word(sigstruct)};
    *einit_error = 0; /* the kernel keeps the leaf's error to itself */
    return call_driver(context, SGX_IOC_ENCLAVE_INIT, &request);
}

static int hardware_map(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                        int protection)
{
    void *wanted = (void *)(uintptr_t)(context->base + offset);
    void *got = mmap(wanted, length, protection, MAP_SHARED | MAP_FIXED, context->fd, 0);
    return got == wanted ? 0 : -errno;
}

/* The three requests on dynamic pages end early like ADD_PAGES; `count` is what they did. */
static bool is_interrupted(int result)
{
    return result == -EINTR || result == -EAGAIN;
}

static int hardware_restrict_permissions(struct alc_sgx_context *context, uint64_t offset,
                                         uint64_t length, uint64_t permissions, uint64_t *result)
{
    struct sgx_enclave_restrict_permissions request = {
        .offset = offset, .length = length, .permissions = permissions};
    int status = -EAGAIN;
    while (request.length != 0 && is_interrupted(status)) {
        request.count = 0;
        status = call_driver(context, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, &request);
        request.offset += request.count;
        request.length -= request.count;
    }
    *result = request.result;
    return status;
}

static int hardware_modify_types(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                                 enum alc_sgx_page_type type, uint64_t *result)
{
    struct sgx_enclave_modify_types request = {
        .offset = offset, .length = length, .page_type = (uint64_t)type};
    int status = -EAGAIN;
    while (request.length != 0 && is_interrupted(status)) {
        request.count = 0;
        status = call_driver(context, SGX_IOC_ENCLAVE_MODIFY_TYPES, &request);
        request.offset += request.count;
        request.length -= request.count;
    }
    *result = request.result;
    return status;
}

static int hardware_remove_pages(struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    struct sgx_enclave_remove_pages request = {.offset = offset, .length = length};
    int status = -EAGAIN;
    while (request.length != 0 && is_interrupted(status)) {
        request.count = 0;
        status = call_driver(context, SGX_IOC_ENCLAVE_REMOVE_PAGES, &request);
        request.offset += request.count;
        request.length -= request.count;
    }
    return status;
}

static int hardware_enter(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi, uint64_t rdx,
                          uint32_t leaf, uint64_t r8, uint64_t r9, struct alc_sgx_run *run)
{
    return alc_vdso_enter(rdi, rsi, rdx, leaf, r8, r9, run, context->enter_function);
}

static void hardware_close(struct alc_sgx_context *context)
{
    close(context->fd); /* the mappings hold the rest until the loader unmaps them */
    free(context);
}

const struct alc_sgx_backend alc_sgx_hardware = {
    .name = "sgx",
    .open = hardware_open,
    .create = hardware_create,
    .add_pages = hardware_add_pages,
    .init = hardware_init,
    .map = hardware_map,
    .restrict_permissions = hardware_restrict_permissions,
    .modify_types = hardware_modify_types,
    .remove_pages = hardware_remove_pages,
    .enter = hardware_enter,
    .close = hardware_close,
};
