/* SPDX-License-Identifier: Apache-2.0
 *
 * Building an enclave: what ECREATE, EADD, EEXTEND and EINIT check and measure, behind the kernel's
 * calls. Refuses what a processor refuses; the caller is as little trusted as the host is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx/sign.h"
#include "sgx_emu/emu_internal.h"

enum { PAGE_SIZE = ALC_SGX_PAGE_SIZE, CHUNK_SIZE = ALC_SGX_CHUNK_SIZE };

static bool is_zero(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= byte[i];
    }
    return any == 0;
}

/* -- measurement: 64-byte blocks, SDM 37.1 -- */

static void measure_block(struct alc_sgx_context *context, const char *name, uint64_t offset,
                          const void *fields, size_t fields_size)
{
    uint8_t block[64] = {0};
    alc_copy(block, name, alc_string_length(name));
    alc_store_u64(block + 8, offset);
    alc_copy(block + 16, fields, fields_size);
    alc_sha256_update(&context->measurement, block, sizeof block);
}

static void measure_create(struct alc_sgx_context *context)
{
    uint8_t block[64] = {0};
    alc_copy(block, "ECREATE", 7);
    alc_store_u32(block + 8, context->secs.ssa_frame_size);
    alc_store_u64(block + 12, context->secs.size);
    alc_sha256_init(&context->measurement);
    alc_sha256_update(&context->measurement, block, sizeof block);
}

/* -- ECREATE -- */

static bool is_attributes_legal(const struct alc_sgx_secs *secs)
{
    uint64_t flags = secs->attributes.flags;
    uint64_t xfrm = secs->attributes.xfrm;
    const uint64_t avx512 = ALC_SGX_XFRM_AVX512;
    return (flags & ~(ALC_SGX_ATTRIBUTES_KNOWN & ~ALC_SGX_ATTRIBUTE_INIT)) == 0 &&
           (flags & ALC_SGX_ATTRIBUTE_MODE64) != 0 &&
           (flags & (ALC_SGX_ATTRIBUTE_CET | ALC_SGX_ATTRIBUTE_AEXNOTIFY)) == 0 &&
           (xfrm & ALC_SGX_XFRM_LEGACY) == ALC_SGX_XFRM_LEGACY &&
           (xfrm & ~(ALC_SGX_XFRM_LEGACY | ALC_SGX_XFRM_AVX | avx512)) == 0 &&
           (xfrm & ~emu_xstate_features()) == 0 &&
           ((xfrm & avx512) == 0 ||
            (xfrm & (avx512 | ALC_SGX_XFRM_AVX)) == (avx512 | ALC_SGX_XFRM_AVX));
}

static bool is_secs_legal(const struct alc_sgx_secs *secs)
{
    uint64_t frame_min = emu_xstate_size(secs->attributes.xfrm) + ALC_SGX_SSA_EXINFO_FROM_END;
    return secs->size >= 2 * (uint64_t)PAGE_SIZE && (secs->size & (secs->size - 1)) == 0 &&
           secs->base % secs->size == 0 && (secs->miscselect & ~ALC_SGX_MISC_EXINFO) == 0 &&
           is_attributes_legal(secs) && secs->ssa_frame_size != 0 && secs->ssa_frame_size <= 64 &&
           (uint64_t)secs->ssa_frame_size * PAGE_SIZE >= frame_min &&
           is_zero(secs->reserved_24, sizeof secs->reserved_24) &&
           is_zero(secs->reserved_96, sizeof secs->reserved_96) &&
           is_zero(secs->reserved_160, sizeof secs->reserved_160) &&
           is_zero(secs->reserved_262, sizeof secs->reserved_262) &&
           ((secs->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0 ||
            (secs->config_svn == 0 && is_zero(secs->config_id, sizeof secs->config_id)));
}

/* Backing memory twice: the range as the enclave sees it, and the emulator's view. */
static int create_memory(struct alc_sgx_context *context)
{
    uint64_t size = context->secs.size;
    int fd = memfd_create("alcove-enclave", MFD_CLOEXEC);
    /* Never one of the standard numbers, which may be free: a message must not land in the enclave.
     */
    context->memory_fd = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd >= 0) {
        int error = errno;
        close(fd);
        errno = error;
    }
    if (context->memory_fd < 0 || ftruncate(context->memory_fd, (off_t)size) != 0) {
        return -errno;
    }
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, context->memory_fd, 0);
    if (memory == MAP_FAILED) {
        return -ENOMEM;
    }
    context->memory = memory;
    void *epcm = mmap(NULL, size / PAGE_SIZE * sizeof context->epcm[0], PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (epcm == MAP_FAILED) {
        return -ENOMEM;
    }
    context->epcm = epcm;
    void *view = mmap((void *)(uintptr_t)context->secs.base, size, PROT_NONE,
                      MAP_SHARED | MAP_FIXED | MAP_NORESERVE, context->memory_fd, 0);
    if (view == MAP_FAILED) {
        return -ENOMEM;
    }
    context->view = view;
    /* A child of fork has no enclave, as on hardware. */
    return madvise(view, size, MADV_DONTFORK) == 0 && madvise(memory, size, MADV_DONTFORK) == 0
               ? 0
               : -errno;
}

