/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads an image through a backend and drives its threads. Whatever goes wrong in here can stop an
 * enclave, never open it: the processor compares what was loaded with the signature. Distrusts the
 * image and the registers that the enclave leaves.
 */
#include "sgx/loader.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "sgx/image.h"

enum { STAGING_SIZE = 64 * ALC_SGX_PAGE_SIZE };

struct thread {
    uint64_t tcs_offset;
    atomic_bool is_busy;
};

struct alc_sgx_enclave {
    const struct alc_sgx_backend *backend;
    struct alc_sgx_context *context;
    uint32_t capabilities;
    uint32_t threads_count;
    struct thread *threads;
    uint8_t *base; /* start of the reservation of `size` bytes */
    uint64_t size;
    atomic_bool is_lost;
    atomic_uint_fast64_t exceptions_count;
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
};

/* Pages gathered for one call of the backend: neighbours of one kind. */
struct batch {
    struct alc_sgx_enclave *enclave;
    uint8_t *staging;
    uint64_t offset;
    uint64_t length;
    uint64_t secinfo_flags;
    bool measure;
    struct alc_error *error;
};

static alc_status fail_errno(struct alc_error *error, int result, const char *detail)
{
    switch (-result) {
    case ENOMEM:
        return alc_fail_with(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET, detail);
    case EACCES:
    case ENODEV:
    case ENOTTY:
    case EOPNOTSUPP:
        return alc_fail_with(error, ALC_E_NOT_SUPPORTED, ALC_NO_OFFSET, detail);
    case EPERM:
        return alc_fail_with(error, ALC_E_LAUNCH_REFUSED, ALC_NO_OFFSET, detail);
    default:
        return alc_fail_with(error, ALC_E_IO_FAILED, ALC_NO_OFFSET, detail);
    }
}

/* -- building -- */

/* Address space of `size` bytes, aligned to `size` as ECREATE wants it. */
static alc_status reserve(struct alc_sgx_enclave *enclave, uint64_t size, struct alc_error *error)
{
    uint8_t *start =
        mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return alc_fail_with(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET,
                             "no address space for the enclave");
    }
    uint64_t lead = (size - (uint64_t)(uintptr_t)start % size) % size;
    enclave->base = start + lead;
    enclave->size = size;
    if (lead != 0) {
        munmap(start, lead);
    }
    munmap(enclave->base + size, size - lead);
    return ALC_OK;
}

