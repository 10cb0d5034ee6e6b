/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole workload over the boundary: the program busy.wasm runs on the stubs in this process and
 * the real dispatcher serves it with the real system. With an honest host the copy is exact; with
 * one that lies now and then, in any way, the run ends in order: an error of the program or of the
 * workload, never a crash, and nothing is written outside the pieces that were offered.
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

#include "hostcall/hostcall_host.h"
#include "os_linux/os_linux.h"
#include "workload/workload.h"

enum { INPUT_SIZE = 3000001, LYING_RUNS = 300 };

static const char *module_path;
static uint8_t *module_bytes;
static size_t module_size;

/* One run. */
static struct alc_os_linux *outside_system;
static const struct alc_os *outside_os;
static struct alc_ring_region *region;
static struct alc_hostcall_client client;
static struct alc_hostcall_server server;
static struct alc_outcome outcome;
static size_t outcome_size;
static uint8_t manifest[4096];
static size_t manifest_size;
static uint64_t leaves_count;
static uint64_t gave_up_count;
static uint32_t lie_every; /* 0: never */
static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* -- the inside -- */

static int64_t own_random(void *context, uint8_t *buf, size_t size)
{
    (void)context;
    return outside_os->operations->random(outside_os->context, buf, size);
}

static void *own_reserve(void *context, size_t size)
{
    (void)context;
    return outside_os->operations->pages_reserve(outside_os->context, size);
}

static int64_t own_commit(void *context, void *addr, size_t size)
{
    (void)context;
    return outside_os->operations->pages_commit(outside_os->context, addr, size);
}

static void own_release(void *context, void *addr, size_t size)
{
    (void)context;
    outside_os->operations->pages_release(outside_os->context, addr, size);
}

static const struct alc_os_operations inside_operations = {
    ALC_HOSTCALL_OPERATIONS, .random = own_random, .pages_reserve = own_reserve,
    .pages_commit = own_commit, .pages_release = own_release};

static void tell_a_lie(void)
{
    uint64_t index = (server.completion_tail - 1) & (ALC_RING_SLOTS - 1);
    struct alc_ring_slot *slot = &server.channel->control.completions[index];
    uint64_t number = next_random();
    switch (number >> 32 & 7) {
    case 0:
        slot->result = (int64_t)next_random();
        break;
    case 1:
        slot->seq += (uint32_t)number;
        break;
    case 2:
        slot->op ^= 1 + (number & 7);
        break;
    case 3:
        slot->result += 1 + (int64_t)(number & 0xff);
        break;
    case 4: /* fewer, or a failure out of the blue */
        slot->result = (int64_t)(number & 0xff) - ALC_OS_ERRNO_MAX;
        break;
    default: /* within the promise, and untrue */
        for (size_t i = 0; i < 64; i++) {
            server.channel->payload[next_random() % 1024] = (uint8_t)next_random();
        }
        slot->args[0] = next_random() & 3;
        break;
    }
}

static void leave(void)
{
    leaves_count++;
    assert_int_equal(alc_hostcall_serve(&server), ALC_OK);
    if (lie_every != 0 && next_random() % lie_every == 0) {
        tell_a_lie();
    }
}

static uint32_t thread_index(void)
{
    return 0;
}

static void give_up(void)
{
    gave_up_count++;
}

/* -- the outside -- */

static void write_manifest(void)
{
    struct alc_string program = {(const uint8_t *)"busy", 4};
    struct alc_mount mount = {.guest_path = {(const uint8_t *)"/", 1}};
    struct alc_manifest described = {.arguments = &program,
                                     .arguments_count = 1,
                                     .mounts = &mount,
                                     .mounts_count = 1,
                                     .limits = {.fuel = 20000000}};
    alc_sha256(module_bytes, module_size, described.module_sha256);
    assert_int_equal(alc_manifest_encode(&described, manifest, sizeof manifest, &manifest_size),
                     ALC_OK);
}

static void grant_all(const char *folder, int input_fd, int output_fd)
{
    assert_int_equal(alc_os_linux_new(NULL, &outside_system), ALC_OK);
    outside_os = alc_os_linux_get_os(outside_system);
    assert_int_equal(alc_os_linux_grant(outside_system, 0, input_fd, 0), 0);
    assert_int_equal(alc_os_linux_grant(outside_system, 1, output_fd, 0), 1);
    assert_int_equal(alc_os_linux_grant(outside_system, 2, 2, 0), 2);
    assert_int_equal(
        alc_os_linux_grant_bytes(outside_system, ALC_OS_MANIFEST, manifest, manifest_size),
        ALC_OS_MANIFEST);
    assert_int_equal(
        alc_os_linux_grant_bytes(outside_system, ALC_OS_MODULE, module_bytes, module_size),
        ALC_OS_MODULE);
    assert_int_equal(alc_os_linux_grant_buffer(outside_system, ALC_OS_OUTCOME, &outcome,
                                               sizeof outcome, &outcome_size),
                     ALC_OS_OUTCOME);
    assert_int_equal(alc_os_linux_grant_directory(outside_system, ALC_OS_FIRST_MOUNT, folder, 0),
                     ALC_OS_FIRST_MOUNT);
}

