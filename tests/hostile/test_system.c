/* SPDX-License-Identifier: Apache-2.0
 *
 * An enclave that somebody else wrote: hundreds of thousands of made-up requests against the real
 * dispatcher and the real system. It may do what it likes beneath its mount; nothing beside the
 * mount changes, no descriptor of this process but the granted ones is used, and this process lives
 * on.
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
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostcall/hostcall_host.h"
#include "os_linux/os_linux.h"

enum { REQUESTS = 60000, FILE_SIZE_MAX = 1 << 20, MOUNT = ALC_OS_FIRST_MOUNT };

static char base[64];
static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static const char *beneath(const char *name)
{
    static char path[4][160];
    static unsigned turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", base, name);
    return path[turn];
}

/* Paths made of pieces that mean something; the bytes of one piece of the payload. */
static uint32_t write_path(uint8_t *payload)
{
    static const char *const parts[] = {"..", ".",  "a",  "b",      "c",  "link",
                                        "/",  "//", "..", "secret", "up", "root"};
    uint32_t size = 0;
    for (uint64_t left = next_random() % 6; left != 0; left--) {
        const char *part = parts[next_random() % ALC_ARRAY_COUNT(parts)];
        memcpy(payload + size, part, strlen(part));
        size += (uint32_t)strlen(part);
        payload[size++] = '/';
    }
    size -= size != 0 && (next_random() & 3) != 0;
    return size;
}

/* Rows as they lay out their scalars: handles in front, sizes of paths behind them; or anything. */
static void make_request(struct alc_ring_channel *channel, struct alc_ring_slot *slot)
{
    uint32_t words[10];
    uint32_t first = write_path(channel->payload);
    uint32_t second = write_path(channel->payload + ((first + 7) & ~UINT32_C(7)));
    for (size_t i = 0; i < 10; i++) {
        uint64_t number = next_random();
        words[i] =
            (number & 3) == 0 ? (uint32_t)(number >> 32) : (uint32_t)(number >> 32) % (MOUNT + 3);
    }
    words[0] = (next_random() & 3) == 0 ? words[0] : MOUNT + (uint32_t)(next_random() % 8);
    if ((next_random() & 7) != 0) {
        words[1] = first;
        words[2 + (next_random() & 1)] = MOUNT + (uint32_t)(next_random() % 4);
        words[3 + (next_random() & 1)] = second;
    }
    *slot = (struct alc_ring_slot){.seq = 1, .buf_size = ALC_LIMIT_HOSTCALL_BUFFER};
    do {
        slot->op = (uint16_t)(1 + next_random() % (ALC_HOSTCALL_OPS - 1));
        if ((next_random() & 1) == 0) { /* those that take paths, of which few mean anything */
            slot->op =
                (uint16_t)(ALC_HOSTCALL_OPEN_AT +
                           next_random() % (ALC_HOSTCALL_READ_DIRECTORY - ALC_HOSTCALL_OPEN_AT));
        }
    } while (slot->op == ALC_HOSTCALL_POLL ||
             slot->op == ALC_HOSTCALL_THREAD_SLEEP); /* would wait */
    memcpy(slot->args, words, sizeof words);
}

static void expect_untouched(void)
{
    char text[8] = {0};
    struct stat info;
    FILE *file = fopen(beneath("secret"), "r");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 6);
    assert_memory_equal(text, "secret", 6);
    fclose(file);
    assert_int_equal(stat(beneath("secret"), &info), 0);
    assert_int_equal(info.st_nlink, 1);
    assert_int_equal(info.st_mtime, 1000);
    assert_int_equal(stat(beneath("root"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(stat(beneath("other"), &info), 0);
    assert_int_equal(info.st_nlink, 2); /* no folder was made in it */
}

static void make_folder(void)
{
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct rlimit file_size = {.rlim_cur = FILE_SIZE_MAX, .rlim_max = FILE_SIZE_MAX};
    snprintf(base, sizeof base, "/tmp/alcove-system-XXXXXX");
    assert_non_null(mkdtemp(base));
    FILE *file = fopen(beneath("secret"), "w");
    assert_non_null(file);
    fputs("secret", file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, beneath("secret"), times, 0), 0);
    assert_int_equal(mkdir(beneath("other"), 0700), 0);
    assert_int_equal(mkdir(beneath("root"), 0700), 0);
    assert_int_equal(mkdir(beneath("root/a"), 0700), 0);
    assert_int_equal(symlink("../../secret", beneath("root/a/link")), 0);
    assert_int_equal(symlink("../secret", beneath("root/link")), 0);
    assert_int_equal(symlink("..", beneath("root/up")), 0);
    /* Sizes are made up, too: the disk stays as it is. */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &file_size), 0);
}

static void send_requests(const struct alc_os_linux_options *options)
{
    struct alc_os_linux *system;
    struct alc_hostcall_server server;
    struct alc_ring_region *region = aligned_alloc(ALC_RING_PAGE_SIZE, ALC_RING_REGION_SIZE);
    int null_fd = open("/dev/null", O_RDWR);
    uint64_t successes[ALC_HOSTCALL_OPS] = {0};
    assert_int_equal(alc_os_linux_new(options, &system), ALC_OK);
    assert_int_equal(alc_os_linux_grant(system, 0, null_fd, ALC_OS_LINUX_OWNED), 0);
    assert_int_equal(alc_os_linux_grant_directory(system, MOUNT, beneath("root"), 0), MOUNT);
    assert_int_equal(
        alc_os_linux_grant_directory(system, MOUNT + 1, beneath("other"), ALC_OS_LINUX_READ_ONLY),
        MOUNT + 1);
    memset(region, 0, ALC_RING_REGION_SIZE);
    alc_hostcall_region_init(region);
    alc_hostcall_server_init(&server, region, 0, alc_os_linux_get_os(system));
    struct alc_ring_control *control = &region->channels[0].control;
    for (int i = 0; i < REQUESTS; i++) {
        uint64_t index = server.request_head & (ALC_RING_SLOTS - 1);
        make_request(&region->channels[0], &control->requests[index]);
        uint16_t op = control->requests[index].op;
        /* The mounts themselves stay, so that there is something to attack. */
        if (op == ALC_HOSTCALL_CLOSE && (uint32_t)control->requests[index].args[0] <= MOUNT + 1) {
            continue;
        }
        control->request_tail = server.request_head + 1;
        assert_int_equal(alc_hostcall_serve(&server), ALC_OK);
        successes[op] += control->completions[index].result >= 0;
    }
    alc_os_linux_free(system);
    free(region);
    expect_untouched();
    /* It was an attack, not noise: calls that take paths did things. */
    assert_true(successes[ALC_HOSTCALL_OPEN_AT] > 0);
    assert_true(successes[ALC_HOSTCALL_CREATE_DIRECTORY_AT] > 0);
    assert_true(successes[ALC_HOSTCALL_STAT_AT] > 0);
    assert_true(successes[ALC_HOSTCALL_RENAME_AT] > 0);
    assert_true(successes[ALC_HOSTCALL_SYMLINK_AT] > 0);
}

static void test_by_the_kernel(void **state)
{
    (void)state;
    send_requests(NULL);
}

static void test_by_walking(void **state)
{
    const struct alc_os_linux_options options = {.walk_paths = true};
    (void)state;
    send_requests(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_the_kernel),
                                       cmocka_unit_test(test_by_walking)};
    char command[96];
    make_folder();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command) != 0 ? 1 : failed;
}
