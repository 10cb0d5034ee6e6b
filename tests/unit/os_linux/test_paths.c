/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of os_linux: every kind of escape is refused, in both ways of resolving, also while
 * somebody renames directories; what stays inside works.
 */
#include <pthread.h>

#include "os_linux_fixture.h"

static void make_tree(struct fixture *fixture)
{
    write_outside(fixture, "secret", "secret");
    assert_int_equal(mkdir(outside_path(fixture, "mount/a"), 0700), 0);
    assert_int_equal(mkdir(outside_path(fixture, "mount/a/b"), 0700), 0);
    write_outside(fixture, "mount/file", "inside");
    write_outside(fixture, "mount/a/b/deep", "deep");
    assert_int_equal(symlink("../secret", outside_path(fixture, "mount/out")), 0);
    assert_int_equal(symlink("/etc/passwd", outside_path(fixture, "mount/absolute")), 0);
    assert_int_equal(symlink("..", outside_path(fixture, "mount/up")), 0);
    assert_int_equal(symlink("a/../../secret", outside_path(fixture, "mount/around")), 0);
    assert_int_equal(symlink("loop", outside_path(fixture, "mount/loop")), 0);
    assert_int_equal(symlink("a/b/", outside_path(fixture, "mount/good")), 0);
    assert_int_equal(symlink("../file", outside_path(fixture, "mount/a/back")), 0);
    assert_int_equal(symlink("missing", outside_path(fixture, "mount/dangling")), 0);
}

static void test_escapes_are_refused(void **state)
{
    static const char *const escapes[] = {
        "..",
        "../secret",
        "../mount/file",
        "/etc/passwd",
        "/",
        "a/../../secret",
        "out",
        "absolute",
        "up/secret",
        "up",
        "around",
        "a/b/../../../secret",
        "./../secret",
        "a/..//../secret",
        "up/mount/file",
        "good/../../../secret",
        "absolute/x",
        "up/.",
        "a/../..",
        "up/",
    };
    struct fixture *fixture = *state;
    char text[32];
    make_tree(fixture);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(escapes); i++) {
        struct alc_os_stat info;
        int64_t result = read_named(fixture, escapes[i], ALC_OS_OPEN_FOLLOW, text, sizeof text);
        if (result != -ALC_OS_NOT_CAPABLE) {
            fail_msg("%s gave %ld", escapes[i], (long)result);
        }
        assert_int_equal(fixture->os->stat_at(fixture->context, ROOT, BYTES(escapes[i]), 1, &info),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(fixture->os->set_times_at(fixture->context, ROOT, BYTES(escapes[i]), 1, 0,
                                                   0, ALC_OS_TIME_MODIFY_NOW),
                         -ALC_OS_NOT_CAPABLE);
        /* A file cannot be created at a name that ends in a slash, wherever it leads. */
        bool has_slash = escapes[i][strlen(escapes[i]) - 1] == '/' && escapes[i][1] != '\0';
        assert_int_equal(open_named(fixture, escapes[i],
                                    ALC_OS_OPEN_FOLLOW | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE |
                                        ALC_OS_OPEN_TRUNCATE),
                         has_slash ? -ALC_OS_IS_DIRECTORY : -ALC_OS_NOT_CAPABLE);
    }
}

