/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives as directories: what stands in them, what they refuse, and that no changed byte is ever
 * read.
 */
#include "archive_fixture.h"

static void make_sample(void)
{
    tar_begin();
    tar_directory("./");
    tar_directory("./etc/");
    tar_file("./etc/name", "alcove");
    tar_file("usr/share/words", "one two"); /* without its directories */
    tar_link("etc/words", "../usr/share/words");
    tar_link("loop", "loop");
    tar_link("out", "../outside");
    tar_link("root", "/etc/name");
    tar_link("usr/etc", "../etc");
    tar_header("etc/again", '1', "etc/name", 0);
    tar_header("dev", '3', "", 0);
    tar_file("empty", "");
    tar_end();
}

static int set_up(void **state)
{
    (void)state;
    is_short = false;
    make_sample();
    return open_tar() == ALC_OK ? 0 : -1;
}

static void test_files(void **state)
{
    (void)state;
    struct alc_os_stat stat;
    uint8_t target[64];
    expect_text("etc/name", "alcove");
    expect_text("./etc//../etc/name", "alcove");
    expect_text("usr/share/words", "one two");
    expect_text("etc/words", "one two");
    expect_text("usr/etc/words", "one two");
    expect_text("etc/again", "alcove");
    expect_text("empty", "");
    assert_int_equal(stat_path("etc/again", 0, &stat), 0);
    assert_int_equal(stat.type, ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(stat.link_count, 2);
    assert_int_equal(stat.size, 6);
    assert_true(stat.modify_time_ns == 1700000000 * UINT64_C(1000000000));
    uint64_t inode = stat.inode;
    assert_int_equal(stat_path("etc/name", 0, &stat), 0);
    assert_int_equal(stat.inode, inode);
    assert_int_equal(stat_path("etc/words", 0, &stat), 0);
    assert_int_equal(stat.type, ALC_OS_TYPE_SYMBOLIC_LINK);
    assert_int_equal(stat_path("etc/words", 1, &stat), 0);
    assert_int_equal(stat.size, 7);
    assert_int_equal(stat_path("usr", 1, &stat), 0);
    assert_int_equal(stat.type, ALC_OS_TYPE_DIRECTORY);
    int64_t size = CALL(readlink_at, ARCHIVE_HANDLE, (const uint8_t *)"etc/words", 9, target, 5);
    assert_int_equal(size, 5);
    assert_memory_equal(target, "../us", 5);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t flags;
        int64_t result;
    } rows[] = {
        {"etc/none", 0, -ALC_OS_NO_ENTRY},
        {"none/name", 0, -ALC_OS_NO_ENTRY},
        {"etc/name/more", 0, -ALC_OS_NOT_DIRECTORY},
        {"etc/name/", 0, -ALC_OS_NOT_DIRECTORY},
        {"etc/name/.", 0, -ALC_OS_NOT_DIRECTORY},
        {"etc/words/", ALC_OS_OPEN_FOLLOW, -ALC_OS_NOT_DIRECTORY},
        {"..", 0, -ALC_OS_NOT_CAPABLE},
        {"etc/../../etc", 0, -ALC_OS_NOT_CAPABLE},
        {"/etc/name", 0, -ALC_OS_NOT_CAPABLE},
        {"out", ALC_OS_OPEN_FOLLOW, -ALC_OS_NOT_CAPABLE},
        {"root", ALC_OS_OPEN_FOLLOW, -ALC_OS_NOT_CAPABLE},
        {"loop", ALC_OS_OPEN_FOLLOW, -ALC_OS_LOOP},
        {"loop/name", 0, -ALC_OS_LOOP},
        {"etc/words", 0, -ALC_OS_LOOP},
        {"", 0, -ALC_OS_NO_ENTRY},
        {"dev", 0, -ALC_OS_NO_SUCH_DEVICE},
        {"etc/name", ALC_OS_OPEN_DIRECTORY, -ALC_OS_NOT_DIRECTORY},
        {"etc/name", ALC_OS_OPEN_WRITE, -ALC_OS_READ_ONLY},
        {"etc/name", ALC_OS_OPEN_READ | ALC_OS_OPEN_TRUNCATE, -ALC_OS_READ_ONLY},
        {"etc/new", ALC_OS_OPEN_READ | ALC_OS_OPEN_CREATE, -ALC_OS_READ_ONLY},
        {"etc/name", ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE, -ALC_OS_EXISTS},
        {"etc", ALC_OS_OPEN_WRITE, -ALC_OS_IS_DIRECTORY},
        {"etc", 1u << 20, -ALC_OS_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t result = open_path(rows[i].path, rows[i].flags);
        if (result != rows[i].result) {
            fail_msg("%s: %d, expected %d", rows[i].path, (int)result, (int)rows[i].result);
        }
    }
    assert_int_equal(CALL(open_at, ARCHIVE_HANDLE, (const uint8_t *)"etc\0x", 5, 0),
                     -ALC_OS_INVALID);
    /* A directory is the start of paths, which do not leave it. */
    int64_t etc = open_path("usr/etc", ALC_OS_OPEN_DIRECTORY | ALC_OS_OPEN_FOLLOW);
    assert_true(etc >= ALC_ARCHIVE_FIRST_HANDLE);
    assert_int_equal(CALL(open_at, (int32_t)etc, (const uint8_t *)"words", 5, ALC_OS_OPEN_FOLLOW),
                     -ALC_OS_NOT_CAPABLE);
    int64_t name = CALL(open_at, (int32_t)etc, (const uint8_t *)"name", 4, 0);
    assert_true(name >= ALC_ARCHIVE_FIRST_HANDLE);
    assert_int_equal(CALL(open_at, (int32_t)name, (const uint8_t *)"x", 1, 0),
                     -ALC_OS_NOT_DIRECTORY);
}

static void test_handles(void **state)
{
    (void)state;
    char bytes[16];
    struct alc_span spans[2] = {{(uint8_t *)bytes, 2}, {(uint8_t *)bytes + 2, 9}};
    int64_t opened = open_path("etc/name", ALC_OS_OPEN_READ | ALC_OS_OPEN_NONBLOCK);
    assert_true(opened > 0);
    const int32_t handle = (int32_t)opened;
    assert_int_equal(CALL(read, handle, spans, 1), 2);
    assert_int_equal(CALL(read, handle, spans, 2), 4);
    assert_memory_equal(bytes, "cove", 4);
    assert_int_equal(CALL(read, handle, spans, 2), 0);
    assert_int_equal(CALL(seek, handle, -3, ALC_OS_SEEK_END), 3);
    assert_int_equal(CALL(seek, handle, 1, ALC_OS_SEEK_CUR), 4);
    assert_int_equal(CALL(seek, handle, -5, ALC_OS_SEEK_CUR), -ALC_OS_INVALID);
    assert_int_equal(CALL(read, handle, spans, 1), 2);
    assert_memory_equal(bytes, "ve", 2);
    assert_int_equal(CALL(write, handle, spans, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL(write_at, handle, spans, 1, 0), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL(set_size, handle, 0), -ALC_OS_INVALID);
    assert_int_equal(CALL(set_times, handle, 0, 0, 1), -ALC_OS_READ_ONLY);
    assert_int_equal(CALL(sync, handle, 0), 0);
    assert_int_equal(CALL(get_flags, handle), ALC_OS_OPEN_NONBLOCK);
    assert_int_equal(CALL(accept, handle, 0), -ALC_OS_NOT_SOCKET);
    struct alc_os_poll polls[2] = {{.handle = handle, .wanted = ALC_OS_POLL_READ},
                                   {.handle = PLAIN_HANDLE, .wanted = ALC_OS_POLL_READ}};
    assert_int_equal(CALL(poll, polls, 2, -1), 1);
    assert_int_equal(polls[0].ready, ALC_OS_POLL_READ);
    assert_int_equal(polls[1].ready, 0);
    assert_int_equal(CALL(close, handle), 0);
    assert_int_equal(CALL(read, handle, spans, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL(close, handle), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(CALL(unlink_at, ARCHIVE_HANDLE, (const uint8_t *)"empty", 5),
                     -ALC_OS_READ_ONLY);
    assert_int_equal(CALL(rename_at, ARCHIVE_HANDLE, (const uint8_t *)"empty", 5, PLAIN_HANDLE,
                          (const uint8_t *)"x", 1),
                     -ALC_OS_CROSS_DEVICE);
}

static void test_handle_limit(void **state)
{
    (void)state;
    for (unsigned i = 1; i < ALC_LIMIT_ARCHIVE_HANDLES; i++) {
        assert_true(open_path("empty", 0) > 0);
    }
    assert_int_equal(open_path("empty", 0), -ALC_OS_TOO_MANY_OPEN);
    assert_int_equal(CALL(close, ALC_ARCHIVE_FIRST_HANDLE + 5), 0);
    assert_int_equal(open_path("empty", 0), ALC_ARCHIVE_FIRST_HANDLE + 5);
}

enum { NAMES_SIZE = 512 };

/* Names of a directory, read with a buffer of `size` bytes. */
static void list_names(const char *path, size_t size, char *out)
{
    uint8_t buf[512];
    uint64_t cookie = 0;
    int64_t handle = open_path(path, ALC_OS_OPEN_DIRECTORY);
    assert_true(handle > 0);
    *out = '\0';
    while (true) {
        int64_t used = CALL(read_directory, (int32_t)handle, cookie, buf, size);
        assert_true(used >= 0);
        if (used == 0) {
            break;
        }
        for (int64_t at = 0; at < used;) {
            struct alc_os_directory_entry entry;
            memcpy(&entry, buf + at, sizeof entry);
            size_t length = strlen(out);
            snprintf(out + length, NAMES_SIZE - length, "%.*s ", (int)entry.name_size,
                     (const char *)buf + at + sizeof entry);
            cookie = entry.next;
            at += (int64_t)sizeof entry + entry.name_size;
        }
    }
    assert_int_equal(CALL(close, (int32_t)handle), 0);
}

static void test_directories(void **state)
{
    (void)state;
    char names[NAMES_SIZE];
    uint8_t buf[64];
    static const size_t sizes[] = {512, 100, 31};
    for (size_t i = 0; i < 3; i++) {
        list_names("etc", sizes[i], names);
        assert_string_equal(names, ". .. name words again ");
        list_names(".", sizes[i], names);
        assert_string_equal(names, ". .. etc usr loop out root dev empty ");
    }
    assert_int_equal(CALL(read_directory, ARCHIVE_HANDLE, 0, buf, 24), -ALC_OS_OVERFLOW);
    assert_int_equal(CALL(read_directory, ARCHIVE_HANDLE, 1u << 30, buf, 64), 0);
}

/* -- what archivers write -- */

static void tar_pax(const char *records)
{
    tar_header("pax", 'x', "", strlen(records));
    tar_contents(records, strlen(records));
}

static void test_extensions(void **state)
{
    (void)state;
    char name[300];
    struct alc_os_stat stat;
    memset(name, 'n', sizeof name);
    name[200] = '/';
    name[299] = '\0';
    tar_begin();
    tar_header("g", 'g', "", 19);
    tar_contents("19 path=everybody\n ", 19);
    tar_pax("16 path=dir/one\n27 mtime=1700000001.250000\n28 SCHILY.xattr.user.x=some\n");
    tar_file("ignored", "first");
    tar_pax("15 size=000006\n");
    tar_header("sized", '0', "", 1);
    tar_contents("second", 6);
    tar_header("././@LongLink", 'L', "", sizeof name);
    tar_contents(name, sizeof name);
    tar_file("cut", "third");
    tar_header("././@LongLink", 'K', "", 8);
    tar_contents("dir/one", 8);
    tar_header("link", '2', "cut", 0);
    uint8_t *header = tar_header("prefixed", '0', "", 0);
    memcpy(header + 345, "a/b", 3);
    set_sum(header);
    header = tar_header("binary", '0', "", 0);
    memcpy(header + 124, "\x80\0\0\0\0\0\0\0\0\0\0\x04", 12);
    set_sum(header);
    tar_contents("four", 4);
    tar_header("old/", '\0', "", 0);
    tar_end();
    assert_int_equal(open_tar(), ALC_OK);
    expect_text("dir/one", "first");
    assert_int_equal(stat_path("dir/one", 0, &stat), 0);
    assert_true(stat.modify_time_ns == UINT64_C(1700000001250000000));
    expect_text("sized", "second");
    expect_text(name, "third");
    expect_text("link", "first");
    expect_text("a/b/prefixed", "");
    expect_text("binary", "four");
    assert_int_equal(stat_path("old", 0, &stat), 0);
    assert_int_equal(stat.type, ALC_OS_TYPE_DIRECTORY);
}

/* A later entry takes the place of an earlier one. */
static void test_replaced(void **state)
{
    (void)state;
    tar_begin();
    tar_file("a", "old");
    tar_link("b", "a");
    tar_file("a", "newer");
    tar_file("b", "no link");
    tar_end();
    assert_int_equal(open_tar(), ALC_OK);
    expect_text("a", "newer");
    expect_text("b", "no link");
}

static void test_empty(void **state)
{
    (void)state;
    tar_begin();
    assert_int_equal(open_tar(), ALC_OK); /* no byte at all */
    assert_int_equal(open_path("x", 0), -ALC_OS_NO_ENTRY);
    tar_end();
    assert_int_equal(open_tar(), ALC_OK);
    tar_begin();
    tar_file("x", "without an end");
    assert_int_equal(open_tar(), ALC_OK);
    expect_text("x", "without an end");
}

static void expect_bad(uint64_t offset, const char *why)
{
    assert_int_equal(open_tar(), ALC_E_BAD_ARCHIVE);
    assert_true(error.offset == offset);
    assert_string_equal(error.detail, why);
}

static void test_bad_archives(void **state)
{
    (void)state;
    tar_begin();
    tar_file("a", "1");
    tar_bytes[1024 + 3] = 7;
    tar_size += 512;
    expect_bad(1024, "not a header of a tar archive");
    tar_bytes[1024 + 3] = 0;
    tar_size = 1024 + 500;
    expect_bad(1024, "cut header");
    tar_begin();
    tar_file("../a", "1");
    expect_bad(0, "name that makes no tree");
    tar_begin();
    tar_file("a", "1");
    tar_file("a/b", "1");
    expect_bad(1024, "name that makes no tree");
    tar_begin();
    tar_directory("a");
    tar_file("a", "1");
    expect_bad(512, "name that makes no tree");
    tar_begin();
    tar_header("a", '1', "nothing", 0);
    expect_bad(0, "name that makes no tree");
    tar_begin();
    tar_header("a", '1', "a", 0);
    expect_bad(0, "name that makes no tree");
    tar_begin();
    tar_header("a", '2', "", 0);
    expect_bad(0, "symbolic link to nothing");
    tar_begin();
    tar_header("a", 'S', "", 0);
    expect_bad(0, "entry of an unknown type");
    tar_begin();
    tar_header("a", '0', "", 513);
    tar_contents("x", 1);
    expect_bad(0, "entry ends behind the archive");
    tar_begin();
    tar_pax("9 path=a\n");
    tar_pax("12 path=a\n");
    expect_bad(1024, "malformed extended header");
    tar_begin();
    tar_pax("8 pathx\n");
    expect_bad(0, "extended header without a value");
    tar_begin();
    tar_pax("20 GNU.sparse.map=0\n");
    expect_bad(0, "sparse file");
    tar_begin();
    tar_pax("9 size=x\n");
    expect_bad(0, "value of an extended header");
    tar_begin();
    uint8_t *header = tar_header("a", '0', "", 0);
    header[124] = '9';
    set_sum(header);
    expect_bad(0, "malformed size");
    tar_begin();
    tar_header("a", 'x', "", ALC_LIMIT_ARCHIVE_EXTENSION_SIZE + 1);
    tar_size += ALC_LIMIT_ARCHIVE_EXTENSION_SIZE + 512;
    expect_bad(0, "extended header is too large");
}

static void test_limits(void **state)
{
    (void)state;
    char name[2 * ALC_LIMIT_ARCHIVE_DEPTH + 16];
    memset(name, 'n', sizeof name);
    for (size_t extra = 0; extra < 2; extra++) {
        tar_begin();
        name[ALC_LIMIT_ARCHIVE_NAME_SIZE + extra] = '\0';
        tar_header("L", 'L', "", strlen(name));
        tar_contents(name, strlen(name));
        tar_file("", "x");
        assert_int_equal(open_tar(), extra == 0 ? ALC_OK : ALC_E_BAD_ARCHIVE);
        memset(name, 'n', sizeof name);
    }
    for (size_t extra = 0; extra < 2; extra++) {
        size_t depth = ALC_LIMIT_ARCHIVE_DEPTH + extra;
        for (size_t i = 0; i < depth; i++) {
            memcpy(name + 2 * i, "d/", 2);
        }
        name[2 * depth] = '\0';
        tar_begin();
        tar_header("L", 'L', "", strlen(name));
        tar_contents(name, strlen(name));
        tar_directory("");
        assert_int_equal(open_tar(), extra == 0 ? ALC_OK : ALC_E_BAD_ARCHIVE);
    }
}

static void test_little_memory(void **state)
{
    (void)state;
    struct alc_archive_options options = {
        .host = &host, .archive = ARCHIVE_HANDLE, .tree = TREE_HANDLE};
    make_sample();
    measure();
    memcpy(options.digest, file_digest, sizeof options.digest);
    for (size_t size = 0; size < 5 << 20; size += 300000) {
        alc_arena_init(&arena, arena_bytes, size);
        alc_status status = alc_archive_open(&arena, &options, &archive, NULL);
        assert_true(status == ALC_OK || status == ALC_E_OUT_OF_MEMORY);
        assert_true(status == ALC_E_OUT_OF_MEMORY || size > 4 << 20);
    }
}

/* -- a host that lies -- */

enum { BIG_SIZE = 6 << 20 };

static void make_big(void)
{
    tar_begin();
    tar_header("big", '0', "", BIG_SIZE);
    for (size_t i = 0; i < BIG_SIZE; i++) {
        tar_bytes[512 + i] = (uint8_t)(i * 31 ^ i >> 11);
    }
    tar_size += BIG_SIZE;
    tar_file("last", "end");
    tar_end();
}

/* Larger than what is kept of it, with a tree of three levels. */
static void test_big_file(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    make_big();
    assert_int_equal(open_tar(), ALC_OK);
    assert_int_equal(verity.levels_count, 2);
    int64_t handle = open_path("big", 0);
    for (uint64_t at = 0; at < BIG_SIZE; at += sizeof bytes) {
        int64_t count = read_handle_at(handle, bytes, sizeof bytes, at);
        assert_true(count > 0);
        assert_memory_equal(bytes, tar_bytes + 512 + at, (size_t)count);
    }
    uint32_t random = 1;
    for (unsigned i = 0; i < 2000; i++) {
        random = random * 1664525 + 1013904223;
        uint64_t at = random % BIG_SIZE;
        int64_t count = read_handle_at(handle, bytes, random >> 20, at);
        assert_true(count >= 0);
        assert_memory_equal(bytes, tar_bytes + 512 + at, (size_t)count);
    }
    assert_int_equal(reports_count, 0);
    expect_text("last", "end");
    /* In order, one call of the host (in pieces of 10,000 bytes) brings many blocks. */
    assert_int_equal(open_measured(), ALC_OK);
    handle = open_path("big", 0);
    reads_count = 0;
    for (uint64_t at = 0; at < 4 << 20; at += 4096) {
        assert_int_equal(read_handle_at(handle, bytes, 4096, at), 4096);
    }
    assert_in_range(reads_count, 64, 600);
}

/* Every changed byte: the archive is not opened, or what is read is what the digest names. */
static void test_changed_bytes(void **state)
{
    (void)state;
    make_sample();
    measure();
    uint8_t original[8192];
    memcpy(original, tar_bytes, sizeof original);
    for (size_t at = 0; at < tar_size; at++) {
        tar_bytes[at] ^= (uint8_t)(1u << at % 8);
        alc_status status = open_measured();
        if (status == ALC_OK) {
            int64_t handle = open_path("etc/name", 0);
            char text[6];
            int64_t count = read_handle_at(handle, text, 6, 0);
            assert_true(count == -ALC_OS_IO || memcmp(text, "alcove", 6) == 0);
        } else {
            assert_int_equal(status, ALC_E_IO_FAILED);
        }
        tar_bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    assert_memory_equal(original, tar_bytes, tar_size);
    make_big();
    measure();
    for (size_t at = 5; at < verity.tree_blocks * 4096; at += 4001) {
        tree_bytes[at] ^= 1;
        bool is_used = at / 4096 == verity.first_block[2]
                           ? at % 4096 < verity.blocks[1] * 32
                           : at / 4096 < verity.blocks[1] - 1 || at % 4096 < 32;
        alc_status status = open_measured();
        bool is_found = status != ALC_OK;
        if (!is_found) {
            int64_t handle = open_path("big", 0);
            static uint8_t bytes[1 << 16];
            for (uint64_t offset = 0; offset < BIG_SIZE; offset += sizeof bytes) {
                int64_t count = read_handle_at(handle, bytes, sizeof bytes, offset);
                is_found |= count < 0;
                assert_true(count < 0 ||
                            memcmp(bytes, tar_bytes + 512 + offset, (size_t)count) == 0);
            }
        }
        assert_true(is_found || !is_used || at / 4096 == verity.blocks[1] - 1);
        tree_bytes[at] ^= 1;
    }
}

static void test_lying_host(void **state)
{
    (void)state;
    char text[8];
    make_big();
    measure();
    assert_int_equal(open_measured(), ALC_OK);
    int64_t handle = open_path("big", 0);
    tar_bytes[512 + (3 << 20)] ^= 1;
    assert_int_equal(read_handle_at(handle, text, 8, 3 << 20), -ALC_OS_IO);
    assert_int_equal(reports_count, 1);
    assert_int_equal(reported_level, 0);
    assert_int_equal(reported_block, ((3 << 20) + 512) / 4096);
    assert_int_equal(read_handle_at(handle, text, 8, 4 << 20), 8);
    tar_bytes[512 + (3 << 20)] ^= 1;
    assert_int_equal(read_handle_at(handle, text, 8, 3 << 20), 8);
    is_short = true;
    assert_int_equal(read_handle_at(handle, text, 8, 5 << 20), -ALC_OS_IO);
    assert_int_equal(open_measured(), ALC_E_IO_FAILED);
    is_short = false;
    tar_size -= 512; /* another size is another file */
    assert_int_equal(open_measured(), ALC_E_IO_FAILED);
}

/* A host that answers with numbers of an archive's handles. */
static void test_numbers_of_handles(void **state)
{
    (void)state;
    int64_t opened = open_path("etc/name", 0);
    const int64_t answers[][2] = {{30, 30},
                                  {-ALC_OS_NO_ENTRY, -ALC_OS_NO_ENTRY},
                                  {opened, -ALC_OS_IO},
                                  {ARCHIVE_HANDLE, -ALC_OS_IO},
                                  {INT64_C(1) << 31, -ALC_OS_IO}};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        plain_answer = answers[i][0];
        assert_int_equal(CALL(open_at, PLAIN_HANDLE, (const uint8_t *)"x", 1, 0), answers[i][1]);
        assert_int_equal(CALL(accept, PLAIN_HANDLE, 0), answers[i][1]);
    }
}

static int tear_down(void **state)
{
    (void)state;
    free(arena_bytes);
    arena_bytes = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_files, set_up),
        cmocka_unit_test_setup(test_paths, set_up),
        cmocka_unit_test_setup(test_handles, set_up),
        cmocka_unit_test_setup(test_handle_limit, set_up),
        cmocka_unit_test_setup(test_directories, set_up),
        cmocka_unit_test_setup(test_extensions, set_up),
        cmocka_unit_test_setup(test_replaced, set_up),
        cmocka_unit_test_setup(test_empty, set_up),
        cmocka_unit_test_setup(test_bad_archives, set_up),
        cmocka_unit_test_setup(test_limits, set_up),
        cmocka_unit_test_setup(test_little_memory, set_up),
        cmocka_unit_test_setup(test_big_file, set_up),
        cmocka_unit_test_setup(test_changed_bytes, set_up),
        cmocka_unit_test_setup(test_lying_host, set_up),
        cmocka_unit_test_setup(test_numbers_of_handles, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
