#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other engine: wasmtime's C library, through the bindings of its Python package.

Reads requests, one JSON list a line, and answers each with one JSON value a line:

  ["validate", "<module in hex>"]                       -> "valid" or what is wrong
  ["run", module file, transcript, name, provider file] -> the transcript as wasmtime sees it

A transcript is what alc_diff_driver prints: its calls are repeated with the same arguments, what
came back and the state are told in the same words (see diff_values.h). One process serves many
modules; whoever asks bounds the time.
"""
import ctypes
import hashlib
import json
import re
import sys
import threading

STACK_SIZE = 256 << 20
WASM_STACK_SIZE = 64 << 20
FEATURES = ("threads", "tail_call", "reference_types", "function_references", "gc", "simd",
            "relaxed_simd", "relaxed_simd_deterministic", "bulk_memory", "multi_value",
            "multi_memory", "memory64", "wide_arithmetic", "exceptions", "custom_page_sizes")
I32, I64, F32, F64, V128, FUNCREF, EXTERNREF, ANYREF, EXNREF = range(9)
OBJECT_DEPTH, ELEMENTS_SHOWN = 3, 16
NULL_STORE = 0
EXTERN_FUNC, EXTERN_GLOBAL, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_SHARED_MEMORY = range(5)
# What wasmtime says -> the name of alcove's status (base/errors.def).
TRAPS = [
    (r"unreachable. instruction executed", "UNREACHABLE"),
    (r"integer divide by zero", "DIVIDE_BY_ZERO"),
    (r"integer overflow", "INTEGER_OVERFLOW"),
    (r"invalid conversion to integer", "INVALID_CONVERSION"),
    (r"out of bounds memory access", "MEMORY_OUT_OF_BOUNDS"),
    (r"out of bounds table access", "TABLE_OUT_OF_BOUNDS"),
    (r"out of bounds array access", "ARRAY_OUT_OF_BOUNDS"),
    (r"uninitialized element", "UNINITIALIZED_ELEMENT"),
    (r"indirect call type mismatch", "INDIRECT_CALL_MISMATCH"),
    (r"null (i31 |function |structure |array |exception )?reference", "NULL_REFERENCE"),
    (r"cast failure", "CAST_FAILURE"),
    (r"unaligned atomic", "UNALIGNED_ATOMIC"),
    (r"atomic wait on non-shared memory|expected shared memory", "EXPECTED_SHARED_MEMORY"),
    (r"call stack exhausted", "CALL_STACK_EXHAUSTED"),
    (r"allocation size too large|GC heap out of memory|out of memory|heap is too large",
     "OUT_OF_MEMORY"),
    (r"thrown Wasm exception|uncaught exception", "UNCAUGHT_EXCEPTION"),
]


class Wasmtime:
    """Engine and words; `ffi` is the package's module of raw bindings."""

    def __init__(self, ffi):
        self.ffi = ffi
        config = ffi.wasm_config_new()
        for feature in FEATURES:
            getattr(ffi, f"wasmtime_config_wasm_{feature}_set")(config, True)
        ffi.wasmtime_config_gc_support_set(config, True)
        ffi.wasmtime_config_shared_memory_set(config, True)
        ffi.wasmtime_config_async_stack_size_set(config, 2 * WASM_STACK_SIZE)
        ffi.wasmtime_config_max_wasm_stack_set(config, WASM_STACK_SIZE)
        ffi.wasmtime_config_parallel_compilation_set(config, False)
        ffi.wasmtime_config_cranelift_opt_level_set(config, 0)
        self.engine = ffi.wasm_engine_new_with_config(config)

    def words(self, message):
        text = ctypes.string_at(message.data, message.size).decode(errors="replace")
        self.ffi.wasm_byte_vec_delete(ctypes.byref(message))
        return text.rstrip("\0")

    def error_text(self, error):
        message = self.ffi.wasm_byte_vec_t()
        self.ffi.wasmtime_error_message(error, ctypes.byref(message))
        self.ffi.wasmtime_error_delete(error)
        return self.words(message)

    def trap_text(self, trap):
        message = self.ffi.wasm_byte_vec_t()
        self.ffi.wasm_trap_message(trap, ctypes.byref(message))
        self.ffi.wasm_trap_delete(trap)
        return self.words(message)

    def validate(self, code):
        array = (ctypes.c_uint8 * len(code)).from_buffer_copy(code)
        error = self.ffi.wasmtime_module_validate(self.engine, array, len(code))
        return self.error_text(error) if error else "valid"

    def compile(self, code):
        """(module, None) or (None, what is wrong)."""
        array = (ctypes.c_uint8 * len(code)).from_buffer_copy(code)
        module = ctypes.POINTER(self.ffi.wasmtime_module_t)()
        error = self.ffi.wasmtime_module_new(self.engine, array, len(code), ctypes.byref(module))
        return (None, self.error_text(error)) if error else (module, None)


