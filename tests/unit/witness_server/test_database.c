/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters in a database: one step at a time, still there in another process's hands, one owner of
 * the file, and files that are no databases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "witness_server/server.h"

struct fixture {
    char folder[64];
    char path[96];
    struct alc_witness_database *database;
    struct alc_witness_store store;
    uint8_t counter[ALC_WITNESS_KEY_SIZE];
};

static void open_database(struct fixture *fixture)
{
    struct alc_error error = {0};
    assert_int_equal(alc_witness_database_open(fixture->path, &fixture->database, &error), ALC_OK);
    fixture->store = alc_witness_database_store(fixture->database);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/alcove-witness-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/counters.db", fixture->folder);
    memset(fixture->counter, 3, sizeof fixture->counter);
    open_database(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    alc_witness_database_close(fixture->database);
    snprintf(command, sizeof command, "rm -r %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static struct alc_seal_mark mark_of(uint64_t generation, uint8_t byte)
{
    struct alc_seal_mark mark = {.generation = generation};
    memset(mark.digest, byte, sizeof mark.digest);
    return mark;
}

static alc_status advance(struct fixture *fixture, struct alc_seal_mark from,
                          struct alc_seal_mark to)
{
    return fixture->store.advance(fixture->store.context, fixture->counter, &from, &to);
}

static struct alc_seal_mark read_mark(struct fixture *fixture)
{
    struct alc_seal_mark mark;
    assert_int_equal(fixture->store.read(fixture->store.context, fixture->counter, &mark), ALC_OK);
    return mark;
}

static void test_steps(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_seal_mark none = {0};
    assert_int_equal(read_mark(fixture).generation, 0);
    assert_int_equal(advance(fixture, mark_of(1, 1), mark_of(2, 2)), ALC_E_POLICY_REFUSED);
    assert_int_equal(advance(fixture, none, mark_of(2, 2)), ALC_OK);
    assert_int_equal(advance(fixture, none, mark_of(3, 3)), ALC_E_POLICY_REFUSED);
    assert_int_equal(advance(fixture, mark_of(2, 9), mark_of(3, 3)), ALC_E_POLICY_REFUSED);
    assert_int_equal(advance(fixture, mark_of(2, 2), mark_of(1, 3)), ALC_E_POLICY_REFUSED);
    assert_int_equal(advance(fixture, mark_of(2, 2), mark_of(INT64_MAX, 3)), ALC_OK);
    assert_int_equal(advance(fixture, mark_of(INT64_MAX, 3), mark_of((uint64_t)INT64_MAX + 1, 4)),
                     ALC_E_IO_FAILED);
    fixture->counter[0]++; /* another one */
    assert_int_equal(read_mark(fixture).generation, 0);
    fixture->counter[0]--;
    alc_witness_database_close(fixture->database);
    open_database(fixture);
    struct alc_seal_mark mark = read_mark(fixture);
    assert_true(mark.generation == INT64_MAX);
    assert_int_equal(mark.digest[15], 3);
}

static void test_one_owner(void **state)
{
    struct fixture *fixture = *state;
    struct alc_witness_database *other;
    struct alc_error error = {0};
    assert_int_equal(alc_witness_database_open(fixture->path, &other, &error), ALC_E_IO_FAILED);
    assert_string_equal(error.detail, "database is locked");
    assert_null(other);
}

static void test_no_database(void **state)
{
    struct fixture *fixture = *state;
    struct alc_witness_database *other;
    struct alc_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/text", fixture->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 1000; i++) {
        fputs("not a database\n", file);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(alc_witness_database_open(path, &other, &error), ALC_E_IO_FAILED);
    snprintf(path, sizeof path, "%s/no/folder", fixture->folder);
    assert_int_equal(alc_witness_database_open(path, &other, &error), ALC_E_IO_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_database, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