/* Says in SECS what the enclave is configured for, if it can be said. */
static void configure(const struct alc_sgx_enclave *enclave,
                      const struct alc_sgx_sigstruct *sigstruct, const uint8_t *config_id,
                      struct alc_sgx_secs *secs)
{
    const bool is_free = (sigstruct->attributes_mask.flags & ALC_SGX_ATTRIBUTE_KSS) == 0;
    const bool is_signed = (sigstruct->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0;
    if (config_id != NULL && (is_free || is_signed) &&
        (enclave->capabilities & ALC_SGX_CAN_KSS) != 0) {
        secs->attributes.flags |= ALC_SGX_ATTRIBUTE_KSS;
        alc_copy(secs->config_id, config_id, sizeof secs->config_id);
    }
}

static alc_status create(struct alc_sgx_enclave *enclave, const struct alc_image *image,
                         const struct alc_sgx_sigstruct *sigstruct, const uint8_t *config_id,
                         struct alc_error *error)
{
    struct alc_sgx_secs secs = {
        .size = enclave->size,
        .base = (uint64_t)(uintptr_t)enclave->base,
        .ssa_frame_size = image->ssa_frame_pages,
        .miscselect = sigstruct->miscselect,
        .attributes = {.flags = sigstruct->attributes.flags & ~ALC_SGX_ATTRIBUTE_INIT,
                       .xfrm = sigstruct->attributes.xfrm},
    };
    configure(enclave, sigstruct, config_id, &secs);
    int result = enclave->backend->create(enclave->context, &secs);
    /* Size and place are right, so it is what the signature asks for. */
    if (result == -EINVAL || result == -EIO) {
        return fail_errno(error, -EPERM, "ECREATE: attributes of the signature are not possible");
    }
    return result == 0 ? ALC_OK : fail_errno(error, result, "cannot create the enclave");
}

static alc_status flush(struct batch *batch)
{
    if (batch->length == 0) {
        return ALC_OK;
    }
    const struct alc_sgx_secinfo secinfo = {.flags = batch->secinfo_flags};
    const struct alc_sgx_add_pages pages = {
        .src = batch->staging,
        .offset = batch->offset,
        .length = batch->length,
        .secinfo = &secinfo,
        .measure = batch->measure,
    };
    const struct alc_sgx_enclave *enclave = batch->enclave;
    int result = enclave->backend->add_pages(enclave->context, &pages);
    batch->length = 0;
    return result == 0 ? ALC_OK : fail_errno(batch->error, result, "cannot add pages");
}

static alc_status add_page(struct batch *batch, const struct alc_image_page *page)
{
    bool measure = page->chunks != NULL;
    bool fits = batch->length != 0 && batch->length < STAGING_SIZE &&
                page->offset == batch->offset + batch->length &&
                page->secinfo_flags == batch->secinfo_flags && measure == batch->measure;
    if (!fits) {
        ALC_TRY(flush(batch));
        batch->offset = page->offset;
        batch->secinfo_flags = page->secinfo_flags;
        batch->measure = measure;
    }
    alc_image_copy_page(page, batch->staging + batch->length);
    batch->length += ALC_SGX_PAGE_SIZE;
    return ALC_OK;
}

static alc_status add_pages(struct alc_sgx_enclave *enclave, const struct alc_image *image,
                            struct alc_error *error)
{
    struct batch batch = {.enclave = enclave, .error = error};
    struct alc_image_page page;
    size_t position = 0;
    uint32_t tcs_count = 0;
    alc_status status = ALC_OK;
    batch.staging =
        mmap(NULL, STAGING_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (batch.staging == MAP_FAILED) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    while (status == ALC_OK && alc_image_next_page(image, &position, &page)) {
        if (page.secinfo_flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS)) {
            enclave->threads[tcs_count++].tcs_offset = page.offset;
        }
        status = add_page(&batch, &page);
    }
    if (status == ALC_OK) {
        status = flush(&batch);
    }
    munmap(batch.staging, STAGING_SIZE);
    return status;
}

static alc_status initialise(struct alc_sgx_enclave *enclave,
                             const struct alc_sgx_sigstruct *sigstruct, struct alc_error *error)
{
    uint32_t einit_error = 0;
    int result = enclave->backend->init(enclave->context, sigstruct, &einit_error);
    switch (einit_error) {
    case ALC_SGX_SUCCESS:
        break;
    case ALC_SGX_INVALID_SIG_STRUCT:
        return fail_errno(error, -EPERM, "EINIT 1: malformed SIGSTRUCT");
    case ALC_SGX_INVALID_ATTRIBUTE:
        return fail_errno(error, -EPERM, "EINIT 2: attributes not allowed");
    case ALC_SGX_INVALID_MEASUREMENT:
        return fail_errno(error, -EPERM, "EINIT 4: the image is not the one that was signed");
    case ALC_SGX_INVALID_SIGNATURE:
        return fail_errno(error, -EPERM, "EINIT 8: wrong signature");
    case ALC_SGX_INVALID_EINITTOKEN:
        return fail_errno(error, -EPERM, "EINIT 16: launch token");
    default:
        return fail_errno(error, -EPERM, "EINIT failed");
    }
    return result == 0 ? ALC_OK : fail_errno(error, result, "EINIT refused the enclave");
}

static int protection_of(uint64_t secinfo_flags)
{
    if (secinfo_flags == ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_TCS)) {
        return PROT_READ | PROT_WRITE;
    }
    return ((secinfo_flags & ALC_SGX_PAGE_READ) ? PROT_READ : 0) |
           ((secinfo_flags & ALC_SGX_PAGE_WRITE) ? PROT_WRITE : 0) |
           ((secinfo_flags & ALC_SGX_PAGE_EXECUTE) ? PROT_EXEC : 0);
}

