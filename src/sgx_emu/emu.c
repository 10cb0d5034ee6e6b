/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend table of the emulator, and the kernel's calls for dynamic pages. Distrusts its
 * callers as the kernel does: offsets and lengths are checked before anything changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_emu/emu_internal.h"

enum { PAGE_SIZE = ALC_SGX_PAGE_SIZE };

static const struct alc_sgx_emu_options default_options = {.hiding = ALC_SGX_EMU_HIDE_AUTO};

/* ENCLU by another instruction, for options->trap_by_gp. */
static void replace_enclu(struct alc_sgx_context *context, uint64_t page)
{
    uint8_t *bytes = context->memory + page * PAGE_SIZE;
    for (size_t i = 0; i + 3 <= PAGE_SIZE; i++) {
        if (bytes[i] == 0x0F && bytes[i + 1] == 0x01 && bytes[i + 2] == 0xD7) {
            bytes[i + 2] = 0xD1;
        }
    }
}

static alc_status open_context(const struct alc_sgx_backend *backend, struct alc_sgx_context **out,
                               uint32_t *capabilities, struct alc_error *error)
{
    const struct alc_sgx_emu_options *options = backend->options;
    ALC_TRY(emu_prepare_process(options, error));
    struct alc_sgx_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    context->options = options;
    context->memory_fd = -1;
    context->protection_key = -1;
    context->opened_cycles = __rdtsc();
    if (emu_has_protection_keys() && options->hiding != ALC_SGX_EMU_HIDE_NEVER) {
        context->protection_key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
    }
    *out = context;
    *capabilities = ALC_SGX_CAN_EDMM | ALC_SGX_CAN_EXINFO;
    *capabilities |= options->without_kss ? 0 : ALC_SGX_CAN_KSS;
    return ALC_OK;
}

static int create(struct alc_sgx_context *context, const struct alc_sgx_secs *secs)
{
    return emu_create(context, secs);
}

static int initialise(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
                      uint32_t *einit_error)
{
    int result = emu_init(context, sigstruct, einit_error);
    for (uint64_t page = 0; result == 0 && context->options->trap_by_gp && page < 4096; page++) {
        if (page < context->pages_count && (context->epcm[page] & ALC_SGX_PAGE_EXECUTE) != 0) {
            replace_enclu(context, page);
        }
    }
    return result;
}

static bool is_range_legal(const struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    return context->is_created && length != 0 && offset % PAGE_SIZE == 0 &&
           length % PAGE_SIZE == 0 && alc_range_fits(offset, length, context->secs.size);
}

static int permissions_of(int protection)
{
    return ((protection & PROT_READ) ? ALC_SGX_PAGE_READ : 0) |
           ((protection & PROT_WRITE) ? ALC_SGX_PAGE_WRITE : 0) |
           ((protection & PROT_EXEC) ? ALC_SGX_PAGE_EXECUTE : 0);
}

/* The kernel refuses more than the pages were added with; pages not there may get anything. */
static int map(struct alc_sgx_context *context, uint64_t offset, uint64_t length, int protection)
{
    if (!is_range_legal(context, offset, length)) {
        return -EINVAL;
    }
    uint64_t first = offset / PAGE_SIZE;
    uint64_t end = first + length / PAGE_SIZE;
    emu_lock(context);
    int result = 0;
    for (uint64_t page = first; page < end && page < context->used_end; page++) {
        uint16_t entry = context->epcm[page];
        int limit = (entry & EPCM_LIMIT) >> EPCM_LIMIT_SHIFT;
        if (entry != 0 && (permissions_of(protection) & ~limit) != 0) {
            result = -EACCES;
        }
    }
    if (result == 0) {
        result = emu_map(context, first, end, protection);
    }
    emu_unlock(context);
    return result;
}

/* -- dynamic pages -- */

static bool is_settled(uint16_t entry)
{
    return (entry & EPCM_VALID) != 0 && (entry & (EPCM_PENDING | EPCM_MODIFIED)) == 0 &&
           (entry & EPCM_BUSY) == 0;
}

static int restrict_permissions(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                                uint64_t permissions, uint64_t *result)
{
    *result = 0;
    if (!is_range_legal(context, offset, length) || !context->is_initialised ||
        (permissions & ~ALC_SGX_PAGE_PERMISSIONS) != 0 || (permissions & ALC_SGX_PAGE_READ) == 0) {
        return -EINVAL;
    }
    int status = 0;
    emu_lock(context);
    for (uint64_t done = 0; status == 0 && done < length; done += PAGE_SIZE) {
        uint16_t *entry = &context->epcm[(offset + done) / PAGE_SIZE];
        if (!is_settled(*entry) || epcm_type(*entry) != ALC_SGX_PAGE_REGULAR) {
            *result = ALC_SGX_PAGE_NOT_MODIFIABLE;
            status = -EFAULT;
            break;
        }
        uint16_t kept = (uint16_t)(*entry & permissions);
        *entry = (uint16_t)((*entry & ~EPCM_PERMISSIONS) | kept | EPCM_RESTRICTED);
    }
    emu_flush(context);
    emu_unlock(context);
    return status;
}