static void test_changes_outside_are_refused(void **state)
{
    static const char *const names[] = {"../new", "up/new",  "/tmp/new",     "a/../../new",
                                        "..",     "a/../..", "absolute/new", "up/.."};
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    uint8_t buf[16];
    make_tree(fixture);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(names); i++) {
        const char *name = names[i];
        assert_int_equal(os->create_directory_at(fixture->context, ROOT, BYTES(name)),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->remove_directory_at(fixture->context, ROOT, BYTES(name)),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->unlink_at(fixture->context, ROOT, BYTES(name)), -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->rename_at(fixture->context, ROOT, BYTES("file"), ROOT, BYTES(name)),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->rename_at(fixture->context, ROOT, BYTES(name), ROOT, BYTES("x")),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->link_at(fixture->context, ROOT, BYTES("file"), 0, ROOT, BYTES(name)),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->symlink_at(fixture->context, BYTES("file"), ROOT, BYTES(name)),
                         -ALC_OS_NOT_CAPABLE);
        assert_int_equal(os->readlink_at(fixture->context, ROOT, BYTES(name), buf, sizeof buf),
                         -ALC_OS_NOT_CAPABLE);
    }
    assert_int_equal(os->link_at(fixture->context, ROOT, BYTES("out"), 1, ROOT, BYTES("copy")),
                     -ALC_OS_NOT_CAPABLE);
    assert_int_equal(os->link_at(fixture->context, ROOT, BYTES("../secret"), 0, ROOT, BYTES("c")),
                     -ALC_OS_NOT_CAPABLE);
    /* A slash behind a link must not make the kernel follow it. */
    struct alc_os_stat info;
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("up/"), 0, &info),
                     -ALC_OS_NOT_CAPABLE);
    assert_true(os->rename_at(fixture->context, ROOT, BYTES("up/"), ROOT, BYTES("x")) < 0);
    assert_true(os->unlink_at(fixture->context, ROOT, BYTES("up/")) < 0);
    assert_true(os->remove_directory_at(fixture->context, ROOT, BYTES("up/")) < 0);
    assert_int_equal(access(outside_path(fixture, "secret"), F_OK), 0);
    assert_int_equal(access(outside_path(fixture, "new"), F_OK), -1);
}

static void test_inside_works(void **state)
{
    static const struct {
        const char *path;
        const char *content;
    } files[] = {{"file", "inside"},         {"./file", "inside"},    {"a/../file", "inside"},
                 {"a/b/deep", "deep"},       {"good/deep", "deep"},   {"a/b/../back", "inside"},
                 {"good/../back", "inside"}, {"a//b///deep", "deep"}, {"good/../../file", "inside"},
                 {"a/./b/./deep", "deep"},   {"a/back", "inside"}};
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    char text[32];
    make_tree(fixture);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(files); i++) {
        int64_t result = read_named(fixture, files[i].path, ALC_OS_OPEN_FOLLOW, text, sizeof text);
        if (result < 0 || strcmp(text, files[i].content) != 0) {
            fail_msg("%s gave %ld %s", files[i].path, (long)result, result < 0 ? "" : text);
        }
    }
    assert_int_equal(read_named(fixture, "loop", ALC_OS_OPEN_FOLLOW, text, sizeof text),
                     -ALC_OS_LOOP);
    assert_int_equal(read_named(fixture, "a/back", 0, text, sizeof text), -ALC_OS_LOOP);
    assert_int_equal(read_named(fixture, "file/x", ALC_OS_OPEN_FOLLOW, text, sizeof text),
                     -ALC_OS_NOT_DIRECTORY);
    assert_int_equal(read_named(fixture, "file/", ALC_OS_OPEN_FOLLOW, text, sizeof text),
                     -ALC_OS_NOT_DIRECTORY);
    assert_int_equal(read_named(fixture, "dangling", ALC_OS_OPEN_FOLLOW, text, sizeof text),
                     -ALC_OS_NO_ENTRY);
    assert_int_equal(read_named(fixture, "", ALC_OS_OPEN_FOLLOW, text, sizeof text),
                     -ALC_OS_NO_ENTRY);
    assert_int_equal(
        os->open_at(fixture->context, ROOT, (const uint8_t *)"fi\0e", 4, ALC_OS_OPEN_READ),
        -ALC_OS_INVALID);
    int64_t handle = open_named(fixture, "dangling",
                                ALC_OS_OPEN_FOLLOW | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    assert_true(handle > ROOT);
    assert_int_equal(access(outside_path(fixture, "mount/missing"), F_OK), 0);
    handle =
        open_named(fixture, "good", ALC_OS_OPEN_FOLLOW | ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY);
    assert_true(handle > ROOT);
    assert_int_equal(os->open_at(fixture->context, (int32_t)handle, BYTES("../.."),
                                 ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY),
                     -ALC_OS_NOT_CAPABLE);
}

