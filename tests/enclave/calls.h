/* SPDX-License-Identifier: Apache-2.0
 *
 * Ecalls of the test image and the page outside through which parameters and results travel.
 * Shared by the image (image*.c) and the tests that call it.
 */
#ifndef ALC_TESTS_ENCLAVE_CALLS_H
#define ALC_TESTS_ENCLAVE_CALLS_H

#include <stdint.h>

enum test_ecall {
    TEST_ENTRY_STATE,  /* what the host's flags and vectors look like inside */
    TEST_COMPUTE,      /* args: rounds; a checksum over integer, x87, SSE and memory work */
    TEST_HOST_CALLS,   /* args: count; returns the sum of what the host left in the page */
    TEST_SECRETS,      /* secrets in every register across a host call; 1 when they were kept */
    TEST_INVALID,      /* UD2 under a handler; returns what the handler saw */
    TEST_READ,         /* args: offset from the base, whether there is a handler */
    TEST_WRITE,        /* same */
    TEST_FORBIDDEN,    /* args: which instruction, whether there is a handler */
    TEST_REPORT,       /* page: target info (all zero: self), report data; out: the report */
    TEST_KEY,          /* page: key request; out: the key */
    TEST_COMMIT,       /* args: bytes, rounds; commits, checks zeros, fills, releases */
    TEST_COMMIT_TWICE, /* errors of reserve, commit and accept */
    TEST_EXTEND,       /* EMODPE: code in a fresh page */
    TEST_OUTSIDE,      /* args: addr, size; alc_enclave_is_outside */
    TEST_POISON,       /* args: hint */
    TEST_SMASH_STACK,
    TEST_RECURSE,          /* until the stack's gap */
    TEST_GUARD,            /* the stack guard */
    TEST_MEET,             /* args: how many threads; returns when as many are inside at once */
    TEST_MEMORY_FUNCTIONS, /* 0, or a number of what was wrong */
    TEST_ENTROPY,
    TEST_GROW_BY_PIECES, /* args: pieces, bytes of each */
    TEST_WAIT,      /* args: whether to call the host then; waits for the host's word in the page */
    TEST_CODE_MAKE, /* args: pages; the status; out: results[0], offset of the reservation */
    TEST_CODE_RUN,  /* args: offset, pages; the sum of what they return: 1 + 2 + … */
    TEST_CODE_DISCARD, /* args: offset */
    TEST_WINDOW,
    TEST_GS, /* args: rounds; one host call */
    TEST_ECALLS_COUNT
};

/* One page outside. */
struct test_page {
    uint64_t args[4];
    uint64_t results[8];
    uint64_t from_host;
    uint8_t reserved[408];
    uint8_t in[1024];
    uint8_t out[1024];
    uint8_t rest[1536];
};

_Static_assert(sizeof(struct test_page) == 4096, "one page");

/* TEST_ENTRY_STATE: results[] */
enum test_entry_state {
    STATE_RFLAGS,
    STATE_MXCSR,
    STATE_CONTROL_WORD,
    STATE_TAG_WORD, /* 0xFFFF: the x87 stack is empty */
    STATE_VECTORS,  /* all of XMM ored */
    STATE_FS_IS_OWN,
};

/* TEST_INVALID, TEST_READ, TEST_WRITE, TEST_FORBIDDEN: results[] */
enum test_fault { FAULT_COUNT, FAULT_VECTOR, FAULT_ADDR, FAULT_ERROR_CODE };

enum test_instruction {
    FORBIDDEN_SYSCALL,
    FORBIDDEN_CPUID,
    FORBIDDEN_INT80,
    FORBIDDEN_IN,
    FORBIDDEN_EENTER, /* leaves that only the host may use */
    FORBIDDEN_ERESUME,
    FORBIDDEN_LEAF, /* one that does not exist */
    FORBIDDEN_COUNT
};

#define TEST_SECRET UINT64_C(0xA5C3DEADBEEF5A77)

#endif
