/* SPDX-License-Identifier: Apache-2.0
 *
 * One program from manifest to outcome, the same code outside and inside an enclave: reads the
 * manifest and the module through the os table, checks that they belong together, loads, links
 * WASI, runs `_start` (`_initialize` when there is no such export) and reports. Everything that the
 * os returns is distrusted.
 *
 * How programs run is the caller's choice, a profile, so that an image of the enclave carries one
 * of the two: alc_workload_interpreted for manifests without compiled code, a struct
 * alc_workload_compiled for those with it. Neither runs what is the other's.
 */
#ifndef ALC_WORKLOAD_WORKLOAD_H
#define ALC_WORKLOAD_WORKLOAD_H

#include "base/limits.h"
#include "os/os.h"
#include "workload/manifest.h"

struct alc_workload; /* one program, see workload_internal.h */
struct alc_executor;
struct alc_native_support; /* exec/memory.h */
struct alc_native_image;   /* native/image.h */

struct alc_workload_profile {
    const struct alc_executor *executor;
    /* One of the two of manifest.h. */
    alc_status (*decode_manifest)(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                                  struct alc_manifest *out, struct alc_error *error);
    /* Reads, checks and loads the module. */
    alc_status (*load)(struct alc_workload *workload);
    /* What else is to be done between loading and linking; NULL: nothing. ALC_E_EXIT ends the
     * workload as a program that exits with 0, without running it. */
    alc_status (*loaded)(struct alc_workload *workload, void *context);
    void *context;
};

extern const struct alc_workload_profile alc_workload_interpreted;

/* A program whose code was compiled. The os table MUST have pages_execute. */
struct alc_workload_compiled {
    struct alc_workload_profile profile; /* first */
    const struct alc_native_support *native;
    /* alc_workload_accept_voucher, or NULL where no vouchers are verified: manifests that ask for
     * one are refused then. */
    alc_status (*accept_voucher)(struct alc_workload *workload,
                                 const struct alc_native_image *image);
};

/* Verifies the voucher of an image by the key that the manifest names (voucher/voucher.h); its
 * limits become the run's. An image of the enclave that refers to it needs the rooms crypto and
 * voucher. */
ALC_MUST_CHECK alc_status alc_workload_accept_voucher(struct alc_workload *workload,
                                                      const struct alc_native_image *image);

/* `native` is borrowed. Sets accept_voucher to NULL, so that only who wants it links it. */
void alc_workload_compiled_init(struct alc_workload_compiled *out,
                                const struct alc_native_support *native);

/* -- for `loaded` -- */

struct alc_linker;
struct alc_linker *alc_workload_linker(struct alc_workload *workload);
/* As it was read; limits are those that the run has. */
const struct alc_manifest *alc_workload_manifest(const struct alc_workload *workload);
/* Encoded: its SHA-256 is the workload id. */
struct alc_string alc_workload_manifest_bytes(const struct alc_workload *workload);
/* How many of the manifest's sockets, the last ones, are connected and not listening. */
void alc_workload_set_connections(struct alc_workload *workload, uint32_t connections_count);
struct alc_outcome_code;
void alc_workload_describe_code(const struct alc_workload *workload, struct alc_outcome_code *out);

/* While the program runs, from any of its threads: the handle of the os that a descriptor of the
 * program stands for, or minus BAD_DESCRIPTOR. Another thread may close it at any time. */
int64_t alc_workload_find_handle(struct alc_workload *workload, uint32_t descriptor);

/* How far a workload came. */
enum alc_workload_phase {
    ALC_PHASE_MANIFEST,
    ALC_PHASE_LOAD, /* reading, decoding, validating the module */
    ALC_PHASE_LINK, /* imports, instance, start function */
    ALC_PHASE_RUN,
    ALC_PHASE_DONE,
};

struct alc_outcome_frame {
    uint32_t function_index;
    uint32_t reserved; /* 0 */
    uint64_t offset;   /* byte offset in the module of the instruction */
};

/* Who says that compiled code is what the module means. */
enum alc_workload_voucher {
    ALC_VOUCHED_BY_NOBODY,
    ALC_VOUCHED_BY_MANIFEST, /* whoever accepts the workload id */
    ALC_VOUCHED_BY_KEY,      /* the key that the manifest names */
};

/* What ran, as far as this enclave knows it by itself. */
struct alc_outcome_code {
    uint8_t is_compiled; /* 0: the module was interpreted, and the rest is 0 */
    uint8_t is_verified; /* 1: this enclave found the code confined */
    uint8_t vouched_by;  /* enum alc_workload_voucher */
    uint8_t reserved;    /* 0 */
};

/* What is told to the host at the end, as bytes over ALC_OS_OUTCOME: fixed layout, no padding, no
 * guest data. Names of functions are looked up outside, in the module. */
struct alc_outcome {
    uint32_t version;          /* 2 */
    uint32_t phase;            /* enum alc_workload_phase */
    uint32_t status;           /* alc_status; ALC_OK or ALC_E_EXIT after a normal end */
    int32_t exit_code;         /* of the process: the program's own, or alc_status_exit_code() */
    uint64_t offset;           /* of the error, ALC_NO_OFFSET when it has none */
    uint64_t fuel_used;        /* 0 unless fuel was limited */
    uint64_t memory_peak_size; /* bytes of linear memory at the end */
    uint32_t frames_count;
    struct alc_outcome_code code;
    char detail[ALC_ERROR_TEXT_SIZE];
    struct alc_outcome_frame frames[ALC_LIMIT_BACKTRACE_FRAMES]; /* innermost first */
};
_Static_assert(sizeof(struct alc_outcome) == 48 + ALC_ERROR_TEXT_SIZE + 32 * 16,
               "crosses the boundary");

/* Runs what the os table offers at ALC_OS_MANIFEST and ALC_OS_MODULE and writes a struct
 * alc_outcome to ALC_OS_OUTCOME. `stop_flag` (may be NULL) is polled while a program with a timeout
 * runs: not 0 ends it with ALC_E_DEADLINE; it may lie in untrusted memory, 8-byte aligned. Returns
 * the outcome's status, or ALC_E_IO_FAILED when the outcome could not be written. */
alc_status alc_workload_run_from_os(struct alc_os *os, const struct alc_workload_profile *profile,
                                    const volatile uint64_t *stop_flag);

#endif
