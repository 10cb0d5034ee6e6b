/* SPDX-License-Identifier: Apache-2.0
 *
 * What the inside of hostcall.host becomes: a few bytes for each piece of a row, its `ensure` as a
 * condition, and one function that makes any call with them. The rows are constants made by
 * tools/gen_host.py; what the host answers is distrusted as client.h says.
 */
#ifndef ALC_HOSTCALL_INVOKE_H
#define ALC_HOSTCALL_INVOKE_H

#include "hostcall/client.h"

/* What crosses for one parameter. */
enum alc_hostcall_kind {
    ALC_HOSTCALL_SCALAR_4,
    ALC_HOSTCALL_SCALAR_8,
    ALC_HOSTCALL_OUT_SCALAR, /* 4 bytes that come back */
    ALC_HOSTCALL_SPANS_IN,
    ALC_HOSTCALL_SPANS_OUT,
    ALC_HOSTCALL_PATH,
    ALC_HOSTCALL_BYTES_OUT,  /* with a type: structures of it, packed */
    ALC_HOSTCALL_STRUCT_OUT, /* of a type, whole */
    ALC_HOSTCALL_STRUCTS,    /* of a type; what comes back leaves as zeros */
};

struct alc_hostcall_piece {
    uint8_t kind;
    uint8_t value;  /* index of the parameter */
    uint8_t offset; /* in args: of the number, or of the size of the piece in 4 bytes */
    uint8_t count;  /* index of the parameter that counts what `value` points to */
    uint8_t type;   /* of the structure; 0: none */
};

enum { ALC_HOSTCALL_BACK_MAX = 2, ALC_HOSTCALL_STRUCT_SIZE = 64, ALC_HOSTCALL_VALUES = 8 };

/* A structure, and those fields that come back when it crosses both ways. */
struct alc_hostcall_type {
    uint8_t size;
    uint8_t back_count;
    struct alc_hostcall_field {
        uint8_t offset;
        uint8_t size;
    } back[ALC_HOSTCALL_BACK_MAX];
};

/* One argument of a stub. */
union alc_hostcall_value {
    uint64_t number;
    const uint8_t *path;
    const struct alc_span *spans;
    void *out;
};

/* What `ensure` is about. */
struct alc_hostcall_answer {
    uint64_t result; /* a success */
    const union alc_hostcall_value *values;
    const struct alc_hostcall_room *rooms; /* by parameter */
    const struct alc_hostcall_call *call;
};

/* -- generated -- */
extern const struct alc_hostcall_piece alc_hostcall_pieces[];
/* Where in the pieces those of a call begin; one more for the end of the last. */
extern const uint8_t alc_hostcall_starts[];
/* By the number of the type; the first is none. */
extern const struct alc_hostcall_type alc_hostcall_types[];
bool alc_hostcall_is_truthful(uint16_t op, const struct alc_hostcall_answer *answer);
bool alc_hostcall_is_in_range(uint32_t type, const void *item);
bool alc_hostcall_is_packed(uint32_t type, const uint8_t *bytes, size_t size);

/* Makes the call `op` with its arguments in the order of the row (at least as many as it has, at
 * most ALC_HOSTCALL_VALUES): sends the pieces, leaves, judges
 * the answer, takes back what was promised. The result of the call, or minus a number of errno.def;
 * IO when the host lied. */
int64_t alc_hostcall_invoke(void *context, const union alc_hostcall_value *values,
                            size_t values_count, uint16_t op);
/* The same for at most four arguments. */
int64_t alc_hostcall_invoke_4(void *context, union alc_hostcall_value value_0,
                              union alc_hostcall_value value_1, union alc_hostcall_value value_2,
                              union alc_hostcall_value value_3, uint16_t op);

#endif