def trap_name(text):
    for pattern, name in TRAPS:
        if re.search(pattern, text):
            return name
    return f"unknown: {text}"


class World:
    """A store with the provider of imports and an instance of the module under test."""

    def __init__(self, wasmtime, module, provider, provider_name):
        self.wasmtime, self.ffi = wasmtime, wasmtime.ffi
        self.store = self.ffi.wasmtime_store_new(wasmtime.engine, None, _no_finalizer(self.ffi))
        self.context = self.ffi.wasmtime_store_context(self.store)
        self.linker = self.ffi.wasmtime_linker_new(wasmtime.engine)
        self.instance = self.ffi.wasmtime_instance_t()
        if provider is not None:
            if self.instantiate(provider) is not None:
                raise RuntimeError("the module that gives imports is not usable")
            name = _chars(provider_name.encode())
            error = self.ffi.wasmtime_linker_define_instance(
                self.linker, self.context, name, len(provider_name), ctypes.byref(self.instance))
            if error:
                raise RuntimeError(wasmtime.error_text(error))
        self.trap = self.instantiate(module)

    def instantiate(self, module):
        """None, or why not."""
        trap = ctypes.POINTER(self.ffi.wasm_trap_t)()
        error = self.ffi.wasmtime_linker_instantiate(
            self.linker, self.context, module, ctypes.byref(self.instance), ctypes.byref(trap))
        return self.outcome(error, trap)

    def outcome(self, error, trap):
        if error:
            text = self.wasmtime.error_text(error)
        elif trap:
            text = self.wasmtime.trap_text(trap)
        else:
            return None
        if self.ffi.wasmtime_context_has_exception(self.context):
            exception = self.ffi.wasmtime_exnref_t()
            self.ffi.wasmtime_context_take_exception(self.context, ctypes.byref(exception))
            return "UNCAUGHT_EXCEPTION"
        return trap_name(text)

    def close(self):
        self.ffi.wasmtime_linker_delete(self.linker)
        self.ffi.wasmtime_store_delete(self.store)

    def export(self, name, kinds):
        item = self.ffi.wasmtime_extern_t()
        found = self.ffi.wasmtime_instance_export_get(
            self.context, ctypes.byref(self.instance), _chars(name), len(name), ctypes.byref(item))
        if not found or item.kind not in kinds:
            raise RuntimeError(f"no export {name!r} of kinds {kinds}")
        return item

    # -- values --

    def value(self, word):
        """A value from its text."""
        value = self.ffi.wasmtime_val_t()
        kind, _, digits = word.partition(":")
        if kind in ("i32", "f32"):
            value.kind = I32 if kind == "i32" else F32
            value.of.i32 = ctypes.c_int32(int(digits, 16)).value
        elif kind in ("i64", "f64"):
            value.kind = I64 if kind == "i64" else F64
            value.of.i64 = ctypes.c_int64(int(digits, 16)).value
        elif kind == "v128":
            value.kind = V128
            value.of.v128 = (ctypes.c_uint8 * 16)(*bytes.fromhex(digits)[::-1])
        elif kind == "i31":
            value.kind = ANYREF
            self.ffi.wasmtime_anyref_from_i31(self.context, int(digits, 16),
                                              ctypes.byref(value.of.anyref))
        elif kind == "host":
            value.kind = EXTERNREF
            if not self.ffi.wasmtime_externref_new(self.context, int(digits) + 1,
                                                   _no_finalizer(self.ffi),
                                                   ctypes.byref(value.of.externref)):
                raise RuntimeError("no externref")
        else:
            raise RuntimeError(f"no value {word}")
        return value

    def null(self, kind):
        value = self.ffi.wasmtime_val_t()
        value.kind = kind
        return value

    def text(self, value, depth=OBJECT_DEPTH):
        union = value.of
        if value.kind in (I32, F32):
            name = "i32" if value.kind == I32 else "f32"
            return f"{name}:{ctypes.c_uint32.from_buffer(union).value:08x}"
        if value.kind in (I64, F64):
            name = "i64" if value.kind == I64 else "f64"
            return f"{name}:{ctypes.c_uint64.from_buffer(union).value:016x}"
        if value.kind == V128:
            return "v128:" + bytes(union.v128)[::-1].hex()
        if value.kind == FUNCREF:
            return "null" if union.funcref.store_id == NULL_STORE else "function"
        if value.kind == EXNREF:
            return "null" if union.exnref.store_id == NULL_STORE else "exception"
        if value.kind == EXTERNREF:
            return self.extern_text(union.externref)
        return self.any_text(union.anyref, depth)

    def extern_text(self, reference):
        if reference.store_id == NULL_STORE:
            return "null"
        number = self.ffi.wasmtime_externref_data(self.context, ctypes.byref(reference))
        return f"host:{number - 1}" if number else "internal"

    def any_text(self, reference, depth):
        if reference.store_id == NULL_STORE:
            return "null"
        address = ctypes.byref(reference)
        out = ctypes.c_uint32()
        # wasmtime_anyref_is_i31 says yes to objects as well.
        if self.ffi.wasmtime_anyref_i31_get_u(self.context, address, ctypes.byref(out)):
            return f"i31:{out.value:08x}"
        return self.object_text(address, depth)

    def object_text(self, address, depth):
        """A structure or an array; what is neither came from the host."""
        ffi = self.ffi
        structure, array = ffi.wasmtime_structref_t(), ffi.wasmtime_arrayref_t()
        is_structure = ffi.wasmtime_anyref_as_struct(self.context, address, ctypes.byref(structure))
        is_array = not is_structure and ffi.wasmtime_anyref_as_array(self.context, address,
                                                                     ctypes.byref(array))
        if not is_structure and not is_array:
            return "external"
        if depth == 0:
            return "object"
        if is_structure:
            return self.structure_text(ctypes.byref(structure), depth)
        return self.array_text(ctypes.byref(array), depth)

    def structure_text(self, structure, depth):
        ffi = self.ffi
        type_of = ffi.wasmtime_structref_type(self.context, structure)
        words = []
        for i in range(ffi.wasmtime_struct_type_num_fields(type_of)):
            value = ffi.wasmtime_val_t()
            ffi.wasmtime_structref_field(self.context, structure, i, ctypes.byref(value))
            words.append(self.text(value, depth - 1))
        ffi.wasmtime_struct_type_delete(type_of)
        return "{" + ",".join(words) + "}"

    def array_text(self, array, depth):
        ffi = self.ffi
        length = ctypes.c_uint32()
        ffi.wasmtime_arrayref_len(self.context, array, ctypes.byref(length))
        words = [str(length.value)]
        for i in range(min(length.value, ELEMENTS_SHOWN)):
            value = ffi.wasmtime_val_t()
            ffi.wasmtime_arrayref_get(self.context, array, i, ctypes.byref(value))
            words.append(self.text(value, depth - 1))
        return "[" + ",".join(words) + "]"

    # -- lines of a transcript --

    def call(self, name, words):
        ffi = self.ffi
        item = self.export(name, (EXTERN_FUNC,))
        kinds, results_count = self.signature(item.of.func)
        arguments = (ffi.wasmtime_val_t * len(words))()
        for i, word in enumerate(words):
            arguments[i] = self.null(kinds[i]) if word == "null" else self.value(word)
        results = (ffi.wasmtime_val_t * results_count)()
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_func_call(self.context, ctypes.byref(item.of.func), arguments,
                                       len(words), results, results_count, ctypes.byref(trap))
        stopped = self.outcome(error, trap)
        if stopped is not None:
            return f"! {stopped}"
        return " ".join(["=", *(self.text(result) for result in results)])

    def signature(self, function):
        """Kinds of the parameters as values have them, number of results."""
        ffi = self.ffi
        type_of = ffi.wasmtime_func_type(self.context, ctypes.byref(function))
        parameters = ffi.wasm_functype_params(type_of).contents
        kinds = []
        for i in range(parameters.size):
            out = ffi.wasmtime_valtype_t()
            ffi.wasmtime_valtype_new(parameters.data[i], ctypes.byref(out))
            kinds.append(value_kind(out))
            ffi.wasmtime_valtype_delete(ctypes.byref(out))
        results = ffi.wasm_functype_results(type_of).contents.size
        ffi.wasm_functype_delete(type_of)
        return kinds, results

    def global_line(self, name):
        item = self.export(name, (EXTERN_GLOBAL,))
        value = self.ffi.wasmtime_val_t()
        self.ffi.wasmtime_global_get(self.context, ctypes.byref(item.of.global_),
                                     ctypes.byref(value))
        return self.text(value)

    def table_line(self, name):
        item = self.export(name, (EXTERN_TABLE,))
        table = ctypes.byref(item.of.table)
        words = []
        for i in range(self.ffi.wasmtime_table_size(self.context, table)):
            value = self.ffi.wasmtime_val_t()
            self.ffi.wasmtime_table_get(self.context, table, i, ctypes.byref(value))
            words.append(self.text(value))
        return " ".join(words)

    def memory_line(self, name):
        item = self.export(name, (EXTERN_MEMORY, EXTERN_SHARED_MEMORY))
        ffi = self.ffi
        if item.kind == EXTERN_MEMORY:
            memory = ctypes.byref(item.of.memory)
            pages = ffi.wasmtime_memory_size(self.context, memory)
            size = ffi.wasmtime_memory_data_size(self.context, memory)
            data = ffi.wasmtime_memory_data(self.context, memory)
        else:
            memory = item.of.sharedmemory
            pages = ffi.wasmtime_sharedmemory_size(memory)
            size = ffi.wasmtime_sharedmemory_data_size(memory)
            data = ffi.wasmtime_sharedmemory_data(memory)
        contents = ctypes.string_at(data, size) if size else b""
        return f"{pages} {hashlib.sha256(contents).hexdigest()[:16]}"


