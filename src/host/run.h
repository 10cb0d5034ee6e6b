/* SPDX-License-Identifier: Apache-2.0
 *
 * What a .host file becomes: rows of steps, a few bytes for each parameter, and one function that
 * runs them. The steps are constants made by tools/gen_host.py and trusted; the slots they are
 * applied to come from the guest and are not. Every check of every row is made here, in the order
 * of the parameters, before the semantics is called; results are stored after it succeeded.
 */
#ifndef ALC_HOST_RUN_H
#define ALC_HOST_RUN_H

#include "host/host.h"

/* A step for each parameter, in order; `count` is a byte: the index of the parameter that counts,
 * ALC_HOST_COUNT_ASK | a number to ask the module for, or ALC_HOST_COUNT_LITERAL | the count. */
enum alc_host_step {
    /* The end of a row. */
    ALC_HOST_END,      /* the body's result is the function's */
    ALC_HOST_END_STOP, /* the same, if the status behind the last value is ALC_OK */
    ALC_HOST_END_VOID, /* that status only; the function has no result */
    /* Not a parameter. */
    ALC_HOST_LIMIT, /* parameter, low and high byte: VALUE when that parameter is greater */
    /* Values. */
    ALC_HOST_NUMBER,
    ALC_HOST_MASK,   /* n: drops all but the low n bits */
    ALC_HOST_FLAGS,  /* n: VALUE when others than the low n bits are set; 32 bits */
    ALC_HOST_ENUM,   /* n: VALUE when it is greater than n; 32 bits */
    ALC_HOST_HANDLE, /* n, then n numbers of rights that it must have */
    /* Memory. */
    ALC_HOST_COPY,       /* count: value.bytes */
    ALC_HOST_PATH,       /* count: value.bytes */
    ALC_HOST_SPANS,      /* count: value.spans */
    ALC_HOST_BUFFER,     /* count, item size: value.buffer */
    ALC_HOST_OUT,        /* size: a number comes back */
    ALC_HOST_STRUCT_OUT, /* layout: one structure comes back */
    ALC_HOST_ITEMS_IN,   /* layout, count: value.items */
    ALC_HOST_ITEMS_OUT,  /* layout, count, parameter that says how many come back: value.items */
};
enum { ALC_HOST_COUNT_ASK = 0x40, ALC_HOST_COUNT_LITERAL = 0x80 };

/* Room for one row: its parameters, a status and a result, and its one structure that comes back.
 */
enum { ALC_HOST_VALUES = 12, ALC_HOST_STRUCT_SIZE = 64 };

/* Bytes of a layout: size in the guest, size in C, number of fields, then for each field its offset
 * in the guest, its offset in C and its size. */
enum { ALC_HOST_LAYOUT_FIELDS = 3, ALC_HOST_LAYOUT_FIELD_SIZE = 3 };

/* A parameter that was checked. */
union alc_host_value {
    uint64_t number;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;
    alc_status status;
    void *handle;
    struct alc_guest_bytes bytes;
    struct alc_guest_buffer buffer;
    struct alc_guest_spans spans;
    struct alc_host_items {
        void *first;
        uint64_t count;
    } items;
};

/* Calls the semantics of one row; value i is parameter i. The result is the module's number. */
typedef uint16_t alc_host_body(void *context, union alc_host_value *values);

/* All rows of a module. */
struct alc_host_rows {
    const struct alc_host_module *module; /* the rest is in the order of its exports */
    alc_host_body *const *bodies;
    const uint8_t *steps;
    const uint16_t *starts; /* where in `steps` a row begins */
    const uint8_t *layouts;
    const uint16_t *refusals; /* result for each enum alc_host_fault */
    /* *out: the open one with this number that has all of `rights`. NULL when there are none. */
    uint16_t (*get_handle)(void *context, uint32_t number, uint64_t rights, void **out);
    /* How many items an `out` buffer has, asked by number. NULL when nobody asks. */
    uint64_t (*ask)(const void *context, uint8_t what);
};

/* Makes one call of the row of call->callee: checks, copies, body, results. ALC_OK, or why the
 * program stops. */
alc_status alc_host_run(struct alc_host_call *call, const struct alc_host_rows *rows);

#endif
