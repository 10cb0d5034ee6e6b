/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with 64-bit pointers (--target=wasm64, without a C library: there is none for WASI).
 * Preview 1 has 32-bit addresses only: what the system reads lies in the first 4 GiB, like all of
 * the program's data; the rest of the memory is its own. Prints a checksum of a table of pointers
 * to blocks on both sides of 4 GiB.
 */
typedef unsigned long long u64;
typedef unsigned int u32;

#define PAGE 65536ull
#define FOUR_GIB 0x100000000ull

#ifdef WIDE_WASI
typedef u64 wasi_address; /* what no WASI has: to be refused */
#else
typedef u32 wasi_address;
#endif

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) int
fd_write(int descriptor, wasi_address vectors, int count, wasi_address written);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) void
proc_exit(int code);

_Static_assert(sizeof(void *) == 8, "64-bit pointers");

struct block {
    struct block *next;
    u64 words[7];
};

static char text[64];
static struct {
    u32 address, size;
} vector;
static u32 written;

static void print(const char *name, u64 value)
{
    u32 size = 0;
    for (; name[size] != 0; size++) {
        text[size] = name[size];
    }
    for (int shift = 60; shift >= 0; shift -= 4) {
        text[size++] = "0123456789abcdef"[value >> shift & 15];
    }
    text[size++] = '\n';
    vector.address = (u32)(u64)text;
    vector.size = size;
    if (fd_write(1, (wasi_address)(u64)&vector, 1, (wasi_address)(u64)&written) != 0) {
        proc_exit(1);
    }
}

/* A list that jumps between the two halves of what is given. */
static u64 walk(char *low, char *high, u64 count)
{
    struct block *first = 0;
    u64 sum = 0;
    for (u64 i = 0; i < count; i++) {
        struct block *block = (struct block *)(i % 2 ? high : low) + i;
        block->next = first;
        for (int j = 0; j < 7; j++) {
            block->words[j] = (i + 1) * 0x9e3779b97f4a7c15ull >> j;
        }
        first = block;
    }
    for (struct block *block = first; block != 0; block = block->next) {
        for (int j = 0; j < 7; j++) {
            sum = sum * 31 + block->words[j];
        }
        sum ^= (u64)block >> 32;
    }
    return sum;
}

__attribute__((export_name("_start"))) void start(void)
{
    u64 pages = __builtin_wasm_memory_size(0);
    u64 wanted = FOUR_GIB / PAGE + 64;
    print("pages at first: ", pages);
    if (__builtin_wasm_memory_grow(0, 64) != pages) {
        proc_exit(2);
    }
    char *low = (char *)(pages * PAGE);
    print("below 4 GiB: ", walk(low, low + 32 * PAGE, 5000));
    if (__builtin_wasm_memory_grow(0, wanted - pages - 64) != pages + 64) {
        print("no memory beyond 4 GiB: ", __builtin_wasm_memory_size(0));
        proc_exit(0);
    }
    print("beyond 4 GiB: ", walk(low, (char *)FOUR_GIB, 5000));
    proc_exit(0);
}