static alc_status map_range(struct alc_sgx_enclave *enclave, uint64_t offset, uint64_t length,
                            int protection, struct alc_error *error)
{
    if (length == 0) {
        return ALC_OK;
    }
    int result = enclave->backend->map(enclave->context, offset, length, protection);
    return result == 0 ? ALC_OK : fail_errno(error, result, "cannot map the enclave");
}

/* Maps the pages as they were added, neighbours of one kind together, and the free part for EAUG.
 */
static alc_status map_pages(struct alc_sgx_enclave *enclave, const struct alc_image *image,
                            struct alc_error *error)
{
    struct alc_image_page page;
    size_t position = 0;
    uint64_t start = 0;
    uint64_t end = 0;
    int protection = 0;
    while (alc_image_next_page(image, &position, &page)) {
        int wanted = protection_of(page.secinfo_flags);
        if (page.offset != end || wanted != protection) {
            ALC_TRY(map_range(enclave, start, end - start, protection, error));
            start = page.offset;
            protection = wanted;
        }
        end = page.offset + ALC_SGX_PAGE_SIZE;
    }
    ALC_TRY(map_range(enclave, start, end - start, protection, error));
    if ((enclave->capabilities & ALC_SGX_CAN_EDMM) == 0) {
        return ALC_OK;
    }
    return map_range(enclave, image->dynamic_offset, enclave->size - image->dynamic_offset,
                     PROT_READ | PROT_WRITE, error);
}

static alc_status build(struct alc_sgx_enclave *enclave, const struct alc_image *image,
                        const struct alc_sgx_sigstruct *sigstruct, const uint8_t *config_id,
                        struct alc_error *error)
{
    ALC_TRY(
        enclave->backend->open(enclave->backend, &enclave->context, &enclave->capabilities, error));
    ALC_TRY(reserve(enclave, image->enclave_size, error));
    ALC_TRY(create(enclave, image, sigstruct, config_id, error));
    ALC_TRY(add_pages(enclave, image, error));
    ALC_TRY(initialise(enclave, sigstruct, error));
    return map_pages(enclave, image, error);
}