static void test_links_and_names(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    uint8_t buf[64] = {0};
    struct alc_os_stat info;
    make_tree(fixture);
    assert_int_equal(os->readlink_at(fixture->context, ROOT, BYTES("out"), buf, sizeof buf), 9);
    assert_memory_equal(buf, "../secret", 9);
    assert_int_equal(os->readlink_at(fixture->context, ROOT, BYTES("out"), buf, 2), 2);
    assert_int_equal(os->readlink_at(fixture->context, ROOT, BYTES("file"), buf, 2),
                     -ALC_OS_INVALID);
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("out"), 0, &info), 0);
    assert_int_equal(info.type, ALC_OS_TYPE_SYMBOLIC_LINK);
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("good"), 1, &info), 0);
    assert_int_equal(info.type, ALC_OS_TYPE_DIRECTORY);
    assert_int_equal(os->link_at(fixture->context, ROOT, BYTES("file"), 0, ROOT, BYTES("a/twin")),
                     0);
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("a/twin"), 0, &info), 0);
    assert_int_equal(info.link_count, 2);
    assert_int_equal(os->link_at(fixture->context, ROOT, BYTES("a/back"), 1, ROOT, BYTES("third")),
                     0);
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("third"), 0, &info), 0);
    assert_int_equal(info.link_count, 3);
    assert_int_equal(os->create_directory_at(fixture->context, ROOT, BYTES("made/")), 0);
    assert_int_equal(os->rename_at(fixture->context, ROOT, BYTES("file"), ROOT, BYTES("made/f")),
                     0);
    assert_int_equal(os->remove_directory_at(fixture->context, ROOT, BYTES("made")),
                     -ALC_OS_NOT_EMPTY);
    assert_int_equal(os->unlink_at(fixture->context, ROOT, BYTES("made/f")), 0);
    assert_int_equal(os->remove_directory_at(fixture->context, ROOT, BYTES("made")), 0);
    assert_int_equal(os->unlink_at(fixture->context, ROOT, BYTES("a")), -ALC_OS_IS_DIRECTORY);
    assert_int_equal(os->symlink_at(fixture->context, BYTES("a/b/deep"), ROOT, BYTES("s")), 0);
    char text[16];
    assert_int_equal(read_named(fixture, "s", ALC_OS_OPEN_FOLLOW, text, sizeof text), 4);
    assert_int_equal(os->set_times_at(fixture->context, ROOT, BYTES("s"), 1, 5000000001, 7,
                                      ALC_OS_TIME_ACCESS | ALC_OS_TIME_MODIFY),
                     0);
    assert_int_equal(os->stat_at(fixture->context, ROOT, BYTES("a/b/deep"), 0, &info), 0);
    assert_int_equal(info.access_time_ns, 5000000001);
    assert_int_equal(info.modify_time_ns, 7);
}

static void test_read_only_mount(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    char text[16];
    make_tree(fixture);
    int32_t dir = (int32_t)alc_os_linux_grant_directory(fixture->system, ALC_OS_LINUX_ANY_HANDLE,
                                                        outside_path(fixture, "mount"),
                                                        ALC_OS_LINUX_READ_ONLY);
    assert_true(dir > ROOT);
    int64_t handle = os->open_at(fixture->context, dir, BYTES("file"), ALC_OS_OPEN_READ);
    assert_true(handle > dir);
    struct alc_span span = {.bytes = (uint8_t *)text, .size = sizeof text};
    assert_int_equal(os->read(fixture->context, (int32_t)handle, &span, 1), 6);
    assert_int_equal(os->set_size(fixture->context, (int32_t)handle, 0), -ALC_OS_READ_ONLY);
    int64_t sub =
        os->open_at(fixture->context, dir, BYTES("a"), ALC_OS_OPEN_READ | ALC_OS_OPEN_DIRECTORY);
    assert_true(sub > dir);
    for (int i = 0; i < 2; i++) {
        int32_t from = i == 0 ? dir : (int32_t)sub;
        assert_int_equal(
            os->open_at(fixture->context, from, BYTES("n"), ALC_OS_OPEN_CREATE | ALC_OS_OPEN_READ),
            -ALC_OS_READ_ONLY);
        assert_int_equal(os->open_at(fixture->context, from, BYTES("b"), ALC_OS_OPEN_WRITE),
                         -ALC_OS_READ_ONLY);
        assert_int_equal(os->unlink_at(fixture->context, from, BYTES("back")), -ALC_OS_READ_ONLY);
        assert_int_equal(os->rename_at(fixture->context, from, BYTES("back"), ROOT, BYTES("x")),
                         -ALC_OS_READ_ONLY);
        assert_int_equal(os->link_at(fixture->context, from, BYTES("back"), 0, ROOT, BYTES("x")),
                         -ALC_OS_READ_ONLY);
        assert_int_equal(
            os->set_times_at(fixture->context, from, BYTES("b"), 0, 0, 0, ALC_OS_TIME_ACCESS),
            -ALC_OS_READ_ONLY);
    }
}

