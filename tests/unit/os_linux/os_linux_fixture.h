/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of os_linux share: a fresh directory granted as handle 8, in both ways of
 * resolving paths, and calls that take C strings.
 */
#ifndef ALC_TESTS_OS_LINUX_FIXTURE_H
#define ALC_TESTS_OS_LINUX_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os_linux/os_linux.h"

enum { ROOT = ALC_OS_FIRST_MOUNT };

struct fixture {
    char base[64]; /* a new directory; `base`/mount is the mount */
    struct alc_os_linux *system;
    const struct alc_os_operations *os;
    void *context;
};

#define BYTES(text) (const uint8_t *)(text), strlen(text)

static inline int setup_with(void **state, bool walk_paths)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct alc_os_linux_options options = {.walk_paths = walk_paths};
    char path[96];
    snprintf(fixture->base, sizeof fixture->base, "/tmp/alcove-os-XXXXXX");
    assert_non_null(mkdtemp(fixture->base));
    snprintf(path, sizeof path, "%s/mount", fixture->base);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(alc_os_linux_new(&options, &fixture->system), ALC_OK);
    assert_int_equal(alc_os_linux_grant_directory(fixture->system, ROOT, path, 0), ROOT);
    fixture->os = alc_os_linux_get_os(fixture->system)->operations;
    fixture->context = alc_os_linux_get_os(fixture->system)->context;
    *state = fixture;
    return 0;
}

static inline int setup_kernel(void **state)
{
    return setup_with(state, false);
}

static inline int setup_walk(void **state)
{
    return setup_with(state, true);
}

static inline int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->base);
    int failed = system(command);
    alc_os_linux_free(fixture->system);
    free(fixture);
    return failed;
}

/* A path beneath the mount as the test program sees it. */
static inline const char *outside_path(const struct fixture *fixture, const char *name)
{
    static char path[4][256];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", fixture->base, name);
    return path[turn];
}

static inline void write_outside(const struct fixture *fixture, const char *name, const char *text)
{
    FILE *file = fopen(outside_path(fixture, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static inline int64_t open_named(const struct fixture *fixture, const char *path, uint32_t flags)
{
    return fixture->os->open_at(fixture->context, ROOT, BYTES(path), flags);
}

/* Reads the whole of a small file by path; the size or minus an error. */
static inline int64_t read_named(const struct fixture *fixture, const char *path, uint32_t flags,
                                 char *text, size_t size)
{
    int64_t handle = open_named(fixture, path, flags | ALC_OS_OPEN_READ);
    if (handle < 0) {
        return handle;
    }
    struct alc_span span = {.bytes = (uint8_t *)text, .size = size - 1};
    int64_t result = fixture->os->read(fixture->context, (int32_t)handle, &span, 1);
    assert_int_equal(fixture->os->close(fixture->context, (int32_t)handle), 0);
    text[result < 0 ? 0 : result] = '\0';
    return result;
}

/* The same test in both ways of resolving paths. */
#define BOTH_WAYS(test)                                                                            \
    {#test " by the kernel", test, setup_kernel, teardown, NULL},                                  \
    {                                                                                              \
        #test " by walking", test, setup_walk, teardown, NULL                                      \
    }

#endif
