/* SPDX-License-Identifier: Apache-2.0
 *
 * Status codes and the error report. Every fallible function returns alc_status and must be
 * checked; what went wrong, and at which byte, is written once into a struct alc_error (the first
 * report wins, later ones are consequences). The facts about each error are the rows of errors.def.
 */
#ifndef ALC_BASE_STATUS_H
#define ALC_BASE_STATUS_H

#include "base/compiler.h"

typedef enum alc_status {
    ALC_OK = 0,
#define ERR(ident, class, text) ALC_E_##ident,
#include "base/errors.def"
#undef ERR
    ALC_STATUS_COUNT
} alc_status;

/* Decides the exit code, and whether a message may be shown to the other side of a boundary. */
enum alc_error_class {
    ALC_CLASS_NONE,       /* ALC_OK */
    ALC_CLASS_MALFORMED,  /* bytes that are not in the format */
    ALC_CLASS_INVALID,    /* a module that does not validate */
    ALC_CLASS_UNLINKABLE, /* imports that do not match */
    ALC_CLASS_TRAP,       /* the program did what the specification forbids */
    ALC_CLASS_EXHAUSTED,  /* a limit was reached while running */
    ALC_CLASS_EXIT,       /* the program ended itself; the code travels beside the status */
    ALC_CLASS_HOST,       /* the host side of the boundary lied or vanished */
    ALC_CLASS_IO,         /* files, sockets, devices */
    ALC_CLASS_ATTEST,     /* evidence was not convincing */
    ALC_CLASS_DENIED,     /* refused by policy or by the processor */
    ALC_CLASS_USAGE,      /* the caller asked for something impossible */
    ALC_CLASS_INTERNAL,   /* alcove is wrong */
};

#define ALC_ERROR_TEXT_SIZE 96
#define ALC_NO_OFFSET UINT64_MAX

struct alc_error {
    alc_status status;
    uint64_t offset; /* byte offset in the input the error is about, or ALC_NO_OFFSET */
    char
        detail[ALC_ERROR_TEXT_SIZE]; /* more words, NUL-terminated; never guest data or addresses */
};

/* Static text of a status, never NULL; "ok" for ALC_OK. */
const char *alc_status_text(alc_status status);
/* Spelled-out identifier of a status ("UNEXPECTED_END"), never NULL; for logs and tests. */
const char *alc_status_name(alc_status status);
enum alc_error_class alc_status_class(alc_status status);

void alc_error_clear(struct alc_error *error);
/* Records the first error and returns `status`, so that a check reads `return alc_fail(...)`.
 * `error` may be NULL (nobody wants to know). `status` MUST NOT be ALC_OK. */
alc_status alc_fail(struct alc_error *error, alc_status status, uint64_t offset) ALC_COLD;
/* Same, with more words. `detail` is copied and cut to fit. */
alc_status alc_fail_with(struct alc_error *error, alc_status status, uint64_t offset,
                         const char *detail) ALC_COLD;

/* Exit code of the process for a status (CAVEATS: traps follow the shell's 128+signal habit):
 * 0 ok, 2 malformed or invalid or unlinkable module and usage, 3 refused, 1 everything else;
 * traps 132 (unreachable), 136 (arithmetic), 139 (memory, tables, references, call stack),
 * 134 (uncaught exception), 137 (memory limit), 142 (deadline), 152 (fuel). For ALC_CLASS_EXIT the
 * program's own code is used instead. */
int alc_status_exit_code(alc_status status);

#endif
