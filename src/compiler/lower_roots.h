/* SPDX-License-Identifier: Apache-2.0
 *
 * The function's frame of the shadow stack (struct alc_native_roots): before a call that may
 * collect, references that are needed behind it are stored there. Objects never move, so nothing is
 * read back; a place that already has the value is not written again.
 *
 * Each local and each position of the operand stack has a place of its own from its first need on.
 * What a place has is known as long as control came straight here: blocks forget at their end what
 * was stored in them, loops at their beginning what they may store. A place keeps its value when
 * that is no longer needed, which may keep an object alive until the function returns.
 */
#ifndef ALC_COMPILER_LOWER_ROOTS_H
#define ALC_COMPILER_LOWER_ROOTS_H

#include <llvm-c/Core.h>

#include "base/compiler.h"

struct alc_lowering;
struct alc_block;

struct alc_root_place {
    LLVMValueRef known; /* what it has here; NULL: who knows */
    uint32_t index;     /* in the frame, + 1; 0: none yet */
};

/* A place that was written in an open block. */
struct alc_root_store {
    struct alc_root_place *place;
    uint32_t depth; /* of open blocks */
};

struct alc_roots {
    bool is_ready;
    LLVMValueRef frame; /* NULL: nothing was ever stored */
    uint32_t count;     /* of references in it */
    uint32_t *locals;   /* those whose type the collector traces */
    uint32_t locals_count;
    struct alc_root_place *of_locals; /* in the same order */
    struct alc_root_place **of_operands;
    uint32_t operands_capacity;
    struct alc_root_store *stores;
    uint32_t stores_count;
    uint32_t stores_capacity;
};

/* To be called before what may collect: arguments of calls are popped (they are the callee's to
 * keep), operands of operations are not. */
void alc_roots_store(struct alc_lowering *f);
/* For stores on a way that is not always taken: what the places have is not known where ways meet.
 * `mark` is what roots.stores_count was before them. */
void alc_roots_forget(struct alc_lowering *f, uint32_t mark);
/* The innermost block, or the first part of an `if` or `try`, ends. */
void alc_roots_end_block(struct alc_lowering *f);
/* The loop `block`, which is open, begins: its label has its locals. */
void alc_roots_begin_loop(struct alc_lowering *f, const struct alc_block *block);
/* The function's code is complete: puts its frame on and, wherever it returns, off the chain. */
void alc_roots_finish(struct alc_lowering *f);

#endif
