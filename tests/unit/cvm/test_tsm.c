/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports through a directory of our own, which counts generations as the kernel's does and fails
 * in every way that it could; and through a real folder, which is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cvm/cvm.h"

enum { REQUESTS_MAX = 8, REPORT_SIZE = 1184 };

struct request {
    bool is_there;
    char name[ALC_TSM_NAME_SIZE_MAX];
    uint64_t generation;
    char privilege[8];
    uint8_t data[ALC_TSM_DATA_SIZE];
    bool has_data;
};

/* What is there, and what goes wrong. */
static struct {
    struct request requests[REQUESTS_MAX];
    size_t made_count;
    const char *provider;
    size_t report_size;
    const char *failing; /* attribute, or "make" or "remove" */
    alc_status failure;
    size_t races; /* so many requests are touched by somebody else before their report is read */
    bool has_auxiliary;
    const char *generation; /* instead of the number */
} kernel;

static struct request *find(const char *name)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        if (kernel.requests[i].is_there && strcmp(kernel.requests[i].name, name) == 0) {
            return &kernel.requests[i];
        }
    }
    fail_msg("no request %s", name);
    return NULL;
}

static bool fails(const char *what)
{
    return kernel.failing != NULL && strcmp(kernel.failing, what) == 0;
}

static alc_status fake_make(void *context, const char *name)
{
    (void)context;
    if (fails("make")) {
        return kernel.failure;
    }
    struct request *request = &kernel.requests[kernel.made_count++];
    *request = (struct request){.is_there = true, .generation = 5};
    snprintf(request->name, sizeof request->name, "%s", name);
    return ALC_OK;
}

static alc_status fake_remove(void *context, const char *name)
{
    (void)context;
    find(name)->is_there = false;
    return fails("remove") ? kernel.failure : ALC_OK;
}

static alc_status fake_write(void *context, const char *name, const char *attribute,
                             const uint8_t *bytes, size_t size)
{
    struct request *request = find(name);
    (void)context;
    if (fails(attribute)) {
        return kernel.failure;
    }
    request->generation++;
    if (strcmp(attribute, "privlevel") == 0) {
        assert_int_equal(size, 1);
        snprintf(request->privilege, sizeof request->privilege, "%c", bytes[0]);
        return ALC_OK;
    }
    assert_string_equal(attribute, "inblob");
    assert_int_equal(size, ALC_TSM_DATA_SIZE);
    memcpy(request->data, bytes, size);
    request->has_data = true;
    return ALC_OK;
}

static size_t put_word(uint8_t *bytes, size_t max, const char *word)
{
    int size = snprintf((char *)bytes, max, "%s\n", word);
    assert_true(size > 0 && (size_t)size < max);
    return (size_t)size;
}

static alc_status fake_read(void *context, const char *name, const char *attribute, uint8_t *bytes,
                            size_t max, size_t *out_size)
{
    struct request *request = find(name);
    char number[30];
    (void)context;
    if (fails(attribute)) {
        return kernel.failure;
    }
    if (strcmp(attribute, "generation") == 0) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)request->generation);
        *out_size = put_word(bytes, max, kernel.generation != NULL ? kernel.generation : number);
    } else if (strcmp(attribute, "provider") == 0) {
        *out_size = put_word(bytes, max, kernel.provider);
    } else if (strcmp(attribute, "auxblob") == 0) {
        if (!kernel.has_auxiliary) {
            return ALC_E_NOT_FOUND;
        }
        *out_size = put_word(bytes, max, "certificates");
    } else {
        assert_string_equal(attribute, "outblob");
        assert_true(request->has_data);
        if (kernel.races > 0) {
            kernel.races--;
            request->generation++;
            request->data[0] ^= 1;
        }
        memset(bytes, 0x5a, kernel.report_size);
        memcpy(bytes, request->data, kernel.report_size < 64 ? kernel.report_size : 64);
        *out_size = kernel.report_size;
    }
    return ALC_OK;
}

static const struct alc_tsm_files files = {
    .make = fake_make, .remove = fake_remove, .write = fake_write, .read = fake_read};
static const uint8_t data[ALC_TSM_DATA_SIZE] = {1, 2, 3, [63] = 64};
static uint8_t report[ALC_TSM_REPORT_SIZE_MAX];
static uint8_t auxiliary[100];

static int set_up(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.provider = "sev_guest";
    kernel.report_size = REPORT_SIZE;
    return 0;
}

static void expect_nothing_left(void)
{
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        assert_false(kernel.requests[i].is_there);
    }
}

