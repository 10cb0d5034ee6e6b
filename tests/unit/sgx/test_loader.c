/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader over a backend that records what it is asked and plays enclaves, honest and hostile
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "sgx/image.h"
#include "sgx/image_internal.h"
#include "sgx/loader.h"

enum { ENCLAVE_SIZE = 1 << 20, STREAM_MAX = 1 << 17, SCRIPT_MAX = 8, MAPS_MAX = 8 };

/* What the played enclave does at one entry: an exit with reason and value, or an exception. */
struct play {
    uint32_t expected_leaf;
    uint64_t expected_rdi;
    bool is_exception;
    uint64_t reason;
    uint64_t value;
    int result; /* of enter */
};

struct alc_sgx_context {
    struct alc_sgx_secs secs;
    uint64_t added_size;
    uint64_t measured_size;
    uint32_t tcs_pages;
    uint32_t add_calls;
    struct {
        uint64_t offset;
        uint64_t length;
        int protection;
    } maps[MAPS_MAX];
    uint32_t maps_count;
    bool is_initialised;
    struct play script[SCRIPT_MAX];
    uint32_t position;
    uint64_t tcs;
};

static struct alc_sgx_context g_context;
static uint32_t g_capabilities;
static int g_create_result;
static int g_add_result;
static int g_init_result;
static uint32_t g_einit_error;
static int g_map_result;
static int g_open_contexts;

static alc_status fake_open(const struct alc_sgx_backend *backend, struct alc_sgx_context **out,
                            uint32_t *capabilities, struct alc_error *error)
{
    (void)backend;
    (void)error;
    memset(&g_context, 0, sizeof g_context);
    *capabilities = g_capabilities;
    *out = &g_context;
    g_open_contexts++;
    return ALC_OK;
}

static int fake_create(struct alc_sgx_context *context, const struct alc_sgx_secs *secs)
{
    context->secs = *secs;
    return g_create_result;
}

static int fake_add_pages(struct alc_sgx_context *context, const struct alc_sgx_add_pages *pages)
{
    assert_int_equal((uintptr_t)pages->src % 4096, 0);
    assert_int_equal((uintptr_t)pages->secinfo % 64, 0);
    assert_false(context->is_initialised);
    context->add_calls++;
    context->added_size += pages->length;
    context->measured_size += pages->measure ? pages->length : 0;
    context->tcs_pages += pages->secinfo->flags == 0x100 ? 1 : 0;
    return g_add_result;
}

static int fake_init(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
                     uint32_t *einit_error)
{
    assert_int_equal(sigstruct->isv_svn, 5);
    context->is_initialised = true;
    *einit_error = g_einit_error;
    return g_init_result;
}

static int fake_map(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                    int protection)
{
    assert_true(context->is_initialised);
    assert_true(context->maps_count < MAPS_MAX);
    context->maps[context->maps_count].offset = offset;
    context->maps[context->maps_count].length = length;
    context->maps[context->maps_count++].protection = protection;
    return g_map_result;
}

/* What the loader did to pages: one letter each. */
static char g_pages_log[16];
static int g_pages_result;

static int log_pages(char what, uint64_t offset, uint64_t length)
{
    size_t length_so_far = strlen(g_pages_log);
    assert_true(length_so_far + 1 < sizeof g_pages_log);
    assert_int_equal(offset, 7 * 4096);
    assert_int_equal(length, 2 * 4096);
    g_pages_log[length_so_far] = what;
    return g_pages_result;
}

static int fake_restrict(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                         uint64_t permissions, uint64_t *result)
{
    (void)context;
    *result = 0;
    assert_int_equal(permissions, ALC_SGX_PAGE_READ);
    return log_pages('r', offset, length);
}

static int fake_modify(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                       enum alc_sgx_page_type type, uint64_t *result)
{
    (void)context;
    *result = 0;
    assert_int_equal(type, ALC_SGX_PAGE_TRIMMED);
    return log_pages('t', offset, length);
}

static int fake_remove(struct alc_sgx_context *context, uint64_t offset, uint64_t length)
{
    (void)context;
    return log_pages('e', offset, length);
}

