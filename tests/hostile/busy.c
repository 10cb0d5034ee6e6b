/* SPDX-License-Identifier: Apache-2.0
 *
 * The outside of tests that run busy.wasm; see busy.h.
 */
#include "hostile/busy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET = 0xd7, SECRET_RUN = 12 };

static uint8_t *module_bytes;
static size_t module_size;
static uint8_t manifest[4096];
static size_t manifest_size;

static void demand(bool holds, const char *what)
{
    if (!holds) {
        perror(what);
        abort();
    }
}
#define DEMAND(condition) demand(condition, #condition)

static uint64_t next_random(struct busy *busy)
{
    busy->seed ^= busy->seed << 13;
    busy->seed ^= busy->seed >> 7;
    busy->seed ^= busy->seed << 17;
    return busy->seed;
}

void busy_workload_id(uint8_t out[ALC_SHA256_SIZE])
{
    alc_sha256(manifest, manifest_size, out);
}

static void write_manifest(uint32_t mount_flags)
{
    struct alc_string program = {(const uint8_t *)"busy", 4};
    struct alc_mount mount = {.guest_path = {(const uint8_t *)"/", 1}, .flags = mount_flags};
    struct alc_manifest described = {.arguments = &program,
                                     .arguments_count = 1,
                                     .mounts = &mount,
                                     .mounts_count = 1,
                                     .limits = {.fuel = 20000000}};
    alc_sha256(module_bytes, module_size, described.module_sha256);
    DEMAND(alc_manifest_encode(&described, manifest, sizeof manifest, &manifest_size) == ALC_OK);
}

void busy_seal(bool is_sealed)
{
    write_manifest(is_sealed ? ALC_MOUNT_SEALED : 0);
}

void busy_load(const char *module_path)
{
    FILE *file = fopen(module_path, "rb");
    struct stat info;
    DEMAND(file != NULL && fstat(fileno(file), &info) == 0);
    module_size = (size_t)info.st_size;
    module_bytes = malloc(module_size);
    DEMAND(fread(module_bytes, 1, module_size, file) == module_size);
    fclose(file);
    write_manifest(0);
}

static int open_in(const struct busy *busy, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", busy->folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    DEMAND(fd >= 0);
    return fd;
}

void busy_init(struct busy *busy)
{
    *busy = (struct busy){.folder = "/tmp/alcove-busy-XXXXXX", .seed = 0x9e3779b97f4a7c15};
    DEMAND(mkdtemp(busy->folder) != NULL);
    busy->input_fd = open_in(busy, "input");
    busy->output_fd = open_in(busy, "output");
    busy->input = malloc(BUSY_INPUT_SIZE);
    for (size_t i = 0; i < BUSY_INPUT_SIZE; i++) {
        busy->input[i] = (uint8_t)next_random(busy);
    }
    DEMAND(write(busy->input_fd, busy->input, BUSY_INPUT_SIZE) == BUSY_INPUT_SIZE);
    busy->region =
        mmap(NULL, ALC_RING_REGION_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    DEMAND(busy->region != MAP_FAILED);
}

void busy_fini(struct busy *busy)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", busy->folder);
    DEMAND(system(command) == 0);
    close(busy->input_fd);
    close(busy->output_fd);
    free(busy->input);
    munmap(busy->region, ALC_RING_REGION_SIZE);
}

void busy_begin(struct busy *busy)
{
    DEMAND(lseek(busy->input_fd, 0, SEEK_SET) == 0 && lseek(busy->output_fd, 0, SEEK_SET) == 0);
    DEMAND(alc_os_linux_new(NULL, &busy->system) == ALC_OK);
    struct alc_os_linux *system = busy->system;
    DEMAND(alc_os_linux_grant(system, 0, busy->input_fd, 0) == 0);
    DEMAND(alc_os_linux_grant(system, 1, busy->output_fd, 0) == 1);
    DEMAND(alc_os_linux_grant(system, 2, 2, 0) == 2);
    DEMAND(alc_os_linux_grant_bytes(system, ALC_OS_MANIFEST, manifest, manifest_size) ==
           ALC_OS_MANIFEST);
    DEMAND(alc_os_linux_grant_bytes(system, ALC_OS_MODULE, module_bytes, module_size) ==
           ALC_OS_MODULE);
    DEMAND(alc_os_linux_grant_buffer(system, ALC_OS_OUTCOME, &busy->outcome, sizeof busy->outcome,
                                     &busy->outcome_size) == ALC_OS_OUTCOME);
    DEMAND(alc_os_linux_grant_directory(system, ALC_OS_FIRST_MOUNT, busy->folder, 0) ==
           ALC_OS_FIRST_MOUNT);
    memset(busy->region, 0, ALC_RING_REGION_SIZE);
    alc_hostcall_region_init(busy->region);
    alc_hostcall_server_init(&busy->server, busy->region, 0, alc_os_linux_get_os(system));
}

void busy_end(struct busy *busy)
{
    alc_os_linux_free(busy->system);
}

static void tell_a_lie(struct busy *busy)
{
    uint64_t index = (busy->server.completion_tail - 1) & (ALC_RING_SLOTS - 1);
    struct alc_ring_slot *slot = &busy->server.channel->control.completions[index];
    uint64_t number = next_random(busy);
    busy->lies_count++;
    switch (number >> 32 & 7) {
    case 0:
        slot->result = (int64_t)next_random(busy);
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
            busy->server.channel->payload[next_random(busy) % 1024] = (uint8_t)next_random(busy);
        }
        slot->args[0] = next_random(busy) & 3;
        break;
    }
}

alc_status busy_serve(void *context)
{
    struct busy *busy = context;
    uint8_t secret[SECRET_RUN];
    memset(secret, SECRET, sizeof secret);
    busy->leaves_count++;
    busy->has_leaked |=
        memmem(busy->server.channel, sizeof *busy->server.channel, secret, sizeof secret) != NULL;
    alc_status status = alc_hostcall_serve(&busy->server);
    if (busy->lie_every != 0 && next_random(busy) % busy->lie_every == 0) {
        tell_a_lie(busy);
    }
    return status;
}

bool busy_is_copied(const struct busy *busy)
{
    uint8_t *output = malloc(BUSY_INPUT_SIZE);
    ssize_t size = pread(busy->output_fd, output, BUSY_INPUT_SIZE, 0);
    bool is_copied = size == BUSY_INPUT_SIZE && memcmp(output, busy->input, BUSY_INPUT_SIZE) == 0 &&
                     lseek(busy->output_fd, 0, SEEK_END) == BUSY_INPUT_SIZE;
    free(output);
    return is_copied;
}
