/* SPDX-License-Identifier: Apache-2.0
 *
 * What depends on the shape of the code and on the processor it is for. Another processor is
 * another row and its answers to the functions here.
 */
#ifndef ALC_COMPILER_TARGET_H
#define ALC_COMPILER_TARGET_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "native/image.h"
#include "wasm/types.h"

/* How a memory is reached. */
enum alc_memory_access {
    ALC_MEMORY_CONFINED, /* an address space of its own, 32-bit addresses that wrap */
    ALC_MEMORY_GUARDED,  /* by address; behind it nothing within reach of a 32-bit index */
    ALC_MEMORY_COMPARED, /* by address; every access is compared with the size */
};

/* In the confined shape LLVM sees the context below this address of FS. Whatever becomes of it, it
 * is recognised by a displacement that ends close below. */
enum { ALC_TARGET_DISGUISED_END = 1 << 30 };

struct alc_target {
    enum alc_native_shape shape;
    const char *triple;
    unsigned context_space; /* LLVM's address spaces */
    unsigned memory_space;
    /* The context's end as LLVM is told; added to minus the distance. */
    int64_t context_end;
    unsigned context_address_bits; /* of the integer that such an address is made from */
};

const struct alc_target *alc_target_of(enum alc_native_shape shape);

/* Once, before anything else of LLVM's is used; any number of times, by any thread. */
void alc_target_init(void);

/* A target machine for code of the level (0 to ALC_COMPILE_LEVEL_MAX) and features; NULL when this
 * LLVM has none. */
LLVMTargetMachineRef alc_target_machine(const struct alc_target *target, unsigned level,
                                        uint32_t features);

/* Attributes without which the code would not fit the shape. */
void alc_target_set_attributes(uint32_t features, LLVMContextRef context, LLVMValueRef function);

/* The instruction at `offset` of the code as text on the heap, or NULL. */
char *alc_target_disassemble(uint8_t *code, uint32_t code_size, uint32_t offset);

enum alc_memory_access alc_target_memory_access(const struct alc_target *target,
                                                const struct alc_memory_type *type);

#endif
