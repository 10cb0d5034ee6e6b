/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs compiled by the compiler and run in the native image, in the emulator, as the command
 * line does it.
 */
#ifndef ALC_TESTS_NATIVE_SUPPORT_H
#define ALC_TESTS_NATIVE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/compiler.h"
#include "native/image_format.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"
#include "workload/workload.h"

/* The image, made by the build. */
extern const uint8_t alc_native_runtime_image[];
extern const uint64_t alc_native_runtime_image_size;
extern const struct alc_sgx_sigstruct alc_native_runtime_sigstruct;

/* A module and its compiled form, on the heap. */
struct native_program {
    uint8_t *module;
    size_t module_size;
    uint8_t *file; /* .alc */
    size_t file_size;
    struct alc_native_image image; /* of `file` */
};

/* One run; zeros are an honest host without limits. */
struct native_run {
    const char *argument; /* of the program, or NULL */
    struct alc_workload_limits limits;
    uint32_t native_flags;
    uint8_t voucher_key_sha256[32];
    bool wrong_module; /* hashes in the manifest */
    bool wrong_native;
    const struct alc_sgx_backend *backend; /* NULL: the emulator's own */
    /* At each host call, with its number. */
    void (*served)(void *context, uint16_t op);
    /* On another thread, from the start of the program on. */
    void (*meanwhile)(void *context, struct alc_sgx_enclave *enclave, volatile uint64_t *stop_flag);
    void *context;
    /* -- results -- */
    struct alc_outcome outcome;
    size_t outcome_size;
    uint64_t exceptions_count;
    uint64_t writable_code;
    struct alc_error error;
};

/* Compiles the module in the file; everything that goes wrong ends the test. */
void native_compile(const char *path, const struct alc_compile_options *options,
                    struct native_program *out);
void native_free(struct native_program *program);
/* Runs it once in an enclave of its own; what alc_sgx_call returned. */
alc_status native_run(const struct native_program *program, struct native_run *run);

#endif
