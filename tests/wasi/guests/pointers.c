/* SPDX-License-Identifier: Apache-2.0
 *
 * Pointers that lead out of memory are an error and no end; the imports are declared with plain
 * numbers.
 */
#include "check.h"

#define IMPORT(name)                                                                               \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) int raw_##name
IMPORT(args_sizes_get)(uint32_t, uint32_t);
IMPORT(fd_write)(int, uint32_t, uint32_t, uint32_t);
IMPORT(fd_read)(int, uint32_t, uint32_t, uint32_t);
IMPORT(fd_fdstat_get)(int, uint32_t);
IMPORT(random_get)(uint32_t, uint32_t);
IMPORT(path_open)(int, int, uint32_t, uint32_t, int, uint64_t, uint64_t, int, uint32_t);
IMPORT(path_unlink_file)(int, uint32_t, uint32_t);
IMPORT(poll_oneoff)(uint32_t, uint32_t, uint32_t, uint32_t);
IMPORT(fd_readdir)(int, uint32_t, uint32_t, uint64_t, uint32_t);

int main(void)
{
    const uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) * 65536u;
    static uint32_t out;
    const uint32_t good = (uint32_t)&out;
    const int fault = __WASI_ERRNO_FAULT;
    EXPECT(raw_args_sizes_get(end - 4, good), 0);
    EXPECT(raw_args_sizes_get(end - 3, good), fault);
    EXPECT(raw_args_sizes_get(good, UINT32_MAX), fault);
    EXPECT(raw_fd_write(1, end - 7, 1, good), fault);
    EXPECT(raw_fd_write(1, UINT32_MAX - 3, 1, good), fault);
    EXPECT(raw_fd_write(1, 0, 2000, good), __WASI_ERRNO_INVAL);
    struct {
        uint32_t addr, size;
    } span = {end - 10, 11};
    EXPECT(raw_fd_write(1, (uint32_t)&span, 1, good), fault);
    EXPECT(raw_fd_read(0, (uint32_t)&span, 1, good), fault);
    span.addr = UINT32_MAX;
    span.size = UINT32_MAX;
    EXPECT(raw_fd_write(1, (uint32_t)&span, 1, good), fault);
    EXPECT(raw_fd_fdstat_get(1, end - 23), fault);
    EXPECT(raw_random_get(end, 0), 0);
    EXPECT(raw_random_get(end - 1, 2), fault);
    EXPECT(raw_path_open(ROOT, 0, end - 2, 3, 0, 0, 0, 0, good), fault);
    EXPECT(raw_path_open(ROOT, 0, (uint32_t)"empty", 5, 1, 0, 0, 0, end), fault);
    EXPECT(raw_path_unlink_file(ROOT, (uint32_t)"empty", 5), __WASI_ERRNO_NOENT); /* not made */
    EXPECT(raw_path_unlink_file(ROOT, (uint32_t)"a\0b", 3), __WASI_ERRNO_INVAL);
    EXPECT(raw_path_unlink_file(ROOT, 0, 4097), __WASI_ERRNO_NAMETOOLONG);
    EXPECT(raw_poll_oneoff(end - 47, 0, 1, good), fault);
    EXPECT(raw_poll_oneoff(0, end - 31, 1, good), fault);
    EXPECT(raw_poll_oneoff(0, 0, UINT32_MAX, good), __WASI_ERRNO_INVAL);
    EXPECT(raw_fd_readdir(ROOT, end - 10, 11, 0, good), fault);
    return 0;
}