static int fake_enter(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi, uint64_t rdx,
                      uint32_t leaf, uint64_t r8, uint64_t r9, struct alc_sgx_run *run)
{
    assert_true(context->position < SCRIPT_MAX);
    const struct play *play = &context->script[context->position++];
    assert_int_equal(leaf, play->expected_leaf);
    if (leaf == ALC_SGX_EENTER) {
        assert_int_equal(rdi, play->expected_rdi);
    }
    for (size_t i = 0; i < sizeof run->reserved; i++) {
        assert_int_equal(run->reserved[i], 0);
    }
    context->tcs = run->tcs;
    if (play->result != 0) {
        return play->result;
    }
    run->function = play->is_exception ? leaf : ALC_SGX_EEXIT;
    run->exception_vector = play->is_exception ? ALC_SGX_VECTOR_PF : 0;
    alc_sgx_exit_handler *handler = (alc_sgx_exit_handler *)(uintptr_t)run->user_handler;
    return handler((long)play->reason, (long)play->value, (long)rdx, (long)rsi, (long)r8, (long)r9,
                   run);
}

static void fake_close(struct alc_sgx_context *context)
{
    assert_ptr_equal(context, &g_context);
    g_open_contexts--;
}

static const struct alc_sgx_backend fake_backend = {
    .name = "fake",
    .open = fake_open,
    .create = fake_create,
    .add_pages = fake_add_pages,
    .init = fake_init,
    .map = fake_map,
    .enter = fake_enter,
    .restrict_permissions = fake_restrict,
    .modify_types = fake_modify,
    .remove_pages = fake_remove,
    .close = fake_close,
};

static uint8_t g_stream[STREAM_MAX];
static size_t g_stream_size;
static struct alc_sgx_sigstruct g_sigstruct;

/* Code at 0 (2 pages), TCS at 0x4000 and 0x6000, stack at 0x5000 unmeasured. */
static int prepare(void **state)
{
    (void)state;
    static const uint8_t page[ALC_SGX_PAGE_SIZE] = {0x90};
    struct alc_writer writer;
    alc_writer_init(&writer, g_stream, sizeof g_stream);
    alc_image_write_create(&writer, 1, ENCLAVE_SIZE);
    alc_image_write_page(&writer, 0, 0x205, page);
    alc_image_write_page(&writer, 0x1000, 0x205, page);
    alc_image_write_page(&writer, 0x4000, 0x100, page);
    alc_image_write_page(&writer, 0x5000, 0x203, NULL);
    alc_image_write_page(&writer, 0x6000, 0x100, page);
    g_stream_size = writer.pos;
    memset(&g_sigstruct, 0, sizeof g_sigstruct);
    g_sigstruct.attributes.flags = ALC_SGX_ATTRIBUTE_MODE64 | ALC_SGX_ATTRIBUTE_INIT;
    g_sigstruct.attributes.xfrm = 3;
    g_sigstruct.miscselect = 1;
    g_sigstruct.isv_svn = 5;
    g_capabilities = ALC_SGX_CAN_EDMM;
    g_create_result = 0;
    g_add_result = 0;
    g_init_result = 0;
    g_einit_error = 0;
    g_map_result = 0;
    g_open_contexts = 0;
    return 0;
}

static struct alc_sgx_enclave *load(void)
{
    struct alc_sgx_enclave *enclave = NULL;
    assert_int_equal(
        alc_sgx_load(&fake_backend, g_stream, g_stream_size, &g_sigstruct, NULL, &enclave, NULL),
        ALC_OK);
    return enclave;
}

static void test_load(void **state)
{
    (void)state;
    struct alc_sgx_enclave *enclave = load();
    assert_int_equal(g_context.secs.size, ENCLAVE_SIZE);
    assert_int_equal(g_context.secs.base % ENCLAVE_SIZE, 0);
    assert_int_equal(g_context.secs.base, alc_sgx_base(enclave));
    assert_int_equal(g_context.secs.attributes.flags, ALC_SGX_ATTRIBUTE_MODE64);
    assert_int_equal(g_context.secs.attributes.xfrm, 3);
    assert_int_equal(g_context.secs.miscselect, 1);
    assert_int_equal(g_context.added_size, 5 * 4096);
    assert_int_equal(g_context.measured_size, 4 * 4096);
    assert_int_equal(g_context.add_calls, 4);
    assert_int_equal(g_context.tcs_pages, 2);
    assert_int_equal(alc_sgx_threads_count(enclave), 2);
    /* text; TCS, stack and TCS in one; dynamic part */
    assert_int_equal(g_context.maps_count, 3);
    assert_int_equal(g_context.maps[0].length, 0x2000);
    assert_int_equal(g_context.maps[0].protection, PROT_READ | PROT_EXEC);
    assert_int_equal(g_context.maps[1].offset, 0x4000);
    assert_int_equal(g_context.maps[1].protection, PROT_READ | PROT_WRITE);
    assert_int_equal(g_context.maps[1].length, 0x3000);
    assert_int_equal(g_context.maps[2].offset, 0x20000);
    assert_int_equal(g_context.maps[2].length, ENCLAVE_SIZE - 0x20000);
    alc_sgx_close(enclave);
    assert_int_equal(g_open_contexts, 0);
}