int emu_create(struct alc_sgx_context *context, const struct alc_sgx_secs *secs)
{
    const bool has_kss = (secs->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0;
    if (context->is_created || !is_secs_legal(secs) || (has_kss && context->options->without_kss)) {
        return -EINVAL;
    }
    context->secs = *secs;
    context->pages_count = secs->size / PAGE_SIZE;
    int result = create_memory(context);
    if (result != 0) {
        return result;
    }
    /* Hidden from the start: pkey_mprotect also marks pages that nobody showed yet. */
    measure_create(context);
    context->is_created = true;
    return 0;
}

/* -- EADD, EEXTEND -- */

static bool is_tcs_legal(const struct alc_sgx_context *context, const struct alc_sgx_tcs *tcs)
{
    uint64_t size = context->secs.size;
    return (tcs->flags & ~ALC_SGX_TCS_DBGOPTIN) == 0 && tcs->current_ssa == 0 &&
           tcs->ssa_offset % PAGE_SIZE == 0 && tcs->ssa_offset < size &&
           tcs->fs_offset % PAGE_SIZE == 0 && tcs->fs_offset < size &&
           tcs->gs_offset % PAGE_SIZE == 0 && tcs->gs_offset < size && tcs->entry_offset < size &&
           (tcs->fs_limit & ALC_SGX_TCS_LIMIT) == ALC_SGX_TCS_LIMIT &&
           (tcs->gs_limit & ALC_SGX_TCS_LIMIT) == ALC_SGX_TCS_LIMIT &&
           is_zero(tcs->reserved_88, sizeof tcs->reserved_88);
}

static bool is_secinfo_legal(const struct alc_sgx_secinfo *secinfo)
{
    uint64_t permissions = secinfo->flags & ALC_SGX_PAGE_PERMISSIONS;
    uint64_t rest = secinfo->flags & ~ALC_SGX_PAGE_PERMISSIONS;
    bool is_regular = rest == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR);
    bool is_tcs = rest == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS) && permissions == 0;
    bool writes_without_reading =
        (permissions & ALC_SGX_PAGE_WRITE) != 0 && (permissions & ALC_SGX_PAGE_READ) == 0;
    return (is_regular || is_tcs) && !writes_without_reading &&
           is_zero(secinfo->reserved, sizeof secinfo->reserved);
}

static int add_page(struct alc_sgx_context *context, uint64_t offset, const uint8_t *src,
                    const struct alc_sgx_secinfo *secinfo, bool measure)
{
    uint64_t page = offset / PAGE_SIZE;
    uint8_t *to = context->memory + offset;
    bool is_tcs = secinfo->flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS);
    if (context->epcm[page] != 0) {
        return -EBUSY;
    }
    alc_copy(to, src, PAGE_SIZE);
    if (is_tcs) {
        struct alc_sgx_tcs *tcs = (struct alc_sgx_tcs *)(void *)to;
        if (!is_tcs_legal(context, tcs)) {
            alc_fill(to, 0, PAGE_SIZE);
            return -EIO;
        }
        tcs->flags &= ~ALC_SGX_TCS_DBGOPTIN;
    }
    uint64_t permissions = secinfo->flags & ALC_SGX_PAGE_PERMISSIONS;
    context->epcm[page] =
        is_tcs
            ? epcm_entry(ALC_SGX_PAGE_TCS, 0) | epcm_limit(ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE)
            : epcm_entry(ALC_SGX_PAGE_REGULAR, permissions) | epcm_limit(permissions);
    context->statistics.pages++;
    context->used_end = page >= context->used_end ? page + 1 : context->used_end;
    measure_block(context, "EADD", offset, secinfo, 48);
    for (uint64_t chunk = 0; measure && chunk < PAGE_SIZE; chunk += CHUNK_SIZE) {
        measure_block(context, "EEXTEND", offset + chunk, "", 0);
        alc_sha256_update(&context->measurement, to + chunk, CHUNK_SIZE);
    }
    return 0;
}

