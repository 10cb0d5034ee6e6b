/* SPDX-License-Identifier: Apache-2.0
 *
 * Our decoder against the processor that this runs on: what ours accepts is executed, one
 * instruction at a time, with random registers:
 *   processor [CASES [SEED]]
 * Told by the trap behind it: how long the instruction was, where control went, how far the stack
 * pointer moved, that flags, segments, bases, MXCSR's control and the x87 state stayed. Where it
 * touched memory is told by pages around: operands end where a page ends, or begin where it begins,
 * and nothing else is mapped; a window is mapped as a whole, or not at all and faults in it are all
 * that may happen. Runs in a child, so that a wild store is a finding, too.
 */
#include <immintrin.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "verifier/generate.h"

enum {
    SKIPPED = 77,
    PAGE = 4096,
    /* Code, then a page of data that code addresses by rip, then nothing. */
    CODE_SIZE = 4 * PAGE,
    ALTERNATE_STACK = 64 << 10,
    SHOWN_MAX = 10,
    FORGET_EACH = 4096, /* cases until the window's pages are given back */
    /* Flags. */
    STATUS = 0x8D5,
    TRAP = 0x100,
    RESUME = 0x10000,
    MXCSR_STATUS = 0x3F,
    /* Vectors of the processor. */
    DIVIDE = 0,
    DEBUG = 1,
    UNDEFINED = 6,
    PROTECTION = 13,
    PAGE_FAULT = 14,
    WAS_WRITE = 2, /* of a page fault's error code */
};
#define WINDOW_SIZE ((UINT64_C(4) << 30) + (64 << 10))

static struct {
    uint8_t *code;   /* CODE_SIZE, one page of data, one that is not mapped */
    uint8_t *data;   /* a page between two that are not mapped */
    uint8_t *stack;  /* the same */
    uint8_t *open;   /* a window that is mapped */
    uint8_t *closed; /* one that is not */
} g_place;

/* -- one step -- */

struct step {
    greg_t before[NGREG];
    greg_t after[NGREG];
    uint64_t gs_base;
    uint64_t gs_base_after;
    uint64_t fs_base_after;
    struct _libc_fpstate state_before;
    struct _libc_fpstate state_after;
};
static struct step g_step;
static bool g_is_running;

/* First from int3, then from whatever the instruction leads to. */
__attribute__((target("fsgsbase"))) static void on_signal(int number, siginfo_t *info,
                                                          void *argument)
{
    static greg_t saved[NGREG];
    ucontext_t *context = argument;
    greg_t *registers = context->uc_mcontext.gregs;
    (void)number;
    (void)info;
    if (!g_is_running) {
        memcpy(saved, registers, sizeof saved);
        /* Flags but the status, and segments, are as they are. */
        greg_t flags = registers[REG_EFL];
        greg_t segments = registers[REG_CSGSFS];
        greg_t status = g_step.before[REG_EFL] & STATUS;
        memcpy(registers, g_step.before, sizeof g_step.before);
        registers[REG_CSGSFS] = segments;
        registers[REG_EFL] = (flags & ~STATUS) | status | TRAP;
        memcpy(g_step.before, registers, sizeof g_step.before);
        g_step.state_before = *context->uc_mcontext.fpregs;
        _writegsbase_u64(g_step.gs_base);
        g_is_running = true;
        return;
    }
    g_step.gs_base_after = _readgsbase_u64();
    g_step.fs_base_after = _readfsbase_u64();
    memcpy(g_step.after, registers, sizeof g_step.after);
    g_step.state_after = *context->uc_mcontext.fpregs;
    memcpy(registers, saved, sizeof saved);
    g_is_running = false;
}

static void run_step(void)
{
    __asm__ volatile("int3" ::
                         : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                           "xmm15");
}

/* -- preparing -- */

/* Where the operand begins: at the page's start, or so that it ends where the page does. */
static uint8_t *operand(uint64_t *state, uint8_t *page, uint32_t size)
{
    return random_below(state, 2) == 0 ? page : page + PAGE - size;
}

