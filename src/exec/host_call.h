/* SPDX-License-Identifier: Apache-2.0
 *
 * How WebAssembly code calls out of the engine. exec/ only declares the shape; host/ fills tables
 * of such functions, generated from .host rows.
 */
#ifndef ALC_EXEC_HOST_CALL_H
#define ALC_EXEC_HOST_CALL_H

#include "base/status.h"

struct alc_host_export;
struct alc_instance;
struct alc_memory;

/* One call in flight. `slots` is the caller's frame: argument i stands in slots[i] (a v128 would
 * take two slots), i32 and f32 in the low half; results are written from slots[0] on. Slots are
 * engine memory, out of the guest's reach. */
struct alc_host_call {
    /* The instance whose code called; NULL when the embedder did (alc_invoke of a host function).
     */
    struct alc_instance *caller;
    struct alc_memory *memory; /* memory 0 of the caller, NULL when it has none */
    const struct alc_host_export *callee;
    void *context; /* what was given when the function was defined */
    uint64_t *slots;
    struct alc_error *error; /* detail of a status other than ALC_OK */
};

/* ALC_OK, or the reason why the program stops (a trap, ALC_E_EXIT, …). Only one of them can be
 * stopped by the program: ALC_E_UNCAUGHT_EXCEPTION from an alc_invoke, the last that the function
 * made, is thrown on in the caller. */
typedef alc_status alc_host_function(struct alc_host_call *call);

/* One importable function. Its type is letters, those of the results behind a colon ("iI:i"): i =
 * i32, I = i64, f = f32, F = f64, v = v128, e = externref. */
struct alc_host_export {
    const char *name;
    const char *type;
    alc_host_function *function;
};

/* What a .host file generates: everything importable from `name`. */
struct alc_host_module {
    const char *name;
    const struct alc_host_export *exports;
    size_t exports_count;
};

#endif