int emu_add_pages(struct alc_sgx_context *context, const struct alc_sgx_add_pages *pages)
{
    if (!context->is_created || context->is_initialised || !is_secinfo_legal(pages->secinfo) ||
        pages->length == 0 || pages->offset % PAGE_SIZE != 0 || pages->length % PAGE_SIZE != 0 ||
        (uintptr_t)pages->src % PAGE_SIZE != 0 ||
        !alc_range_fits(pages->offset, pages->length, context->secs.size)) {
        return -EINVAL;
    }
    int result = 0;
    for (uint64_t done = 0; result == 0 && done < pages->length; done += PAGE_SIZE) {
        result = add_page(context, pages->offset + done, (const uint8_t *)pages->src + done,
                          pages->secinfo, pages->measure);
    }
    return result;
}

/* -- EINIT -- */

static bool is_attributes_signed(const struct alc_sgx_secs *secs,
                                 const struct alc_sgx_sigstruct *sigstruct)
{
    const uint64_t launch_only = ALC_SGX_ATTRIBUTE_EINITTOKEN;
    struct alc_sgx_attributes mask = sigstruct->attributes_mask;
    struct alc_sgx_attributes wanted = sigstruct->attributes;
    return (secs->attributes.flags & mask.flags) == (wanted.flags & mask.flags) &&
           (secs->attributes.xfrm & mask.xfrm) == (wanted.xfrm & mask.xfrm) &&
           (secs->miscselect & sigstruct->miscmask) ==
               (sigstruct->miscselect & sigstruct->miscmask) &&
           (secs->attributes.flags & launch_only) == 0;
}

static enum alc_sgx_error judge(const struct alc_sgx_context *context,
                                const struct alc_sgx_sigstruct *sigstruct)
{
    const char *detail;
    enum alc_sgx_error error = alc_sigstruct_judge(sigstruct, &detail);
    if (error != ALC_SGX_SUCCESS) {
        return error;
    }
    struct alc_sha256 measurement = context->measurement;
    uint8_t digest[ALC_SGX_HASH_SIZE];
    alc_sha256_finish(&measurement, digest);
    if (!alc_equal(digest, sigstruct->enclave_hash, sizeof digest)) {
        return ALC_SGX_INVALID_MEASUREMENT;
    }
    return is_attributes_signed(&context->secs, sigstruct) ? ALC_SGX_SUCCESS
                                                           : ALC_SGX_INVALID_ATTRIBUTE;
}

int emu_init(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
             uint32_t *einit_error)
{
    *einit_error = 0;
    if (!context->is_created || context->is_initialised) {
        return -EINVAL;
    }
    if (sigstruct->vendor != 0 && sigstruct->vendor != ALC_SGX_VENDOR_INTEL) {
        return -EINVAL;
    }
    enum alc_sgx_error error = judge(context, sigstruct);
    if (error != ALC_SGX_SUCCESS) {
        *einit_error = error;
        return -EPERM;
    }
    if ((context->secs.attributes.flags & ALC_SGX_ATTRIBUTE_PROVISION) != 0) {
        return -EACCES; /* the kernel wants /dev/sgx_provision for this */
    }
    alc_sha256_finish(&context->measurement, context->secs.mrenclave);
    alc_mrsigner(sigstruct, context->secs.mrsigner);
    context->secs.isv_product_id = sigstruct->isv_product_id;
    context->secs.isv_svn = sigstruct->isv_svn;
    context->secs.attributes.flags |= ALC_SGX_ATTRIBUTE_INIT;
    alc_copy(context->isv_extended_product_id, sigstruct->isv_extended_product_id, 16);
    alc_copy(context->isv_family_id, sigstruct->isv_family_id, 16);
    context->is_initialised = true;
    return 0;
}