/* Places the instruction, GS and registers so that only what it may touch is there. */
static void prepare(uint64_t *state, const uint8_t *bytes,
                    const struct alc_x86_instruction *instruction)
{
    uint8_t *code = g_place.code + random_below(state, CODE_SIZE - 2 * ALC_X86_WINDOW_SIZE);
    uint8_t *stack = g_place.stack + PAGE / 2;
    int64_t displacement = instruction->displacement;
    uint32_t size = instruction->access_size;
    for (uint32_t i = 0; i < NGREG; i++) {
        g_step.before[i] = (greg_t)random_next(state);
    }
    g_step.gs_base = (uint64_t)(uintptr_t)g_place.closed;
    switch (instruction->memory) {
    case ALC_X86_WINDOW:
        if (random_below(state, 2) == 0) {
            g_step.gs_base = (uint64_t)(uintptr_t)g_place.open;
        }
        break;
    case ALC_X86_GS:
        g_step.gs_base =
            (uint64_t)(uintptr_t)operand(state, g_place.data, size) - (uint64_t)displacement;
        break;
    case ALC_X86_STACK:
        stack =
            (uint8_t *)((uintptr_t)operand(state, g_place.stack, size) - (uintptr_t)displacement);
        break;
    case ALC_X86_RELATIVE:
        code = g_place.code + CODE_SIZE + PAGE - size - displacement - instruction->length;
        break;
    default:
        break;
    }
    memcpy(code, bytes, instruction->length);
    if (instruction->flow == ALC_X86_RETURN) {
        memcpy(stack, &g_place.data, sizeof g_place.data);
    }
    g_step.before[REG_RIP] = (greg_t)(uintptr_t)code;
    g_step.before[REG_RSP] = (greg_t)(uintptr_t)stack;
}

/* -- judging -- */

static const char *judge_state(uint64_t fs_base)
{
    const struct _libc_fpstate *before = &g_step.state_before;
    const struct _libc_fpstate *after = &g_step.state_after;
    greg_t changed = g_step.before[REG_EFL] ^ g_step.after[REG_EFL];
    if ((changed & ~(greg_t)(STATUS | TRAP | RESUME)) != 0) {
        return "flags";
    }
    if (g_step.gs_base_after != g_step.gs_base || g_step.fs_base_after != fs_base ||
        g_step.before[REG_CSGSFS] != g_step.after[REG_CSGSFS]) {
        return "segments";
    }
    if (((before->mxcsr ^ after->mxcsr) & ~(uint32_t)MXCSR_STATUS) != 0) {
        return "mxcsr";
    }
    return before->cwd == after->cwd && before->swd == after->swd && before->ftw == after->ftw
               ? NULL
               : "x87";
}

static const char *judge_end(const struct alc_x86_instruction *instruction)
{
    uint64_t rip = (uint64_t)g_step.after[REG_RIP];
    uint64_t next = (uint64_t)g_step.before[REG_RIP] + instruction->length;
    uint64_t target = next + (uint64_t)(int64_t)instruction->displacement;
    int64_t pushed = g_step.before[REG_RSP] - g_step.after[REG_RSP];
    int64_t wanted = instruction->pushed;
    bool is_right = false;
    switch (instruction->flow) {
    case ALC_X86_NEXT:
        is_right = rip == next;
        break;
    case ALC_X86_BRANCH:
        is_right = rip == next || rip == target;
        break;
    case ALC_X86_CALL:
        wanted = 8;
        is_right = rip == target && memcmp(g_place.stack + PAGE / 2 - 8, &next, 8) == 0;
        break;
    case ALC_X86_JUMP:
        is_right = rip == target;
        break;
    case ALC_X86_RETURN:
        wanted = -8;
        is_right = rip == (uint64_t)(uintptr_t)g_place.data;
        break;
    default:
        return "goes on";
    }
    return !is_right ? "length or target" : pushed != wanted ? "stack pointer" : NULL;
}

static const char *judge_fault(const struct alc_x86_instruction *instruction)
{
    if (g_step.after[REG_RIP] != g_step.before[REG_RIP]) {
        return "a fault elsewhere";
    }
    uint64_t distance = (uint64_t)g_step.after[REG_CR2] - (uint64_t)(uintptr_t)g_place.closed;
    bool is_write = (g_step.after[REG_ERR] & WAS_WRITE) != 0;
    switch (g_step.after[REG_TRAPNO]) {
    case DIVIDE:
        return instruction->flow == ALC_X86_NEXT ? NULL : "#DE";
    case UNDEFINED:
        return instruction->flow == ALC_X86_STOP ? NULL : "#UD";
    case PROTECTION: /* a vector that is not aligned */
        return instruction->memory != ALC_X86_NO_MEMORY && instruction->access_size >= 16 ? NULL
                                                                                          : "#GP";
    case PAGE_FAULT:
        if (instruction->memory != ALC_X86_WINDOW ||
            g_step.gs_base != (uint64_t)(uintptr_t)g_place.closed || distance >= WINDOW_SIZE) {
            return "touches other memory";
        }
        return is_write && !instruction->is_store ? "writes" : NULL;
    default:
        return "an exception of another kind";
    }
}

/* -- the run -- */

struct tally {
    uint64_t cases, steps, ends, disagreements;
    uint8_t slots[ENCODING_SLOTS];
};