static int modify_types(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                        enum alc_sgx_page_type type, uint64_t *result)
{
    *result = 0;
    if (!is_range_legal(context, offset, length) || !context->is_initialised ||
        (type != ALC_SGX_PAGE_TCS && type != ALC_SGX_PAGE_TRIMMED)) {
        return -EINVAL;
    }
    int status = 0;
    emu_lock(context);
    for (uint64_t done = 0; status == 0 && done < length; done += PAGE_SIZE) {
        uint16_t *entry = &context->epcm[(offset + done) / PAGE_SIZE];
        bool is_regular = epcm_type(*entry) == ALC_SGX_PAGE_REGULAR;
        bool is_tcs_trim = epcm_type(*entry) == ALC_SGX_PAGE_TCS && type == ALC_SGX_PAGE_TRIMMED;
        if (!is_settled(*entry) || (!is_regular && !is_tcs_trim)) {
            *result = ALC_SGX_PAGE_NOT_MODIFIABLE;
            status = -EFAULT;
            break;
        }
        *entry = epcm_entry(type, EPCM_MODIFIED) | (*entry & EPCM_LIMIT);
    }
    emu_flush(context);
    emu_unlock(context);
    return status;
}

static int remove_pages(struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    if (!is_range_legal(context, offset, length) || !context->is_initialised) {
        return -EINVAL;
    }
    int status = 0;
    emu_lock(context);
    for (uint64_t done = 0; status == 0 && done < length; done += PAGE_SIZE) {
        uint16_t *entry = &context->epcm[(offset + done) / PAGE_SIZE];
        if ((*entry & ~EPCM_LIMIT) !=
            epcm_entry(ALC_SGX_PAGE_TRIMMED, 0)) { /* trimmed, and accepted as that */
            status = -EPERM;
            break;
        }
        *entry = 0;
        context->statistics.pages--;
        int punched = fallocate(context->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                (off_t)(offset + done), PAGE_SIZE);
        ALC_ASSERT(punched == 0); /* the next EAUG gives zeros */
    }
    emu_flush(context);
    emu_unlock(context);
    return status;
}

int alc_sgx_emu_add_ahead(struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    if (!is_range_legal(context, offset, length) || !context->is_initialised) {
        return -EINVAL;
    }
    emu_lock(context);
    for (uint64_t done = 0; done < length; done += PAGE_SIZE) {
        (void)emu_augment(context, (offset + done) / PAGE_SIZE);
    }
    emu_unlock(context);
    return 0;
}

static void close_context(struct alc_sgx_context *context)
{
    if (context == NULL) {
        return;
    }
    uint64_t size = context->secs.size;
    if (context->view != NULL) { /* the loader's reservation stays */
        mmap(context->view, size, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    }
    if (context->memory != NULL) {
        munmap(context->memory, size);
    }
    if (context->epcm != NULL) {
        munmap(context->epcm, size / PAGE_SIZE * sizeof context->epcm[0]);
    }
    if (context->memory_fd >= 0) {
        close(context->memory_fd);
    }
    if (context->protection_key >= 0) {
        pkey_free(context->protection_key);
    }
    free(context);
}

/* -- the door -- */

#define EMULATED_BACKEND(emulator_options)                                                         \
    {                                                                                              \
        .name = "emulated",                                                                        \
        .options = (emulator_options),                                                             \
        .open = open_context,                                                                      \
        .create = create,                                                                          \
        .add_pages = emu_add_pages,                                                                \
        .init = initialise,                                                                        \
        .map = map,                                                                                \
        .restrict_permissions = restrict_permissions,                                              \
        .modify_types = modify_types,                                                              \
        .remove_pages = remove_pages,                                                              \
        .enter = emu_enter,                                                                        \
        .close = close_context,                                                                    \
    }

const struct alc_sgx_backend *alc_sgx_emu_backend(void)
{
    static const struct alc_sgx_backend backend = EMULATED_BACKEND(&default_options);
    return &backend;
}

struct alc_sgx_backend alc_sgx_emu_backend_with(const struct alc_sgx_emu_options *options)
{
    return (struct alc_sgx_backend)EMULATED_BACKEND(options);
}

void alc_sgx_emu_get_statistics(const struct alc_sgx_context *context,
                                struct alc_sgx_emu_statistics *out)
{
    *out = context->statistics;
}

uint8_t *alc_sgx_emu_memory(struct alc_sgx_context *context)
{
    return context->memory;
}
