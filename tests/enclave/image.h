/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the test image, called by its main function (image.c).
 */
#ifndef ALC_TESTS_ENCLAVE_IMAGE_H
#define ALC_TESTS_ENCLAVE_IMAGE_H

#include "base/compiler.h"
#include "tests/enclave/calls.h"

void test_copy_in(void *to, const volatile uint8_t *outside, uint64_t size);
void test_copy_out(volatile uint8_t *outside, const void *from, uint64_t size);

/* image_faults.c */
uint64_t test_fault(uint64_t ecall, volatile struct test_page *page, uint64_t first,
                    uint64_t with_handler);

/* image_memory.c: 0, or a number that says what was wrong. */
uint64_t test_commit(uint64_t size, uint64_t rounds);
uint64_t test_commit_errors(void);
uint64_t test_extend(volatile struct test_page *page);
uint64_t test_grow_by_pieces(uint64_t pieces_count, uint64_t piece_size);
uint64_t test_memory_functions(void);

/* image_window.c: the same. */
uint64_t test_window(void);
uint64_t test_gs(uint64_t rounds);

/* image_code.c */
uint64_t test_code_make(volatile struct test_page *page, uint64_t pages_count);
uint64_t test_code_run(uint64_t offset, uint64_t pages_count);
uint64_t test_code_discard(uint64_t offset);

#endif
