/* SPDX-License-Identifier: Apache-2.0
 *
 * Native images through reader, loader and verifier, up to an instance; nothing runs. Hashes are
 * made right first when the first byte is odd, or nothing would get past them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/engine.h"
#include "native/image_format.h"
#include "native_exec/native_exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_SIZE = 8 << 20, FILE_MAX = 1 << 16, STACK_SLOTS = 1024 };
/* Of the file's header: image_format.h. */
enum {
    SIZES = 24,
    MODULE_HASH = 72,
    NATIVE_HASH = 104,
    VOUCHER_SIZE = 136,
    VOUCHER_HASH = 144,
};

static void *reserve(void *context, size_t size)
{
    (void)context;
    void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return addr == MAP_FAILED ? NULL : addr;
}

static alc_status commit(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_WRITE) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static alc_status execute(void *context, void *addr, size_t size)
{
    (void)context;
    return mprotect(addr, size, PROT_READ | PROT_EXEC) == 0 ? ALC_OK : ALC_E_OUT_OF_MEMORY;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context;
    munmap(addr, size);
}

static struct alc_native_thread *watch(void *context, struct alc_native_thread *thread)
{
    (void)context;
    return thread;
}

static uint64_t padded(const uint8_t *file, unsigned section)
{
    uint64_t size;
    memcpy(&size, file + (section < 6 ? SIZES + 8 * section : VOUCHER_SIZE), sizeof size);
    return size > FILE_MAX ? FILE_MAX : (size + 7) & ~7ull;
}

static void make_hashes_right(uint8_t *file, size_t size)
{
    uint64_t offsets[8] = {ALC_NATIVE_HEADER_SIZE};
    for (unsigned i = 0; i < 7; i++) {
        offsets[i + 1] = offsets[i] + padded(file, i);
    }
    if (offsets[7] > size) {
        return;
    }
    uint64_t module_size;
    uint64_t voucher_size;
    memcpy(&module_size, file + SIZES, sizeof module_size);
    memcpy(&voucher_size, file + VOUCHER_SIZE, sizeof voucher_size);
    alc_sha256(file + offsets[0], module_size, file + MODULE_HASH);
    struct alc_sha256 hash;
    alc_sha256_init(&hash);
    alc_sha256_update(&hash, file, NATIVE_HASH);
    alc_sha256_update(&hash, file + offsets[1], offsets[6] - offsets[1]);
    alc_sha256_finish(&hash, file + NATIVE_HASH);
    alc_sha256(file + offsets[6], voucher_size, file + VOUCHER_HASH);
}

static void load(const struct alc_native_image *image, bool is_vouched)
{
    static uint8_t *memory;
    static const struct alc_native_support support = {.watch = watch};
    if (memory == NULL) {
        memory = malloc(ARENA_SIZE);
    }
    struct alc_arena arena;
    alc_arena_init(&arena, memory, ARENA_SIZE);
    struct alc_store store;
    const struct alc_store_options options = {
        .pages = {.reserve = reserve,
                  .commit = commit,
                  .release = release,
                  .execute = execute,
                  .native = &support},
        .executor = &alc_native_executor,
        .memory_size_max = 1 << 20,
        .stack_slots = STACK_SLOTS,
    };
    if (alc_store_init(&store, &arena, &options) != ALC_OK) {
        return;
    }
    const struct alc_native_load_options load_options = {.is_vouched = is_vouched};
    struct alc_error error = {0};
    struct alc_module *module;
    struct alc_instance *instance;
    if (alc_native_load(&store, &arena, image, &load_options, &module, &error) == ALC_OK &&
        module->start_index == ALC_NO_INDEX) {
        (void)!alc_instantiate(&store, &arena, module, NULL, &instance, &error);
    }
    alc_arena_fini(&arena);
    alc_store_fini(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size - 1 > FILE_MAX) {
        return 0;
    }
    uint8_t choice = data[0];
    /* At the end of its allocation, for the sanitizers. */
    uint8_t *file = malloc(size - 1);
    if (size != 1) {
        memcpy(file, data + 1, size - 1);
    }
    if ((choice & 1) != 0 && size - 1 >= ALC_NATIVE_HEADER_SIZE) {
        make_hashes_right(file, size - 1);
    }
    struct alc_native_image image;
    struct alc_error error = {0};
    if (alc_native_image_read(file, size - 1, &image, &error) == ALC_OK) {
        load(&image, (choice & 2) != 0);
    }
    free(file);
    return 0;
}