static void test_sgx1_gets_no_dynamic_part(void **state)
{
    (void)state;
    g_capabilities = 0;
    struct alc_sgx_enclave *enclave = load();
    assert_int_equal(g_context.maps_count, 2);
    alc_sgx_close(enclave);
}

static bool is_configured(const uint8_t *config_id)
{
    struct alc_sgx_enclave *enclave = NULL;
    assert_int_equal(alc_sgx_load(&fake_backend, g_stream, g_stream_size, &g_sigstruct, config_id,
                                  &enclave, NULL),
                     ALC_OK);
    const struct alc_sgx_secs *secs = &g_context.secs;
    bool has_kss = (secs->attributes.flags & ALC_SGX_ATTRIBUTE_KSS) != 0;
    bool is_named = config_id != NULL && memcmp(secs->config_id, config_id, 64) == 0;
    assert_true(has_kss == is_named || config_id == NULL);
    alc_sgx_close(enclave);
    return has_kss;
}

/* The processor has to know CONFIGID, and the signer has to let the loader choose, or to want it.
 */
static void test_configuration(void **state)
{
    (void)state;
    const uint8_t config_id[ALC_SGX_CONFIG_ID_SIZE] = {1, 2, 3};
    assert_false(is_configured(config_id));
    g_capabilities |= ALC_SGX_CAN_KSS;
    assert_true(is_configured(config_id));
    assert_false(is_configured(NULL));
    g_sigstruct.attributes_mask.flags = ~ALC_SGX_ATTRIBUTE_INIT;
    assert_false(is_configured(config_id));
    g_sigstruct.attributes.flags |= ALC_SGX_ATTRIBUTE_KSS;
    assert_true(is_configured(config_id));
    assert_true(is_configured(NULL));
}

static void load_fails(alc_status expected)
{
    struct alc_sgx_enclave *enclave = NULL;
    struct alc_error error;
    alc_error_clear(&error);
    assert_int_equal(
        alc_sgx_load(&fake_backend, g_stream, g_stream_size, &g_sigstruct, NULL, &enclave, &error),
        expected);
    assert_null(enclave);
    assert_int_equal(g_open_contexts, 0);
}

static void test_refusals_are_reported(void **state)
{
    (void)state;
    g_create_result = -ENOMEM;
    load_fails(ALC_E_OUT_OF_MEMORY);
    g_create_result = -EINVAL; /* attributes, which the signature chooses */
    load_fails(ALC_E_LAUNCH_REFUSED);
    g_create_result = -EMFILE;
    load_fails(ALC_E_IO_FAILED);
    prepare(NULL);
    g_add_result = -EACCES;
    load_fails(ALC_E_NOT_SUPPORTED);
    prepare(NULL);
    g_init_result = -EPERM;
    load_fails(ALC_E_LAUNCH_REFUSED);
    g_einit_error = ALC_SGX_INVALID_MEASUREMENT;
    load_fails(ALC_E_LAUNCH_REFUSED);
    prepare(NULL);
    g_map_result = -EACCES;
    load_fails(ALC_E_NOT_SUPPORTED);
    prepare(NULL);
    g_stream_size--;
    load_fails(ALC_E_UNEXPECTED_END);
}

static int g_serves;
static alc_status count_serve(void *context)
{
    g_serves++;
    return *(const alc_status *)context;
}

static alc_status call(struct alc_sgx_enclave *enclave, int32_t thread, alc_status serve_status,
                       uint64_t *value)
{
    struct alc_sgx_call request = {
        .thread = thread, .ecall = 42, .serve = count_serve, .context = &serve_status};
    g_serves = 0;
    return alc_sgx_call(enclave, &request, value, NULL);
}

