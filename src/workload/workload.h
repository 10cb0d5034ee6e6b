/* SPDX-License-Identifier: Apache-2.0
 *
 * One program from manifest to outcome, the same code outside and inside an enclave: reads the
 * manifest and the module through the os table, checks that they belong together, loads, links
 * WASI, runs `_start` (`_initialize` when there is no such export) and reports. Everything that the
 * os returns is distrusted.
 */
#ifndef ALC_WORKLOAD_WORKLOAD_H
#define ALC_WORKLOAD_WORKLOAD_H

#include "base/limits.h"
#include "os/os.h"
#include "workload/manifest.h"

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

/* What is told to the host at the end, as bytes over ALC_OS_OUTCOME: fixed layout, no padding, no
 * guest data. Names of functions are looked up outside, in the module. */
struct alc_outcome {
    uint32_t version;          /* 1 */
    uint32_t phase;            /* enum alc_workload_phase */
    uint32_t status;           /* alc_status; ALC_OK or ALC_E_EXIT after a normal end */
    int32_t exit_code;         /* of the process: the program's own, or alc_status_exit_code() */
    uint64_t offset;           /* of the error, ALC_NO_OFFSET when it has none */
    uint64_t fuel_used;        /* 0 unless fuel was limited */
    uint64_t memory_peak_size; /* bytes of linear memory at the end */
    uint32_t frames_count;
    uint32_t reserved; /* 0 */
    char detail[ALC_ERROR_TEXT_SIZE];
    struct alc_outcome_frame frames[ALC_LIMIT_BACKTRACE_FRAMES]; /* innermost first */
};
_Static_assert(sizeof(struct alc_outcome) == 48 + ALC_ERROR_TEXT_SIZE + 32 * 16,
               "crosses the boundary");

/* Runs what the os table offers at ALC_OS_MANIFEST and ALC_OS_MODULE and writes a struct
 * alc_outcome to ALC_OS_OUTCOME. `stop_flag` (may be NULL) is polled while a program with a timeout
 * runs: not 0 ends it with ALC_E_DEADLINE; it may lie in untrusted memory, 8-byte aligned. Returns
 * the outcome's status, or ALC_E_IO_FAILED when the outcome could not be written. */
alc_status alc_workload_run_from_os(struct alc_os *os, const volatile uint64_t *stop_flag);

#endif
