/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a validated body: instruction by instruction, with the immediates decoded by the formats
 * of wasm/ops.def. Also the walk ahead that tells which locals a block assigns.
 */
#ifndef ALC_COMPILER_BODY_H
#define ALC_COMPILER_BODY_H

#include "wasm/module.h"
#include "wasm/ops.h"

struct alc_memory_immediate {
    uint32_t memory_index;
    uint32_t align_log2;
    uint64_t offset;
};

/* What stands behind an opcode; which fields are filled says its format in ops.def. */
struct alc_immediates {
    uint32_t index;                     /* the first index, label or count; BLOCK: see below */
    uint32_t second;                    /* the second one, in the order of the bytes */
    uint64_t bits;                      /* I32 I64 F32 F64, zero-extended */
    uint8_t bytes[16];                  /* V128, SHUFFLE */
    uint8_t lane;                       /* LANEn, MEMLANEn */
    uint8_t flags;                      /* CAST */
    struct alc_memory_immediate memory; /* MEMn, MEMLANEn */
    const struct alc_type *type;        /* TYPE, TYPE_…: the type behind `index` */
    const struct alc_type *second_type; /* TYPE_TYPE: behind `second` */
    const struct alc_function_type *block_type; /* BLOCK, TRY_TABLE; NULL: value_type */
    uint32_t value_type;  /* BLOCK: single result or ALC_TYPE_BOTTOM; TYPES: the type; HEAP: heap;
                           * CAST: source heap */
    uint32_t second_heap; /* CAST: target heap */
    size_t list;          /* LABELS (`index` + 1 of them), TRY_TABLE clauses (`index`): where they
                           * stand in the reader */
};

struct alc_body {
    const struct alc_module *module;
    struct alc_reader reader;
    uint32_t op_offset; /* file offset of the instruction that was read last */
};

/* At the first byte of the body: the locals' declarations. */
void alc_body_init(struct alc_body *body, const struct alc_module *module, uint32_t function_index);
void alc_body_skip_locals(struct alc_body *body);
uint32_t alc_body_u32(struct alc_body *body);
uint32_t alc_body_value_type(struct alc_body *body);
/* The next instruction with its immediates. */
enum alc_op alc_body_next(struct alc_body *body, struct alc_immediates *out);
/* Label i of br_table. */
uint32_t alc_body_label(const struct alc_body *body, size_t *position);

/* A clause of try_table: at the reader's place, which moves behind it. */
struct alc_clause {
    uint8_t kind;       /* of the binary format: bit 0 with the reference, bit 1 of any tag */
    uint32_t tag_index; /* unless of any tag */
    uint32_t depth;     /* of the label, from outside the try_table */
};
struct alc_clause alc_body_clause(struct alc_body *body);

bool alc_op_opens_block(enum alc_op op);

/* All assignments to locals in a body, in their order, and where those of each block end. */
struct alc_assignments {
    uint32_t *locals; /* index of each local.set and local.tee */
    uint32_t count;
    /* By block in the order of their openings: number of assignments before its `end`. */
    uint32_t *ends;
    uint32_t blocks_count;
    uint32_t depth_max; /* of blocks, the function's own included */
    bool has_tail_calls;
};
/* From the first instruction on, behind the locals' declarations. False: the arena is full. */
ALC_MUST_CHECK bool alc_body_find_assignments(const struct alc_body *body, struct alc_arena *arena,
                                              struct alc_assignments *out);

#endif
