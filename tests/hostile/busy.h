/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests that run busy.wasm share: a folder with random input, the manifest, the real
 * system with all handles granted, and a host that lies now and then.
 */
#ifndef ALC_TESTS_HOSTILE_BUSY_H
#define ALC_TESTS_HOSTILE_BUSY_H

#include "hostcall/dispatch.h"
#include "os_linux/os_linux.h"
#include "workload/workload.h"

enum { BUSY_INPUT_SIZE = 3000001 };

/* One test: the folder lives as long as it. */
struct busy {
    char folder[64];
    int input_fd;
    int output_fd;
    uint8_t *input;
    struct alc_ring_region *region;
    /* One run. */
    struct alc_os_linux *system;
    struct alc_hostcall_server server;
    struct alc_outcome outcome;
    size_t outcome_size;
    uint64_t leaves_count;
    uint64_t lies_count;
    bool has_leaked;    /* the secret of busy.wat was seen outside */
    uint32_t lie_every; /* 0: never */
    uint64_t seed;
};

/* Reads the program once per process; exits when it is not there. */
void busy_load(const char *module_path);
void busy_init(struct busy *busy);
void busy_fini(struct busy *busy);
void busy_workload_id(uint8_t out[ALC_SHA256_SIZE]);
/* Another workload from now on: its directory is sealed, or plain as at first. */
void busy_seal(bool is_sealed);
/* Fresh region, server and grants; input and output from the start. */
void busy_begin(struct busy *busy);
void busy_end(struct busy *busy);
/* What the host does when it is asked to serve: serves, then lies when it is time to. */
alc_status busy_serve(void *busy);
/* Whether the output is the input. */
bool busy_is_copied(const struct busy *busy);

#endif