def value_kind(valtype):
    """wasmtime_valtype -> kind of a wasmtime_val: only references differ."""
    if valtype.kind <= V128:
        return valtype.kind
    return heap_kind(valtype.reftype.heaptype.kind)


# Kinds of heap types in the order of the C interface.
HEAPS = ("extern", "noextern", "func", "concrete_func", "nofunc", "any", "none", "eq", "i31",
         "array", "concrete_array", "struct", "concrete_struct", "exn", "concrete_exn", "noexn")


def heap_kind(number):
    name = HEAPS[number] if number < len(HEAPS) else "any"
    if "extern" in name:
        return EXTERNREF
    if "func" in name:
        return FUNCREF
    return EXNREF if "exn" in name else ANYREF


def _chars(name):
    return ctypes.create_string_buffer(name, len(name) + 1)


def _no_finalizer(ffi):
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)()


def replay(wasmtime, path, transcript, provider_name, provider_path):
    """The transcript as wasmtime sees it; ends where alcove's ends or wasmtime stops."""
    with open(path, "rb") as file:
        module, why = wasmtime.compile(file.read())
    if module is None:
        return [f"refused {why}"]
    provider = None
    if provider_path is not None:
        with open(provider_path, "rb") as file:
            provider, why = wasmtime.compile(file.read())
    world, lines = None, []
    for line in transcript:
        kind, *words = line.split()
        if kind == "instance":
            if world is not None:
                world.close()
            world = World(wasmtime, module, provider, provider_name)
            lines.append("instance")
            if world.trap is not None:
                lines.append(f"! {world.trap}")
                break
            continue
        if kind in ("=", "!"):
            continue
        if world is None:
            lines.append("accepted")
            break
        name = bytes.fromhex(words[0][1:])
        if kind == "call":
            lines += [line, world.call(name, words[1:])]
        else:
            state = {"global": world.global_line, "table": world.table_line,
                     "memory": world.memory_line}[kind](name)
            lines.append(f"{kind} {words[0]} {state}".rstrip())
    if world is not None:
        world.close()
    wasmtime.ffi.wasmtime_module_delete(module)
    return lines


def serve():
    sys.path.insert(0, sys.argv[1])
    from wasmtime import _ffi as ffi  # pylint: disable=import-outside-toplevel
    wasmtime = Wasmtime(ffi)
    for line in sys.stdin:
        what, *rest = json.loads(line)
        try:
            if what == "validate":
                answer = wasmtime.validate(bytes.fromhex(rest[0]))
            else:
                answer = replay(wasmtime, *rest)
        except (RuntimeError, ValueError, KeyError) as error:
            answer = [f"oracle: {type(error).__name__}: {error}"]
        print(json.dumps(answer), flush=True)


def main():
    """WebAssembly runs on the caller's stack: a thread with a large one."""
    threading.stack_size(STACK_SIZE)
    thread = threading.Thread(target=serve)
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
