/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of the test image: growth, permissions, and the functions that compilers call. Each
 * returns 0, or a number that says which expectation failed.
 */
#include "base/bytes.h"
#include "enclave/pages.h"
#include "enclave/tee.h"
#include "enclave/thread.h"
#include "sgx_arch/arch.h"
#include "tests/enclave/image.h"

enum { PAGE = ALC_SGX_PAGE_SIZE };

/* The first word of each page is its number, or zero everywhere. */
static bool pages_are(const uint8_t *start, uint64_t size, bool filled)
{
    for (uint64_t offset = 0; offset < size; offset += PAGE) {
        if (alc_load_u64(start + offset) != (filled ? offset / PAGE + 1 : 0) ||
            alc_load_u64(start + offset + PAGE - 8) != (filled ? ~offset : 0)) {
            return false;
        }
    }
    return true;
}

static void fill_pages(uint8_t *start, uint64_t size)
{
    for (uint64_t offset = 0; offset < size; offset += PAGE) {
        alc_store_u64(start + offset, offset / PAGE + 1);
        alc_store_u64(start + offset + PAGE - 8, ~offset);
    }
}

uint64_t test_commit(uint64_t size, uint64_t rounds)
{
    for (uint64_t round = 0; round < rounds;
         round++) { /* the second gets pages that were used before */
        uint8_t *start = alc_enclave_pages_reserve(size);
        if (start == NULL) {
            return 1;
        }
        if (alc_enclave_pages_commit(start, size) != ALC_OK) {
            return 2;
        }
        if (!pages_are(start, size, false)) {
            return 3;
        }
        fill_pages(start, size);
        if (!pages_are(start, size, true)) {
            return 4;
        }
        alc_enclave_pages_release(start);
    }
    return 0;
}

uint64_t test_commit_errors(void)
{
    const uint64_t fresh = ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE | ALC_SGX_PAGE_PENDING |
                           ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR);
    uint64_t accepted;
    uint8_t *first = alc_enclave_pages_reserve(2 * PAGE);
    uint8_t *second = alc_enclave_pages_reserve(1);
    if (first == NULL || second == NULL || second < first + 3 * PAGE) {
        return 1;
    }
    if (alc_enclave_pages_reserve(0) != NULL || alc_enclave_pages_reserve(SIZE_MAX) != NULL ||
        alc_enclave_pages_reserve(alc_enclave_layout.heap_size) != NULL) {
        return 2;
    }
    if (alc_enclave_pages_commit(first, 3 * PAGE) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_commit(first + 1, PAGE) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_commit(first, 1) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_commit(first - PAGE, PAGE) != ALC_E_BAD_ARGUMENT ||
        alc_enclave_pages_commit(alc_enclave_base(), PAGE) != ALC_E_BAD_ARGUMENT) {
        return 3;
    }
    if (alc_enclave_pages_commit(first, 2 * PAGE) != ALC_OK) {
        return 4;
    }
    fill_pages(first, 2 * PAGE);
    if (alc_enclave_pages_commit(first + PAGE, PAGE) != ALC_OK || !pages_are(first, PAGE, true) ||
        alc_load_u64(first + PAGE) != 0) {
        return 5;
    }
    /* A page is accepted once; and only as what it is. */
    if (alc_tee_pages_accept(first, PAGE, fresh, &accepted) != ALC_E_POLICY_REFUSED ||
        accepted != 0) {
        return 6;
    }
    if (alc_tee_pages_accept(second, PAGE, fresh | ALC_SGX_PAGE_EXECUTE, &accepted) !=
        ALC_E_POLICY_REFUSED) {
        return 7;
    }
    if (alc_enclave_pages_commit(second, PAGE) != ALC_OK) {
        return 8;
    }
    /* Far past the range that may be added: the host has no page for it. */
    if (alc_tee_pages_accept(alc_enclave_base() + alc_enclave_layout.image_size, PAGE, fresh,
                             &accepted) == ALC_OK) {
        return 9;
    }
    alc_enclave_pages_release(second);
    alc_enclave_pages_release(first);
    return 0;
}