static void complain(struct tally *tally, const uint8_t *bytes, const char *problem)
{
    tally->disagreements++;
    if (tally->disagreements > SHOWN_MAX) {
        return;
    }
    printf("processor: %s (vector %lld):", problem, (long long)g_step.after[REG_TRAPNO]);
    for (uint32_t i = 0; i < ALC_X86_WINDOW_SIZE; i++) {
        printf(" %02x", bytes[i]);
    }
    printf("\n");
}

__attribute__((target("fsgsbase"))) static void run_case(uint64_t *state, struct tally *tally,
                                                         bool has_v3)
{
    uint8_t bytes[ALC_X86_WINDOW_SIZE];
    struct alc_x86_instruction instruction;
    if (random_below(state, 4) == 0) {
        generate_instruction(state, bytes);
    } else {
        generate_confined(state, bytes);
    }
    tally->cases++;
    if (alc_x86_decode(bytes, &instruction) != NULL || instruction.is_checked ||
        instruction.memory == ALC_X86_ANYWHERE || (instruction.is_vex && !has_v3)) {
        return;
    }
    /* Of confined code only those whose operand can be put where the page ends. */
    if (instruction.memory == ALC_X86_RELATIVE &&
        (instruction.displacement < PAGE || instruction.displacement > PAGE + 64 ||
         instruction.is_store)) {
        return;
    }
    prepare(state, bytes, &instruction);
    run_step();
    bool is_end = g_step.after[REG_TRAPNO] == DEBUG;
    const char *problem = is_end ? judge_end(&instruction) : judge_fault(&instruction);
    if (problem == NULL) {
        problem = judge_state(_readfsbase_u64());
    }
    tally->steps++;
    tally->ends += is_end;
    tally->slots[encoding_slot(bytes)] |= is_end;
    if (problem != NULL) {
        complain(tally, bytes, problem);
    }
}

static uint8_t *map(uint64_t size, int protection)
{
    uint8_t *addr =
        mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (addr == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return addr;
}

/* A page between two that are not mapped. */
static uint8_t *map_alone(void)
{
    uint8_t *addr = map((uint64_t)3 * PAGE, PROT_NONE) + PAGE;
    if (mprotect(addr, PAGE, PROT_READ | PROT_WRITE) != 0) {
        perror("mprotect");
        exit(1);
    }
    return addr;
}

static void set_up(void)
{
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    stack_t stack = {.ss_sp = map(ALTERNATE_STACK, PROT_READ | PROT_WRITE),
                     .ss_size = ALTERNATE_STACK};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    g_place.code = map(CODE_SIZE + 2 * PAGE, PROT_NONE);
    if (mprotect(g_place.code, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 ||
        mprotect(g_place.code + CODE_SIZE, PAGE, PROT_READ) != 0 ||
        sigaltstack(&stack, NULL) != 0) {
        perror("processor");
        exit(1);
    }
    g_place.data = map_alone();
    g_place.stack = map_alone();
    g_place.open = map(WINDOW_SIZE, PROT_READ | PROT_WRITE);
    g_place.closed = map(WINDOW_SIZE, PROT_NONE);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

static int run(uint64_t cases, uint64_t seed)
{
    static struct tally tally;
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    bool has_v3 = __builtin_cpu_supports("x86-64-v3") != 0;
    set_up();
    while (tally.cases < cases) {
        run_case(&state, &tally, has_v3);
        if (tally.cases % FORGET_EACH == 0) {
            madvise(g_place.open, WINDOW_SIZE, MADV_DONTNEED);
        }
    }
    uint32_t slots = 0;
    for (uint32_t i = 0; i < ENCODING_SLOTS; i++) {
        slots += tally.slots[i];
    }
    printf("%llu cases, %llu executed, %llu of them to their end, %u of opcode and ModRM.reg%s, "
           "%llu disagreements\n",
           (unsigned long long)tally.cases, (unsigned long long)tally.steps,
           (unsigned long long)tally.ends, slots, has_v3 ? "" : ", none of x86-64-v3",
           (unsigned long long)tally.disagreements);
    (void)fflush(stdout);
    return tally.disagreements == 0 && tally.steps > tally.cases / 8 ? 0 : 1;
}

int main(int count, char **arguments)
{
    enum { HAS_FSGSBASE = 2 }; /* of AT_HWCAP2 */
    uint64_t cases = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    if ((getauxval(AT_HWCAP2) & HAS_FSGSBASE) == 0) {
        printf("SKIPPED: this system has no FSGSBASE\n");
        return SKIPPED;
    }
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(run(cases, seed));
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        printf("the processor did something that ended the test, seed %llu\n",
               (unsigned long long)seed);
        return 1;
    }
    return WEXITSTATUS(status);
}