static alc_status make_report(int privilege, size_t *out_size, size_t *out_auxiliary_size)
{
    const struct alc_tsm_request request = {.data = data, .privilege = privilege};
    struct alc_writer out;
    struct alc_writer out_auxiliary;
    alc_writer_init(&out, report, sizeof report);
    alc_writer_init(&out_auxiliary, auxiliary, sizeof auxiliary);
    alc_status status = alc_tsm_report(&files, &request, &out, &out_auxiliary);
    *out_size = out.pos;
    *out_auxiliary_size = out_auxiliary.pos;
    expect_nothing_left();
    return status;
}

static void test_report(void **state)
{
    (void)state;
    size_t size;
    size_t auxiliary_size;
    assert_int_equal(make_report(ALC_TSM_NO_PRIVILEGE, &size, &auxiliary_size), ALC_OK);
    assert_int_equal(size, REPORT_SIZE);
    assert_memory_equal(report, data, sizeof data);
    assert_int_equal(report[REPORT_SIZE - 1], 0x5a);
    assert_int_equal(auxiliary_size, 0);
    assert_string_equal(kernel.requests[0].privilege, "");
    kernel.has_auxiliary = true;
    assert_int_equal(make_report(3, &size, &auxiliary_size), ALC_OK);
    assert_string_equal(kernel.requests[1].privilege, "3");
    assert_int_equal(auxiliary_size, strlen("certificates\n"));
    assert_string_not_equal(kernel.requests[0].name, kernel.requests[1].name);
}

static void test_races(void **state)
{
    (void)state;
    size_t size;
    size_t auxiliary_size;
    kernel.races = 2;
    assert_int_equal(make_report(ALC_TSM_NO_PRIVILEGE, &size, &auxiliary_size), ALC_OK);
    assert_int_equal(kernel.made_count, 3);
    assert_memory_equal(report, data, sizeof data);
    set_up(NULL);
    kernel.races = 3;
    assert_int_equal(make_report(1, &size, &auxiliary_size), ALC_E_IO_FAILED);
    assert_int_equal(kernel.made_count, 3);
    assert_int_equal(size, 0);
}

static void test_failures(void **state)
{
    (void)state;
    static const char *const failing[] = {"make",   "remove",  "generation", "privlevel",
                                          "inblob", "outblob", "auxblob"};
    static const alc_status failures[] = {ALC_E_IO_FAILED, ALC_E_BAD_ARGUMENT, ALC_E_NOT_FOUND};
    size_t size;
    size_t auxiliary_size;
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        for (size_t j = 0; j < sizeof failures / sizeof failures[0]; j++) {
            set_up(NULL);
            kernel.failing = failing[i];
            kernel.failure = failures[j];
            const bool is_missing = failures[j] == ALC_E_NOT_FOUND;
            alc_status wanted = is_missing && i == 0   ? ALC_E_NOT_SUPPORTED
                                : is_missing && i == 6 ? ALC_OK /* it may be missing */
                                                       : ALC_E_IO_FAILED;
            assert_int_equal(make_report(0, &size, &auxiliary_size), wanted);
            assert_int_equal(size, wanted == ALC_OK ? REPORT_SIZE : 0);
        }
    }
    set_up(NULL);
    kernel.report_size = 0;
    assert_int_equal(make_report(0, &size, &auxiliary_size), ALC_E_IO_FAILED);
    for (size_t i = 0; i < 3; i++) {
        static const char *const numbers[] = {"", "five", "5 6"};
        set_up(NULL);
        kernel.generation = numbers[i];
        assert_int_equal(make_report(0, &size, &auxiliary_size), ALC_E_IO_FAILED);
    }
}

static void test_small_writers(void **state)
{
    (void)state;
    const struct alc_tsm_request request = {.data = data, .privilege = ALC_TSM_NO_PRIVILEGE};
    struct alc_writer out;
    struct alc_writer small;
    alc_writer_init(&out, report, REPORT_SIZE - 1);
    assert_int_equal(alc_tsm_report(&files, &request, &out, NULL), ALC_E_OUT_OF_MEMORY);
    kernel.has_auxiliary = true;
    alc_writer_init(&out, report, REPORT_SIZE);
    alc_writer_init(&small, auxiliary, 5);
    assert_int_equal(alc_tsm_report(&files, &request, &out, &small), ALC_E_OUT_OF_MEMORY);
    alc_writer_init(&out, report, REPORT_SIZE);
    assert_int_equal(alc_tsm_report(&files, &request, &out, NULL), ALC_OK);
    expect_nothing_left();
}

