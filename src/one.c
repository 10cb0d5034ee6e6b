/* SPDX-License-Identifier: Apache-2.0
 *
 * The freestanding core of the engine as one translation unit, for embedders who want a single
 * object: cc -Os -ffreestanding -march=x86-64-v2 -Isrc -c src/one.c Static names are therefore
 * unique across these files. What it needs from outside: memcpy, memmove, memset, memcmp, strlen
 * and alc_abort. tests/one builds it with gcc and clang.
 */
#include "base/arena.c"
#include "base/reader.c"
#include "base/status.c"
#include "base/utf8.c"
#include "base/writer.c"

#include "wasm/code_ops.c"
#include "wasm/decode.c"
#include "wasm/decode_sections.c"
#include "wasm/decode_segments.c"
#include "wasm/decode_types.c"
#include "wasm/emit.c"
#include "wasm/emit_control.c"
#include "wasm/emit_memory.c"
#include "wasm/emit_numeric.c"
#include "wasm/features.c"
#include "wasm/module.c"
#include "wasm/names.c"
#include "wasm/types.c"
#include "wasm/types_write.c"
#include "wasm/validate.c"
#include "wasm/validate_atomic.c"
#include "wasm/validate_constant.c"
#include "wasm/validate_control.c"
#include "wasm/validate_reference.c"
#include "wasm/validate_wide.c"

#include "exec/atomic.c"
#include "exec/constant.c"
#include "exec/instance.c"
#include "exec/interp.c"
#include "exec/interp_slow.c"
#include "exec/interp_trace.c"
#include "exec/linker.c"
#include "exec/memory.c"
#include "exec/store.c"
#include "exec/table.c"
#include "exec/waiting.c"