#define RETURN ALC_ENTRY_HOST_CALL_RETURN

static alc_status play(const struct play *script, size_t count, alc_status serve_status,
                       uint64_t *value)
{
    struct alc_sgx_enclave *enclave = load();
    memcpy(g_context.script, script, count * sizeof *script);
    alc_status status = call(enclave, ALC_SGX_ANY_THREAD, serve_status, value);
    if (status == ALC_OK) {
        assert_int_equal(g_context.position, count);
    }
    if (status == ALC_E_ENCLAVE_LOST) { /* and stays lost */
        assert_int_equal(call(enclave, ALC_SGX_ANY_THREAD, ALC_OK, value), ALC_E_ENCLAVE_LOST);
    }
    alc_sgx_close(enclave);
    return status;
}

static void test_call_serves_and_resumes(void **state)
{
    (void)state;
    static const struct play script[] = {
        {ALC_SGX_EENTER, 42, false, ALC_EXIT_SERVE, 0, 0},
        {ALC_SGX_EENTER, RETURN, true, 0, 0, 0}, /* page fault inside */
        {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_RESUME, 0, 0},
        {ALC_SGX_ERESUME, 0, false, ALC_EXIT_SERVE, 0, 0},
        {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_DONE, 77, 0},
    };
    uint64_t value = 0;
    assert_int_equal(play(script, ALC_ARRAY_COUNT(script), ALC_OK, &value), ALC_OK);
    assert_int_equal(value, 77);
    assert_int_equal(g_serves, 2);
}

static uint64_t request_of(uint64_t action, uint64_t first, uint64_t count)
{
    return ALC_PAGES_REQUEST(action, first, count);
}

/* Whatever becomes of the request, the enclave goes on and sees for itself. */
static void test_requests_for_pages(void **state)
{
    (void)state;
    const struct {
        uint64_t request;
        int result;
        const char *log;
        int protection; /* of the mapping at the end; -1: none is made */
    } rows[] = {
        {request_of(ALC_PAGES_CODE, 7, 2), 0, "r", PROT_READ | PROT_EXEC},
        {request_of(ALC_PAGES_CODE, 7, 2), -EFAULT, "r", -1},
        {request_of(ALC_PAGES_TRIM, 7, 2), 0, "t", -1},
        {request_of(ALC_PAGES_REMOVE, 7, 2), 0, "e", PROT_READ | PROT_WRITE},
        {request_of(ALC_PAGES_REMOVE, 7, 2), -EPERM, "e", -1},
        {request_of(0, 7, 2), 0, "", -1},
        {request_of(7, 7, 2), 0, "", -1},
        {request_of(ALC_PAGES_CODE, 7, 0), 0, "", -1},
        {request_of(ALC_PAGES_CODE, 255, 2), 0, "", -1},
        {UINT64_MAX - 7 + ALC_PAGES_CODE, 0, "", -1},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        const struct play script[] = {
            {ALC_SGX_EENTER, 42, false, ALC_EXIT_PAGES, rows[i].request, 0},
            {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_DONE, 77, 0},
        };
        uint64_t value = 0;
        memset(g_pages_log, 0, sizeof g_pages_log);
        g_pages_result = rows[i].result;
        struct alc_sgx_enclave *enclave = load();
        uint32_t maps_count = g_context.maps_count;
        memcpy(g_context.script, script, sizeof script);
        assert_int_equal(call(enclave, ALC_SGX_ANY_THREAD, ALC_OK, &value), ALC_OK);
        assert_int_equal(value, 77);
        assert_string_equal(g_pages_log, rows[i].log);
        assert_int_equal(g_context.maps_count, maps_count + (rows[i].protection >= 0));
        if (rows[i].protection >= 0) {
            assert_int_equal(g_context.maps[maps_count].offset, 7 * 4096);
            assert_int_equal(g_context.maps[maps_count].length, 2 * 4096);
            assert_int_equal(g_context.maps[maps_count].protection, rows[i].protection);
        }
        alc_sgx_close(enclave);
    }
    g_pages_result = 0;
}

