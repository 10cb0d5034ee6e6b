/* SPDX-License-Identifier: Apache-2.0
 *
 * Ecalls of the smallest image, shared with the tests that call them.
 */
#ifndef ALC_TESTS_IMAGE_MINIMAL_H
#define ALC_TESTS_IMAGE_MINIMAL_H

enum minimal_ecall {
    MINIMAL_ADD = 0,
    MINIMAL_MULTIPLY = 1,
    MINIMAL_CHOSEN = 2,
    MINIMAL_CALLS_COUNT = 3,
    MINIMAL_HEAP_OFFSET = 4,
    MINIMAL_THREAD_INDEX = 5,
    MINIMAL_STACK = 6,
    MINIMAL_READ = 7,  /* a = offset from the base */
    MINIMAL_WRITE = 8, /* a = offset, b = value */
};

#endif
