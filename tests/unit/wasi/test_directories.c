/* SPDX-License-Identifier: Apache-2.0
 *
 * fd_readdir over entries that the host made up: honest ones are packed anew and cut to the buffer,
 * impossible ones give an I/O error.
 */
#include "unit/wasi/fake_os.h"

static uint8_t entries[8192];
static size_t entries_size;

static void add_entry(uint64_t next, const char *name, uint32_t name_size, uint32_t type)
{
    struct alc_os_directory_entry entry = {next, 77, name_size, type};
    memcpy(entries + entries_size, &entry, sizeof entry);
    memcpy(entries + entries_size + sizeof entry, name, strlen(name));
    entries_size += sizeof entry + strlen(name);
}

static uint64_t list(uint32_t buf_size, uint64_t cookie)
{
    fake.entries = entries;
    fake.entries_size = entries_size;
    return CALL("fd_readdir", DIR_FD, BUF_AT, buf_size, cookie, OUT_AT);
}

static void two_entries(void)
{
    entries_size = 0;
    add_entry(1, ".", 1, ALC_OS_TYPE_DIRECTORY);
    add_entry(2, "name", 4, 99);
}

static void test_entries_arrive(void **state)
{
    (void)state;
    two_entries();
    assert_int_equal(list(1000, 5), 0);
    assert_int_equal(u32_at(OUT_AT), 24 + 1 + 24 + 4);
    assert_int_equal(u64_at(BUF_AT), 1);
    assert_int_equal(u64_at(BUF_AT + 8), 77);
    assert_int_equal(u32_at(BUF_AT + 16), 1);
    assert_int_equal(u32_at(BUF_AT + 20), ALC_WASI_FILETYPE_DIRECTORY);
    assert_int_equal(memory_bytes[BUF_AT + 24], '.');
    assert_int_equal(u32_at(BUF_AT + 25 + 20), ALC_WASI_FILETYPE_UNKNOWN); /* 99 is no type */
    assert_memory_equal(memory_bytes + BUF_AT + 49, "name\0", 5);
    /* Asked once for what follows the cookie, and once more behind the last entry. */
    assert_int_equal(fake.calls[FAKE_read_directory], 2);
    assert_int_equal(fake.numbers[0], 2);
}

static void test_the_last_entry_is_cut(void **state)
{
    (void)state;
    two_entries();
    for (uint32_t size = 0; size <= 53; size++) {
        memset(memory_bytes + BUF_AT, 0xee, 100);
        assert_int_equal(list(size, 0), 0);
        assert_int_equal(u32_at(OUT_AT), size);
        assert_int_equal(memory_bytes[BUF_AT + size], 0xee);
    }
}

static void test_an_empty_directory(void **state)
{
    (void)state;
    entries_size = 0;
    assert_int_equal(list(1000, 0), 0);
    assert_int_equal(u32_at(OUT_AT), 0);
}

static void test_many_chunks(void **state)
{
    (void)state;
    entries_size = 0;
    for (uint64_t i = 1; i <= 100; i++) {
        add_entry(i, "abcdefgh", 8, ALC_OS_TYPE_REGULAR_FILE);
    }
    assert_int_equal(list(100 * 32, 0), 0);
    assert_int_equal(u32_at(OUT_AT), 3200);
    assert_int_equal(fake.calls[FAKE_read_directory], 1); /* full: nobody asks further */
    assert_int_equal(u64_at(BUF_AT + 99 * 32), 100);
}

static void expect_lie(void)
{
    alc_store_u32(memory_bytes + OUT_AT, 4711);
    assert_int_equal(list(4000, 0), ALC_OS_IO);
    assert_int_equal(u32_at(OUT_AT), 4711);
}

static void test_lies(void **state)
{
    (void)state;
    static char long_name[257];
    memset(long_name, 'x', 256);
    static const struct {
        uint64_t next;
        const char *name;
        uint32_t name_size;
    } cases[] = {
        {1, "", 0},      /* no name */
        {1, "a/b", 3},   /* a path */
        {1, "..\0x", 4}, /* a NUL (the text ends short of its size, too) */
        {1, "abc", 4},   /* past the end */
        {1, "abc", UINT32_MAX},
        {0, "abc", 3},       /* starts over for ever */
        {1, long_name, 256}, /* longer than a name can be */
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(cases); i++) {
        entries_size = 0;
        add_entry(1, "good", 4, ALC_OS_TYPE_REGULAR_FILE);
        add_entry(cases[i].next, cases[i].name, cases[i].name_size, ALC_OS_TYPE_REGULAR_FILE);
        expect_lie();
    }
    two_entries();
    entries_size -= 1; /* a name cut */
    expect_lie();
    two_entries();
    entries_size += 23; /* a header cut */
    expect_lie();
    entries_size = 0;
    add_entry(1, "nul", 3, 4);
    entries[sizeof(struct alc_os_directory_entry) + 1] = 0;
    expect_lie();
    static const int64_t sizes[] = {INT64_MAX, 16385, INT64_MIN, -77};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(sizes); i++) {
        fake.answers[FAKE_read_directory] = sizes[i];
        expect_lie();
    }
    fake.answers[FAKE_read_directory] = -ALC_OS_NOT_DIRECTORY;
    assert_int_equal(list(4000, 0), ALC_OS_NOT_DIRECTORY);
}

static void test_names_of_255_bytes(void **state)
{
    (void)state;
    static char name[256];
    memset(name, 'x', 255);
    entries_size = 0;
    add_entry(1, name, 255, ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(list(4000, 0), 0);
    assert_int_equal(u32_at(OUT_AT), 24 + 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(test_entries_arrive),
        PROGRAM_TEST(test_the_last_entry_is_cut),
        PROGRAM_TEST(test_an_empty_directory),
        PROGRAM_TEST(test_many_chunks),
        PROGRAM_TEST(test_lies),
        PROGRAM_TEST(test_names_of_255_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