static alc_status run_once(const char *folder, int input_fd, int output_fd)
{
    struct alc_hostcall_environment environment = {.leave = leave,
                                                   .thread_index = thread_index,
                                                   .give_up = give_up,
                                                   .inside_base = (uintptr_t)&client,
                                                   .inside_size = sizeof client};
    grant_all(folder, input_fd, output_fd);
    memset(region, 0, ALC_RING_REGION_SIZE);
    alc_hostcall_region_init(region);
    alc_hostcall_server_init(&server, region, 0, outside_os);
    assert_int_equal(
        alc_hostcall_client_init(&client, &environment, (uintptr_t)region, ALC_RING_REGION_SIZE),
        ALC_OK);
    struct alc_os inside_os = {.operations = &inside_operations, .context = &client};
    alc_status status = alc_workload_run_from_os(&inside_os, &region->header.stop_flag);
    alc_os_linux_free(outside_system);
    return status;
}

struct place {
    char folder[64];
    int input_fd;
    int output_fd;
    uint8_t *input;
};

static int open_in(const struct place *place, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/alcove-busy-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->input_fd = open_in(place, "input");
    place->output_fd = open_in(place, "output");
    place->input = malloc(INPUT_SIZE);
    seed = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < INPUT_SIZE; i++) {
        place->input[i] = (uint8_t)next_random();
    }
    assert_int_equal(write(place->input_fd, place->input, INPUT_SIZE), INPUT_SIZE);
    region = aligned_alloc(ALC_RING_PAGE_SIZE, ALC_RING_REGION_SIZE);
    write_manifest();
    leaves_count = 0;
    gave_up_count = 0;
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    int failed = system(command);
    close(place->input_fd);
    close(place->output_fd);
    free(place->input);
    free(place);
    free(region);
    return failed;
}

static void test_honest_host(void **state)
{
    struct place *place = *state;
    uint8_t *output = malloc(INPUT_SIZE);
    lie_every = 0;
    assert_int_equal(lseek(place->input_fd, 0, SEEK_SET), 0);
    alc_status status = run_once(place->folder, place->input_fd, place->output_fd);
    if (status != ALC_OK && status != ALC_E_EXIT) {
        fail_msg("%s: %s", alc_status_name(status), outcome.detail);
    }
    assert_int_equal(outcome_size, sizeof outcome);
    assert_int_equal(outcome.exit_code, 0);
    assert_int_equal(client.channels[0].lies_count, 0);
    assert_int_equal(pread(place->output_fd, output, INPUT_SIZE, 0), INPUT_SIZE);
    assert_memory_equal(output, place->input, INPUT_SIZE);
    assert_true(leaves_count > 100);
    free(output);
}

static void test_lying_host(void **state)
{
    static const uint32_t rates[] = {1, 3, 10, 40, 150};
    struct place *place = *state;
    uint64_t normal = 0;
    uint64_t stopped = 0;
    uint64_t lies = 0;
    for (uint64_t run = 0; run < LYING_RUNS; run++) {
        lie_every = rates[run % ALC_ARRAY_COUNT(rates)];
        seed = 1000003 * (run + 1);
        assert_int_equal(lseek(place->input_fd, 0, SEEK_SET), 0);
        assert_int_equal(lseek(place->output_fd, 0, SEEK_SET), 0);
        alc_status status = run_once(place->folder, place->input_fd, place->output_fd);
        assert_true((unsigned)status < ALC_STATUS_COUNT && status != ALC_E_INTERNAL);
        lies += client.channels[0].lies_count;
        normal += status == ALC_OK || status == ALC_E_EXIT;
        stopped += status != ALC_OK && status != ALC_E_EXIT;
    }
    print_message("%lu lies seen; %lu runs ended by the program, %lu stopped\n",
                  (unsigned long)lies, (unsigned long)normal, (unsigned long)stopped);
    assert_true(normal > 0 && stopped > 0 && lies > LYING_RUNS);
}

static void read_module(void)
{
    FILE *file = fopen(module_path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(module_path);
        exit(1);
    }
    module_size = (size_t)info.st_size;
    module_bytes = malloc(module_size);
    if (fread(module_bytes, 1, module_size, file) != module_size) {
        exit(1);
    }
    fclose(file);
}

#define TEST(function) {#function, function, setup, teardown, NULL}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {TEST(test_honest_host), TEST(test_lying_host)};
    if (arguments_count != 2) {
        fprintf(stderr, "usage: hostile_workload busy.wasm\n");
        return 2;
    }
    module_path = arguments[1];
    read_module();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(module_bytes);
    return failed;
}