alc_status alc_sgx_load(const struct alc_sgx_backend *backend, const void *image_bytes,
                        size_t image_size, const struct alc_sgx_sigstruct *sigstruct,
                        const uint8_t *config_id, struct alc_sgx_enclave **out,
                        struct alc_error *error)
{
    struct alc_image image;
    ALC_TRY(alc_image_parse(image_bytes, image_size, &image, error));
    struct alc_sgx_enclave *enclave = calloc(1, sizeof *enclave);
    struct thread *threads = calloc(image.tcs_count, sizeof *threads);
    if (enclave == NULL || threads == NULL) {
        free(threads);
        free(enclave);
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    enclave->backend = backend;
    enclave->threads = threads;
    enclave->threads_count = image.tcs_count;
    /* EINIT compares it with what it measured, so there is no need to hash here, too. */
    alc_copy(enclave->mrenclave, sigstruct->enclave_hash, sizeof enclave->mrenclave);
    alc_status status = build(enclave, &image, sigstruct, config_id, error);
    if (status != ALC_OK) {
        alc_sgx_close(enclave);
        return status;
    }
    *out = enclave;
    return ALC_OK;
}

void alc_sgx_close(struct alc_sgx_enclave *enclave)
{
    if (enclave == NULL) {
        return;
    }
    if (enclave->context != NULL) {
        enclave->backend->close(enclave->context);
    }
    if (enclave->base != NULL) {
        munmap(enclave->base, enclave->size);
    }
    free(enclave->threads);
    free(enclave);
}

/* -- calling -- */

/* What the enclave said at its last exit. */
struct exit_record {
    uint64_t reason;
    uint64_t value;
};

/* One ecall in progress. */
struct ride {
    struct alc_sgx_enclave *enclave;
    const struct alc_sgx_call *call;
    struct alc_sgx_run run;
    struct exit_record record;
    bool in_handler; /* level 1: between an exception and ALC_EXIT_RESUME */
    struct alc_error *error;
};

/* Runs on the stack of `enter`; only notes. */
static int note_exit(long rdi, long rsi, long rdx, long rsp, long r8, long r9,
                     struct alc_sgx_run *run)
{
    (void)rdx;
    (void)rsp;
    (void)r8;
    (void)r9;
    struct exit_record *record = (struct exit_record *)(uintptr_t)run->user_data;
    record->reason = (uint64_t)rdi;
    record->value = (uint64_t)rsi;
    return 0;
}

static struct thread *take_thread(struct alc_sgx_enclave *enclave, int32_t index)
{
    for (uint32_t i = 0; i < enclave->threads_count; i++) {
        bool is_wanted = index == ALC_SGX_ANY_THREAD || (uint32_t)index == i;
        if (is_wanted && !atomic_exchange(&enclave->threads[i].is_busy, true)) {
            return &enclave->threads[i];
        }
    }
    return NULL;
}

static alc_status lose(struct ride *ride, const char *detail)
{
    atomic_store(&ride->enclave->is_lost, true);
    return alc_fail_with(ride->error, ALC_E_ENCLAVE_LOST, ALC_NO_OFFSET, detail);
}

static alc_status enter(struct ride *ride, uint32_t leaf, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
    struct alc_sgx_enclave *enclave = ride->enclave;
    int result = enclave->backend->enter(enclave->context, rdi, rsi, rdx, leaf, 0, 0, &ride->run);
    return result == 0 ? ALC_OK : lose(ride, "cannot be entered");
}

/* Level 0 wants service. Afterwards it goes on. */
static alc_status serve(struct ride *ride)
{
    const struct alc_sgx_call *call = ride->call;
    if (ride->in_handler || call->serve == NULL) {
        return lose(ride, "asked for service where there is none");
    }
    alc_status status = call->serve(call->context);
    if (status != ALC_OK) {
        atomic_store(&ride->enclave->is_lost, true); /* this thread never comes back */
        return alc_fail(ride->error, status, ALC_NO_OFFSET);
    }
    return enter(ride, ALC_SGX_EENTER, ALC_ENTRY_HOST_CALL_RETURN, 0, 0);
}

/* What an enclave asks of the kernel for its pages may be impossible, or fail: then the enclave
 * does not find it done, and that is its answer. */
static void change_pages(const struct alc_sgx_enclave *enclave, uint64_t request)
{
    const struct alc_sgx_backend *backend = enclave->backend;
    struct alc_sgx_context *context = enclave->context;
    const uint64_t offset = ALC_PAGES_REQUEST_FIRST(request) * ALC_SGX_PAGE_SIZE;
    const uint64_t length = ALC_PAGES_REQUEST_COUNT(request) * ALC_SGX_PAGE_SIZE;
    uint64_t leaf_result;
    if (length == 0 || !alc_range_fits(offset, length, enclave->size)) {
        return;
    }
    switch (ALC_PAGES_REQUEST_ACTION(request)) {
    case ALC_PAGES_CODE:
        if (backend->restrict_permissions(context, offset, length, ALC_SGX_PAGE_READ,
                                          &leaf_result) == 0) {
            (void)backend->map(context, offset, length, PROT_READ | PROT_EXEC);
        }
        break;
    case ALC_PAGES_TRIM:
        (void)backend->modify_types(context, offset, length, ALC_SGX_PAGE_TRIMMED, &leaf_result);
        break;
    case ALC_PAGES_REMOVE:
        if (backend->remove_pages(context, offset, length) == 0) {
            (void)backend->map(context, offset, length, PROT_READ | PROT_WRITE);
        }
        break;
    default:
        break;
    }
}

static alc_status serve_pages(struct ride *ride)
{
    if (ride->in_handler) {
        return lose(ride, "asked for pages in the exception handler");
    }
    change_pages(ride->enclave, ride->record.value);
    return enter(ride, ALC_SGX_EENTER, ALC_ENTRY_HOST_CALL_RETURN, 0, 0);
}

/* An exception ended the stay. Its handler is entered on the same TCS. If the exception was
 * EENTER's own, there is no level 0 behind it, and the enclave refuses HOST_CALL_RETURN. */
static alc_status handle_exception(struct ride *ride)
{
    if (ride->in_handler) {
        return lose(ride, "exception in the exception handler, or on entry");
    }
    ride->in_handler = true;
    atomic_fetch_add(&ride->enclave->exceptions_count, 1);
    return enter(ride, ALC_SGX_EENTER, ALC_ENTRY_HOST_CALL_RETURN, 0, 0);
}

static alc_status resume(struct ride *ride)
{
    if (!ride->in_handler) {
        return lose(ride, "asked to be resumed while nothing was interrupted");
    }
    ride->in_handler = false;
    return enter(ride, ALC_SGX_ERESUME, 0, 0, 0);
}

/* Goes back in until the ecall is over. */
static alc_status finish(struct ride *ride)
{
    for (;;) {
        if (ride->run.function != ALC_SGX_EEXIT) {
            ALC_TRY(handle_exception(ride));
            continue;
        }
        switch (ride->record.reason) {
        case ALC_EXIT_SERVE:
            ALC_TRY(serve(ride));
            break;
        case ALC_EXIT_PAGES:
            ALC_TRY(serve_pages(ride));
            break;
        case ALC_EXIT_RESUME:
            ALC_TRY(resume(ride));
            break;
        case ALC_EXIT_DONE:
            return ride->in_handler ? lose(ride, "ended in the exception handler") : ALC_OK;
        default:
            return lose(ride, "refused to go on");
        }
    }
}

alc_status alc_sgx_call(struct alc_sgx_enclave *enclave, const struct alc_sgx_call *call,
                        uint64_t *value, struct alc_error *error)
{
    if (atomic_load(&enclave->is_lost)) {
        return alc_fail_with(error, ALC_E_ENCLAVE_LOST, ALC_NO_OFFSET, "lost in an earlier call");
    }
    struct thread *thread = take_thread(enclave, call->thread);
    if (thread == NULL) {
        return alc_fail_with(error, ALC_E_NOT_FOUND, ALC_NO_OFFSET, "no free enclave thread");
    }
    struct ride ride = {.enclave = enclave, .call = call, .error = error};
    ride.run.tcs = (uint64_t)(uintptr_t)(enclave->base + thread->tcs_offset);
    ride.run.user_handler = (uint64_t)(uintptr_t)note_exit;
    ride.run.user_data = (uint64_t)(uintptr_t)&ride.record;
    alc_status status = enter(&ride, ALC_SGX_EENTER, call->ecall, (uint64_t)(uintptr_t)call->region,
                              call->region_size);
    if (status == ALC_OK) {
        status = finish(&ride);
    }
    if (status == ALC_OK) {
        *value = ride.record.value;
    }
    atomic_store(&thread->is_busy, false);
    return status;
}

uint32_t alc_sgx_threads_count(const struct alc_sgx_enclave *enclave)
{
    return enclave->threads_count;
}

uint32_t alc_sgx_capabilities(const struct alc_sgx_enclave *enclave)
{
    return enclave->capabilities;
}

const uint8_t *alc_sgx_measurement(const struct alc_sgx_enclave *enclave)
{
    return enclave->mrenclave;
}

struct alc_sgx_context *alc_sgx_context(struct alc_sgx_enclave *enclave)
{
    return enclave->context;
}

uint64_t alc_sgx_base(const struct alc_sgx_enclave *enclave)
{
    return (uint64_t)(uintptr_t)enclave->base;
}

uint64_t alc_sgx_exceptions_count(const struct alc_sgx_enclave *enclave)
{
    return atomic_load(&enclave->exceptions_count);
}