uint64_t test_grow_by_pieces(uint64_t pieces_count, uint64_t piece_size)
{
    uint8_t *start = alc_enclave_pages_reserve(pieces_count * piece_size);
    if (start == NULL) {
        return 1;
    }
    for (uint64_t i = 0; i < pieces_count; i++) {
        uint8_t *piece = start + i * piece_size;
        if (alc_enclave_pages_commit(piece, piece_size) != ALC_OK) {
            return 2;
        }
        if (!pages_are(piece, piece_size, false)) {
            return 3;
        }
        alc_fill(piece, (uint8_t)(i + 1), piece_size);
    }
    for (uint64_t i = 0; i < pieces_count * piece_size; i += 512) {
        if (start[i] != (uint8_t)(i / piece_size + 1)) {
            return 4;
        }
    }
    alc_enclave_pages_release(start);
    return 0;
}

/* Writes code into fresh memory, makes it executable, has the host map it so, and calls it. */
uint64_t test_extend(volatile struct test_page *page)
{
    static const uint8_t code[] = {0xB8, 0x2A, 0x05, 0x00, 0x00, 0xC3}; /* mov eax, 1322; ret */
    uint8_t *start = alc_enclave_pages_reserve(PAGE);
    if (start == NULL || alc_enclave_pages_commit(start, PAGE) != ALC_OK) {
        return 1;
    }
    alc_copy(start, code, sizeof code);
    if (page->args[0] != 0) {
        alc_tee_page_extend(start, ALC_SGX_PAGE_READ | ALC_SGX_PAGE_EXECUTE);
    }
    page->results[0] = (uint64_t)(start - alc_enclave_base());
    alc_enclave_leave_for_host();
    uint64_t (*function)(void);
    alc_copy(&function, &start, sizeof function);
    return function();
}

/* -- the functions that compilers call, against the simplest form of each -- */

enum { ARENA = 1400, SIZES_STEP_FROM = 80 };

static uint8_t g_expected[ARENA];
static uint8_t g_actual[ARENA];

static void scramble(uint64_t seed)
{
    for (uint64_t i = 0; i < ARENA; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        g_expected[i] = (uint8_t)(seed >> 56);
        g_actual[i] = g_expected[i];
    }
}

static bool arenas_agree(void)
{
    uint8_t difference = 0;
    for (uint64_t i = 0; i < ARENA; i++) {
        difference |= g_expected[i] ^ g_actual[i];
    }
    return difference == 0;
}

static void move_simply(uint64_t to, uint64_t from, uint64_t size)
{
    for (volatile uint64_t i = 0; i < size; i++) {
        uint64_t k = to < from ? i : size - 1 - i;
        g_expected[to + k] = g_expected[from + k];
    }
}

static bool moves_are_right(uint64_t size)
{
    static const uint16_t places[][2] = {{0, 700}, {701, 0}, {3, 5},  {5, 3}, {0, 16},
                                         {17, 0},  {1, 64},  {70, 2}, {9, 9}};
    for (uint64_t i = 0; i < ALC_ARRAY_COUNT(places); i++) {
        scramble(size * 31 + i);
        move_simply(places[i][0], places[i][1], size);
        alc_move(g_actual + places[i][0], g_actual + places[i][1], size);
        if (!arenas_agree()) {
            return false;
        }
    }
    scramble(size);
    move_simply(700, 3, size);
    alc_copy(g_actual + 700, g_actual + 3, size);
    return arenas_agree();
}

static bool fills_are_right(uint64_t size)
{
    scramble(size);
    for (volatile uint64_t i = 0; i < size; i++) {
        g_expected[13 + i] = 0xEE;
    }
    alc_fill(g_actual + 13, 0xEE, size);
    return arenas_agree();
}

static bool comparisons_are_right(uint64_t size)
{
    scramble(size);
    alc_copy(g_expected + 700, g_expected + 1, size);
    if (!alc_equal(g_expected + 700, g_expected + 1, size)) {
        return false;
    }
    for (uint64_t i = 0; i < size; i += size / 8 + 1) {
        g_expected[700 + i] ^= 0x80;
        int order = __builtin_memcmp(g_expected + 700, g_expected + 1, size);
        if (order == 0 || (order < 0) != (g_expected[700 + i] < g_expected[1 + i])) {
            return false;
        }
        g_expected[700 + i] ^= 0x80;
    }
    return true;
}

uint64_t test_memory_functions(void)
{
    for (uint64_t size = 0; size < 680; size += size < SIZES_STEP_FROM ? 1 : 13) {
        if (!moves_are_right(size)) {
            return 1000 + size;
        }
        if (!fills_are_right(size)) {
            return 2000 + size;
        }
        if (!comparisons_are_right(size)) {
            return 3000 + size;
        }
    }
    g_actual[0] = 'a';
    g_actual[1] = '\0';
    return alc_string_length((const char *)g_actual) == 1 ? 0 : 1;
}