static void test_provider(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum alc_tsm_provider provider;
    } rows[] = {{"tdx_guest", ALC_TSM_TDX},
                {"sev_guest", ALC_TSM_SEV_SNP},
                {"arm_cca_guest", ALC_TSM_OTHER},
                {"sev_guest2", ALC_TSM_OTHER},
                {"", ALC_TSM_OTHER}};
    enum alc_tsm_provider provider;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kernel.provider = rows[i].word;
        assert_int_equal(alc_tsm_find_provider(&files, &provider), ALC_OK);
        assert_int_equal(provider, rows[i].provider);
        expect_nothing_left();
    }
    kernel.failing = "provider";
    kernel.failure = ALC_E_NOT_FOUND;
    assert_int_equal(alc_tsm_find_provider(&files, &provider), ALC_E_IO_FAILED);
    expect_nothing_left();
    kernel.failing = "make";
    assert_int_equal(alc_tsm_find_provider(&files, &provider), ALC_E_NOT_SUPPORTED);
    kernel.failing = "remove";
    kernel.failure = ALC_E_IO_FAILED;
    assert_int_equal(alc_tsm_find_provider(&files, &provider), ALC_E_IO_FAILED);
}

static void test_attester(void **state)
{
    (void)state;
    struct alc_attester attester;
    struct alc_writer out;
    alc_cvm_attester_init(&attester, &files, ALC_TSM_TDX);
    assert_int_equal(attester.kind, ALC_EVIDENCE_TDX);
    alc_cvm_attester_init(&attester, &files, ALC_TSM_SEV_SNP);
    assert_int_equal(attester.kind, ALC_EVIDENCE_SEV_SNP);
    alc_writer_init(&out, report, sizeof report);
    alc_write_u8(&out, 7); /* it appends */
    assert_int_equal(attester.evidence(attester.context, data, &out), ALC_OK);
    assert_int_equal(out.pos, 1 + REPORT_SIZE);
    assert_memory_equal(report + 1, data, sizeof data);
    kernel.failing = "outblob";
    kernel.failure = ALC_E_BAD_ARGUMENT;
    assert_int_equal(attester.evidence(attester.context, data, &out), ALC_E_IO_FAILED);
    expect_nothing_left();
}

/* -- the file system -- */

static char folder[] = "/tmp/alcove-tsm-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/request/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_folder(void **state)
{
    (void)state;
    struct alc_tsm_files real;
    struct alc_writer out;
    const struct alc_tsm_request request = {.data = data, .privilege = 0};
    enum alc_tsm_provider provider;
    uint8_t bytes[10];
    size_t size;
    char path[100];
    assert_non_null(mkdtemp(folder));
    alc_tsm_files_init(&real, folder);
    /* A folder that makes no files in new folders is none of the kernel's. */
    assert_int_equal(alc_tsm_find_provider(&real, &provider), ALC_E_IO_FAILED);
    alc_writer_init(&out, report, sizeof report);
    assert_int_equal(alc_tsm_report(&real, &request, &out, NULL), ALC_E_IO_FAILED);
    assert_int_equal(real.make(real.context, "request"), ALC_OK);
    assert_int_equal(real.make(real.context, "request"), ALC_E_BAD_ARGUMENT);
    assert_int_equal(real.read(real.context, "request", "word", bytes, 10, &size), ALC_E_NOT_FOUND);
    assert_int_equal(real.write(real.context, "request", "word", data, 3), ALC_E_NOT_FOUND);
    write_file("word", "123456789");
    assert_int_equal(real.read(real.context, "request", "word", bytes, 10, &size), ALC_OK);
    assert_int_equal(size, 9);
    assert_memory_equal(bytes, "123456789", 9);
    assert_int_equal(real.read(real.context, "request", "word", bytes, 8, &size), ALC_E_IO_FAILED);
    assert_int_equal(real.write(real.context, "request", "word", data, 3), ALC_OK);
    assert_int_equal(real.read(real.context, "request", "word", bytes, 10, &size), ALC_OK);
    assert_memory_equal(bytes, data, 3);
    assert_int_not_equal(real.remove(real.context, "request"), ALC_OK);
    snprintf(path, sizeof path, "%s/request/word", folder);
    unlink(path);
    assert_int_equal(real.remove(real.context, "request"), ALC_OK);
    assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
    assert_int_equal(alc_tsm_find_provider(&real, &provider), ALC_E_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_report, set_up),
        cmocka_unit_test_setup(test_races, set_up),
        cmocka_unit_test_setup(test_failures, set_up),
        cmocka_unit_test_setup(test_small_writers, set_up),
        cmocka_unit_test_setup(test_provider, set_up),
        cmocka_unit_test_setup(test_attester, set_up),
        cmocka_unit_test_setup(test_folder, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