/* -- a rename race: `a/b` and a directory outside change places while paths go through `b/..` -- */

struct racer {
    char inside[256];
    char outside[256];
    bool stop;
};

static void *swap_directories(void *argument)
{
    struct racer *racer = argument;
    while (!__atomic_load_n(&racer->stop, __ATOMIC_RELAXED)) {
        rename(racer->inside, racer->outside);
        rename(racer->outside, racer->inside);
    }
    return NULL;
}

/* Those who ask for a lock get the file alone, or share it for reading; closing gives it back. */
static void test_locks(void **state)
{
    enum { WRITE = ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_LOCK };
    enum { READ = ALC_OS_OPEN_READ | ALC_OS_OPEN_LOCK };
    struct fixture *fixture = *state;
    int64_t writer = fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), WRITE);
    assert_true(writer > 0);
    assert_int_equal(fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), WRITE),
                     -ALC_OS_BUSY);
    assert_int_equal(fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), READ),
                     -ALC_OS_BUSY);
    int64_t other = fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), ALC_OS_OPEN_READ);
    assert_true(other > 0);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)other), 0);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)writer), 0);
    int64_t first = fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), READ);
    int64_t second = fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), READ);
    assert_true(first > 0 && second > 0);
    assert_int_equal(fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), WRITE),
                     -ALC_OS_BUSY);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)first), 0);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)second), 0);
    writer = fixture->os->open_at(fixture->context, ROOT, BYTES("locked"), WRITE);
    assert_true(writer > 0);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)writer), 0);
}

static void test_rename_race(void **state)
{
    struct fixture *fixture = *state;
    struct racer racer = {.stop = false};
    pthread_t thread;
    char text[32];
    make_tree(fixture);
    /* One level below the base, so that `x/../..` is the place of the secret once moved out. */
    assert_int_equal(mkdir(outside_path(fixture, "mount/a/b/c"), 0700), 0);
    snprintf(racer.inside, sizeof racer.inside, "%s", outside_path(fixture, "mount/a/b"));
    snprintf(racer.outside, sizeof racer.outside, "%s", outside_path(fixture, "moved"));
    assert_int_equal(pthread_create(&thread, NULL, swap_directories, &racer), 0);
    int succeeded = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t result =
            read_named(fixture, "a/b/c/../../secret", ALC_OS_OPEN_FOLLOW, text, sizeof text);
        assert_true(result < 0);
        result = read_named(fixture, "a/b/c/../../../file", ALC_OS_OPEN_FOLLOW, text, sizeof text);
        succeeded += result == 6;
    }
    __atomic_store_n(&racer.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_true(succeeded > 0);
}

static void test_limits_of_names(void **state)
{
    struct fixture *fixture = *state;
    static char path[ALC_LIMIT_WASI_PATH_SIZE + 2];
    memset(path, '/', sizeof path - 1);
    memcpy(path, "a", 1);
    assert_int_equal(open_named(fixture, path, ALC_OS_OPEN_READ), -ALC_OS_NAME_TOO_LONG);
    memset(path, 'n', 256);
    path[256] = '\0';
    assert_int_equal(open_named(fixture, path, ALC_OS_OPEN_READ), -ALC_OS_NAME_TOO_LONG);
    path[255] = '\0';
    assert_int_equal(open_named(fixture, path, ALC_OS_OPEN_READ), -ALC_OS_NO_ENTRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH_WAYS(test_escapes_are_refused), BOTH_WAYS(test_changes_outside_are_refused),
        BOTH_WAYS(test_inside_works),        BOTH_WAYS(test_links_and_names),
        BOTH_WAYS(test_read_only_mount),     BOTH_WAYS(test_rename_race),
        BOTH_WAYS(test_limits_of_names),     BOTH_WAYS(test_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
