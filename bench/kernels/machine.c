/* SPDX-License-Identifier: Apache-2.0
 *
 * An interpreter inside the interpreter: a stack machine whose program sums primes and
 * calls a recursive function. One switch, as the loops of many languages have.
 */
#include "harness.h"

enum opcode {
    OP_PUSH,
    OP_LOAD,
    OP_STORE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_REM,
    OP_LESS,
    OP_JUMP,
    OP_JUMP_ZERO,
    OP_CALL,
    OP_RETURN,
    OP_DROP,
    OP_DUP,
    OP_HALT
};

enum { LOCALS = 8, STACK = 512, FRAMES = 64 };

struct instruction {
    uint8_t opcode;
    int32_t operand;
};

/* Locals: 0 result, 1 candidate, 2 divisor, 3 limit. */
static const struct instruction program[] = {
    {OP_PUSH, 2},
    {OP_STORE, 1},
    /* 2: next candidate */
    {OP_LOAD, 1},
    {OP_LOAD, 3},
    {OP_LESS, 0},
    {OP_JUMP_ZERO, 31},
    {OP_PUSH, 2},
    {OP_STORE, 2},
    /* 8: next divisor */
    {OP_LOAD, 2},
    {OP_DUP, 0},
    {OP_MUL, 0},
    {OP_LOAD, 1},
    {OP_DUP, 0},
    {OP_PUSH, 1},
    {OP_ADD, 0},
    {OP_STORE, 4},
    {OP_DROP, 0},
    {OP_LOAD, 4},
    {OP_LESS, 0},
    {OP_JUMP_ZERO, 36},
    {OP_LOAD, 1},
    {OP_LOAD, 2},
    {OP_REM, 0},
    {OP_JUMP_ZERO, 40},
    {OP_LOAD, 2},
    {OP_PUSH, 1},
    {OP_ADD, 0},
    {OP_STORE, 2},
    {OP_JUMP, 8},
    {OP_HALT, 0},
    {OP_HALT, 0},
    /* 31: all candidates done: add fib(12) */
    {OP_PUSH, 12},
    {OP_CALL, 45},
    {OP_LOAD, 0},
    {OP_ADD, 0},
    {OP_HALT, 0},
    /* 36: a prime */
    {OP_LOAD, 0},
    {OP_LOAD, 1},
    {OP_ADD, 0},
    {OP_STORE, 0},
    /* 40: candidate + 1 */
    {OP_LOAD, 1},
    {OP_PUSH, 1},
    {OP_ADD, 0},
    {OP_STORE, 1},
    {OP_JUMP, 2},
    /* 45: fib(n), n on the stack */
    {OP_DUP, 0},
    {OP_PUSH, 2},
    {OP_LESS, 0},
    {OP_JUMP_ZERO, 50},
    {OP_RETURN, 0},
    {OP_DUP, 0},
    {OP_PUSH, 1},
    {OP_SUB, 0},
    {OP_CALL, 45},
    {OP_STORE, 5},
    {OP_PUSH, 2},
    {OP_SUB, 0},
    {OP_STORE, 6},
    {OP_LOAD, 5},
    {OP_LOAD, 6},
    {OP_CALL, 45},
    {OP_ADD, 0},
    {OP_RETURN, 0},
};

static int32_t execute(int32_t limit)
{
    int32_t locals[LOCALS] = {0, 0, 0, limit};
    int32_t stack[STACK];
    uint32_t frames[FRAMES];
    uint32_t top = 0, depth = 0, at = 0;
    for (;;) {
        const struct instruction *next = &program[at++];
        switch ((enum opcode)next->opcode) {
        case OP_PUSH:
            stack[top++] = next->operand;
            break;
        case OP_LOAD:
            stack[top++] = locals[next->operand];
            break;
        case OP_STORE:
            locals[next->operand] = stack[--top];
            break;
        case OP_ADD:
            top--;
            stack[top - 1] += stack[top];
            break;
        case OP_SUB:
            top--;
            stack[top - 1] -= stack[top];
            break;
        case OP_MUL:
            top--;
            stack[top - 1] *= stack[top];
            break;
        case OP_REM:
            top--;
            stack[top - 1] %= stack[top];
            break;
        case OP_LESS:
            top--;
            stack[top - 1] = stack[top - 1] < stack[top];
            break;
        case OP_JUMP:
            at = (uint32_t)next->operand;
            break;
        case OP_JUMP_ZERO:
            if (stack[--top] == 0) {
                at = (uint32_t)next->operand;
            }
            break;
        case OP_CALL:
            frames[depth++] = at;
            at = (uint32_t)next->operand;
            break;
        case OP_RETURN:
            at = frames[--depth];
            break;
        case OP_DROP:
            top--;
            break;
        case OP_DUP:
            stack[top] = stack[top - 1];
            top++;
            break;
        case OP_HALT:
            return stack[top - 1];
        }
    }
}

uint64_t machine(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, (uint32_t)execute((int32_t)(500 + round % 7)));
    }
    return sum;
}