static void test_hostile_exits(void **state)
{
    (void)state;
    uint64_t value = 0;
    static const struct play unknown[] = {{ALC_SGX_EENTER, 42, false, 99, 0, 0}};
    assert_int_equal(play(unknown, 1, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play refused[] = {{ALC_SGX_EENTER, 42, false, ALC_EXIT_REFUSED, 0, 0}};
    assert_int_equal(play(refused, 1, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play resume[] = {{ALC_SGX_EENTER, 42, false, ALC_EXIT_RESUME, 0, 0}};
    assert_int_equal(play(resume, 1, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play twice[] = {{ALC_SGX_EENTER, 42, true, 0, 0, 0},
                                        {ALC_SGX_EENTER, RETURN, true, 0, 0, 0}};
    assert_int_equal(play(twice, 2, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play served[] = {{ALC_SGX_EENTER, 42, true, 0, 0, 0},
                                         {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_SERVE, 0, 0}};
    assert_int_equal(play(served, 2, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play ended[] = {{ALC_SGX_EENTER, 42, true, 0, 0, 0},
                                        {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_DONE, 1, 0}};
    assert_int_equal(play(ended, 2, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play paged[] = {{ALC_SGX_EENTER, 42, true, 0, 0, 0},
                                        {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_PAGES, 1, 0}};
    assert_int_equal(play(paged, 2, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    static const struct play broken[] = {{ALC_SGX_EENTER, 42, false, 0, 0, -EINVAL}};
    assert_int_equal(play(broken, 1, ALC_OK, &value), ALC_E_ENCLAVE_LOST);
    assert_int_equal(value, 0);
}

static void test_failed_service_ends_the_call(void **state)
{
    (void)state;
    static const struct play script[] = {{ALC_SGX_EENTER, 42, false, ALC_EXIT_SERVE, 0, 0}};
    uint64_t value = 5;
    assert_int_equal(play(script, 1, ALC_E_DEADLINE, &value), ALC_E_DEADLINE);
    assert_int_equal(value, 5);
}

static alc_status call_again(void *context)
{
    /* From within a call on TCS 0: the other TCS is free, the same one is not. */
    struct alc_sgx_enclave *enclave = context;
    uint64_t value;
    struct alc_sgx_call request = {.thread = 0, .ecall = 7};
    assert_int_equal(alc_sgx_call(enclave, &request, &value, NULL), ALC_E_NOT_FOUND);
    request.thread = ALC_SGX_ANY_THREAD;
    assert_int_equal(alc_sgx_call(enclave, &request, &value, NULL), ALC_OK);
    assert_int_equal(g_context.tcs, alc_sgx_base(enclave) + 0x6000);
    request.thread = 2;
    assert_int_equal(alc_sgx_call(enclave, &request, &value, NULL), ALC_E_NOT_FOUND);
    return ALC_OK;
}

static void test_threads_are_taken_once(void **state)
{
    (void)state;
    struct alc_sgx_enclave *enclave = load();
    static const struct play script[] = {
        {ALC_SGX_EENTER, 1, false, ALC_EXIT_SERVE, 0, 0},
        {ALC_SGX_EENTER, 7, false, ALC_EXIT_DONE, 3, 0},
        {ALC_SGX_EENTER, RETURN, false, ALC_EXIT_DONE, 4, 0},
    };
    memcpy(g_context.script, script, sizeof script);
    struct alc_sgx_call request = {
        .thread = 0, .ecall = 1, .serve = call_again, .context = enclave};
    uint64_t value = 0;
    assert_int_equal(alc_sgx_call(enclave, &request, &value, NULL), ALC_OK);
    assert_int_equal(value, 4);
    assert_int_equal(g_context.tcs, alc_sgx_base(enclave) + 0x4000);
    alc_sgx_close(enclave);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_load, prepare),
        cmocka_unit_test_setup(test_sgx1_gets_no_dynamic_part, prepare),
        cmocka_unit_test_setup(test_configuration, prepare),
        cmocka_unit_test_setup(test_refusals_are_reported, prepare),
        cmocka_unit_test_setup(test_call_serves_and_resumes, prepare),
        cmocka_unit_test_setup(test_requests_for_pages, prepare),
        cmocka_unit_test_setup(test_hostile_exits, prepare),
        cmocka_unit_test_setup(test_failed_service_ends_the_call, prepare),
        cmocka_unit_test_setup(test_threads_are_taken_once, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
