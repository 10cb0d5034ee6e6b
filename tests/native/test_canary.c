/* SPDX-License-Identifier: Apache-2.0
 *
 * Mutants with canaries: compiled functions are spoilt, and what the verifier still accepts runs,
 * among things that it must not change:
 *   native_canary canary.wasm [CASES [SEED [INSIDE]]]
 * Outside an enclave an honest instance of the same image (the victim) calls the host, which calls
 * the mutant on the same stack. Watched: pages around every reservation, the victim's memory,
 * context and frames, the mutant's words that it may not write, code, constants, and the engine's
 * own records. Every call ends by a return or a trap, or is ended by a timer. Of the accepted some
 * (INSIDE of them) also run in the emulator, where pages of the image that are not writable are
 * watched. Mutants run in a child: a crash is a finding, with its seed.
 */
#include "native/support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "native_exec/native_internal.h"
#include "native_linux/native_linux.h"
#include "verifier/generate.h"

enum {
    MARGIN = 16 << 10, /* on both sides of a reservation */
    MARGIN_BYTE = 0xC5,
    RESERVATIONS_MAX = 32,
    ARENA_SIZE = 4 << 20,
    STACK_SLOTS = 16 << 10,
    CODE_MAX = 64 << 10,
    EXPORTS = 8,
    TIME_US = 4000,      /* that a call has */
    TIME_AGAIN_US = 500, /* until the next look when it was not in its code */
    TICKS_MAX = 30,      /* inside */
    FRAMES_MAX = 4096,
};

/* -- what goes on, seen by the parent, too -- */

struct progress {
    uint64_t seed;
    uint64_t number; /* of the mutant */
    uint64_t refused, accepted, calls, traps, timeouts, inside;
    char problem[200];
};
static struct progress *g_progress;

static void complain(const char *problem)
{
    if (g_progress->problem[0] == '\0') {
        snprintf(g_progress->problem, sizeof g_progress->problem, "%s", problem);
    }
}

/* -- pages with margins -- */

struct reservation {
    uint8_t *start;
    size_t size;
};
static struct reservation g_reservations[RESERVATIONS_MAX];

static void *reserve(void *context, size_t size)
{
    (void)context;
    for (size_t i = 0; i < RESERVATIONS_MAX; i++) {
        if (g_reservations[i].start != NULL) {
            continue;
        }
        uint8_t *range = mmap(NULL, size + 2 * (size_t)MARGIN, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED || mprotect(range, MARGIN, PROT_READ | PROT_WRITE) != 0 ||
            mprotect(range + MARGIN + size, MARGIN, PROT_READ | PROT_WRITE) != 0) {
            return NULL;
        }
        memset(range, MARGIN_BYTE, MARGIN);
        memset(range + MARGIN + size, MARGIN_BYTE, MARGIN);
        g_reservations[i] = (struct reservation){range + MARGIN, size};
        return range + MARGIN;
    }
    return NULL;
}

static void release(void *context, void *addr, size_t size)
{
    (void)context;
    for (size_t i = 0; i < RESERVATIONS_MAX; i++) {
        if (g_reservations[i].start == addr) {
            munmap((uint8_t *)addr - MARGIN, size + 2 * (size_t)MARGIN);
            g_reservations[i].start = NULL;
        }
    }
}

static bool is_margin(const uint8_t *bytes)
{
    return bytes[0] == MARGIN_BYTE && memcmp(bytes, bytes + 1, MARGIN - 1) == 0;
}

static void check_margins(void)
{
    for (size_t i = 0; i < RESERVATIONS_MAX; i++) {
        const struct reservation *reservation = &g_reservations[i];
        if (reservation->start != NULL && (!is_margin(reservation->start - MARGIN) ||
                                           !is_margin(reservation->start + reservation->size))) {
            complain("pages beside a reservation changed");
        }
    }
}

/* -- the world of one mutant -- */

struct world {
    struct alc_arena arena;
    uint8_t *memory; /* of the arena */
    struct alc_store store;
    struct alc_instance *victim;
    struct alc_instance *mutant;
    const struct alc_native_image *mutant_image;
    uint64_t *state; /* random */
    bool is_inner;   /* the mutant runs */
    bool was_ended;  /* by the timer */
};
static struct world g_world;
/* What the honest image's function gives, whoever runs meanwhile. */
static uint64_t g_victim_result;

static const struct alc_native_instance *native_of(const struct alc_instance *instance)
{
    return alc_native_instance_of(instance->memory0->base);
}

/* What must be the same behind the mutant's calls. */
struct snapshot {
    uint8_t memory[128 << 10];                   /* the victim's */
    uint8_t context[64 << 10];                   /* the same */
    uint8_t read_only[ALC_NATIVE_READ_ONLY_END]; /* the mutant's */
    uint8_t frames[FRAMES_MAX];
    uint8_t arena[ARENA_SIZE];
    size_t arena_size;
};

static const uint8_t *frames_start(const struct alc_native_thread *thread)
{
    return (const uint8_t *)(uintptr_t)thread->native_rsp;
}

static size_t frames_size(const struct alc_native_thread *thread)
{
    size_t size = (size_t)(thread->stack_high - frames_start(thread));
    return size < FRAMES_MAX ? size : FRAMES_MAX;
}

static void take_snapshot(struct snapshot *out)
{
    const struct alc_native_thread *thread = g_world.store.thread.native;
    const struct alc_native_instance *victim = native_of(g_world.victim);
    const struct alc_memory *memory = g_world.victim->memory0;
    memcpy(out->memory, memory->base, sizeof out->memory);
    memcpy(out->context, victim->base - victim->code->context_size, victim->code->context_size);
    memcpy(out->read_only, g_world.mutant->memory0->base - ALC_NATIVE_READ_ONLY_END,
           sizeof out->read_only);
    memcpy(out->frames, frames_start(thread), frames_size(thread));
    out->arena_size = g_world.arena.used;
    memcpy(out->arena, g_world.memory, out->arena_size);
}

static void expect_same(const void *now, const void *before, size_t size, const char *what)
{
    if (memcmp(now, before, size) != 0) {
        complain(what);
    }
}

/* This part of the arena may have changed. */
static void allow(struct snapshot *before, const void *start, size_t size)
{
    size_t offset = (size_t)((const uint8_t *)start - g_world.memory);
    memcpy(before->arena + offset, start, size);
}

static void check_snapshot(struct snapshot *before)
{
    const struct alc_native_thread *thread = g_world.store.thread.native;
    const struct alc_native_instance *victim = native_of(g_world.victim);
    const struct alc_native_instance *mutant = native_of(g_world.mutant);
    const uint8_t *words = g_world.mutant->memory0->base - ALC_NATIVE_READ_ONLY_END;
    expect_same(g_world.victim->memory0->base, before->memory, sizeof before->memory,
                "the victim's memory changed");
    expect_same(victim->base - victim->code->context_size, before->context,
                victim->code->context_size, "the victim's context changed");
    expect_same(frames_start(thread), before->frames, frames_size(thread),
                "the victim's frames changed");
    /* The size of the memory is the one word that trusted code changes. */
    memcpy(before->read_only + ALC_NATIVE_READ_ONLY_END - ALC_NATIVE_MEMORY_SIZE,
           words + ALC_NATIVE_READ_ONLY_END - ALC_NATIVE_MEMORY_SIZE, sizeof(uint64_t));
    expect_same(words, before->read_only, sizeof before->read_only,
                "words that code may not write changed");
    if (*alc_native_word(g_world.mutant->memory0->base, ALC_NATIVE_MEMORY_SIZE) >
        alc_memory_size(g_world.mutant->memory0)) {
        complain("the size of the memory changed");
    }
    expect_same(mutant->code->image.code, g_world.mutant_image->code,
                g_world.mutant_image->code_size, "code changed");
    expect_same(mutant->code->image.constants, g_world.mutant_image->constants,
                g_world.mutant_image->constants_size, "constants changed");
    /* Trusted code writes nothing of the engine's but a memory that grew, and what backtraces are
     * found with. */
    allow(before, g_world.mutant->memory0, sizeof(struct alc_memory));
    allow(before, mutant->code->scratch, mutant->code->scratch_size);
    allow(before, victim->code->scratch, victim->code->scratch_size);
    expect_same(g_world.memory, before->arena, before->arena_size, "the engine's records changed");
    check_margins();
}

/* -- time -- */

static void set_timer(uint32_t microseconds)
{
    struct itimerval timer = {.it_value = {.tv_usec = microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Ends the call as a fault would, when it stands in its code. */
static void on_alarm(int number, siginfo_t *info, void *argument)
{
    greg_t *registers = ((ucontext_t *)argument)->uc_mcontext.gregs;
    struct alc_native_fault fault = {.rip = (uint64_t)registers[REG_RIP],
                                     .rsp = (uint64_t)registers[REG_RSP],
                                     .r11 = (uint64_t)registers[REG_R11],
                                     .flags = (uint64_t)registers[REG_EFL],
                                     .vector = 6};
    (void)number;
    (void)info;
    if (!g_world.is_inner || !alc_native_fault(g_world.store.thread.native, &fault)) {
        set_timer(TIME_AGAIN_US);
        return;
    }
    registers[REG_RIP] = (greg_t)fault.rip;
    registers[REG_RSP] = (greg_t)fault.rsp;
    registers[REG_R11] = (greg_t)fault.r11;
    registers[REG_EFL] = (greg_t)fault.flags;
    g_world.was_ended = true;
}

/* -- calls -- */

static struct alc_function *find(const struct alc_instance *instance, const char *name)
{
    struct alc_function *function;
    const struct alc_name key = {(const uint8_t *)name, (uint32_t)strlen(name)};
    if (alc_export_find_function(instance, key, &function) != ALC_OK) {
        complain("an export is missing");
        return NULL;
    }
    return function;
}

static void call_mutant(unsigned number)
{
    const char name[] = {(char)('0' + number), '\0'};
    uint64_t slots[3] = {random_next(g_world.state), random_next(g_world.state),
                         random_next(g_world.state)};
    struct alc_function *function = find(g_world.mutant, name);
    g_world.is_inner = true;
    set_timer(TIME_US);
    alc_status status = alc_invoke(&g_world.store, function, slots, slots, NULL);
    set_timer(0);
    g_world.is_inner = false;
    enum alc_error_class class = alc_status_class(status);
    if (class != ALC_CLASS_NONE && class != ALC_CLASS_TRAP && class != ALC_CLASS_EXHAUSTED) {
        complain(alc_status_name(status));
    }
    g_progress->calls++;
    g_progress->traps += class != ALC_CLASS_NONE;
}

/* The host function: of the victim, calls the mutant; of the mutant, only looks. */
static alc_status look(struct alc_host_call *call)
{
    static struct snapshot snapshot;
    call->slots[0] = 0;
    if (g_world.mutant == NULL || g_world.is_inner) {
        check_margins();
        return ALC_OK;
    }
    if (call->caller != g_world.victim) {
        complain("another instance called");
    }
    take_snapshot(&snapshot);
    for (unsigned i = 0; i < EXPORTS; i++) {
        call_mutant(i);
        check_snapshot(&snapshot);
    }
    g_progress->timeouts += g_world.was_ended;
    return ALC_OK;
}

static const struct alc_host_export LOOK[] = {{"sched_yield", ":i", look}};
static const struct alc_host_module HOST = {"wasi_snapshot_preview1", LOOK, 1};

static alc_status add(const struct alc_native_image *image, struct alc_instance **out)
{
    const struct alc_native_load_options options = {.is_vouched = false};
    struct alc_module *module;
    static struct alc_linker linker;
    ALC_TRY(alc_native_load(&g_world.store, &g_world.arena, image, &options, &module, NULL));
    alc_linker_init(&linker, &g_world.store);
    ALC_TRY(alc_linker_add_host(&linker, &HOST, NULL));
    return alc_instantiate(&g_world.store, &g_world.arena, module, &linker, out, NULL);
}

static uint64_t call_victim(void)
{
    uint64_t slots[3] = {7, 1234567, 0};
    if (alc_invoke(&g_world.store, find(g_world.victim, "3"), slots, slots, NULL) != ALC_OK) {
        complain("the victim failed");
    }
    return slots[0];
}

/* Whether the image was accepted; then both have run. `mutant` NULL: the victim runs alone. */
static bool run_world(const struct alc_native_image *honest, const struct alc_native_image *mutant,
                      uint64_t *state, uint64_t *result)
{
    struct alc_store_options options = {
        .executor = &alc_native_executor, .stack_slots = STACK_SLOTS, .memory_size_max = 1 << 20};
    uint8_t *memory = g_world.memory;
    g_world = (struct world){.memory = memory, .mutant_image = mutant, .state = state};
    alc_arena_init(&g_world.arena, memory, ARENA_SIZE);
    if (!alc_native_linux_pages(&options.pages)) {
        complain("no FSGSBASE");
        return false;
    }
    options.pages.reserve = reserve;
    options.pages.release = release;
    alc_status status = alc_store_init(&g_world.store, &g_world.arena, &options);
    struct alc_instance *second = NULL;
    if (status == ALC_OK && mutant != NULL) {
        status = add(mutant, &second);
    }
    bool is_accepted = status == ALC_OK;
    if (is_accepted) {
        if (add(honest, &g_world.victim) != ALC_OK) {
            complain("the honest image was refused");
        } else {
            g_world.mutant = second;
            *result = call_victim();
        }
    } else if (status != ALC_E_NATIVE_REFUSED) {
        complain(alc_status_name(status));
    }
    alc_arena_fini(&g_world.arena);
    alc_store_fini(&g_world.store);
    return is_accepted;
}

/* -- inside -- */

/* The pages of the image that nobody may write, as they were added. */
static struct {
    uint64_t offset;
    size_t size;
    uint8_t *bytes;
} g_fixed[256];
static size_t g_fixed_count;
static uint32_t g_ticks;

static int note_pages(struct alc_sgx_context *context, const struct alc_sgx_add_pages *pages)
{
    uint64_t flags = pages->secinfo->flags;
    bool is_fixed = (flags & ALC_SGX_PAGE_READ) != 0 && (flags & ALC_SGX_PAGE_WRITE) == 0;
    if (is_fixed && g_fixed_count < ALC_ARRAY_COUNT(g_fixed)) {
        g_fixed[g_fixed_count].offset = pages->offset;
        g_fixed[g_fixed_count].size = pages->length;
        g_fixed[g_fixed_count].bytes = malloc(pages->length);
        memcpy(g_fixed[g_fixed_count].bytes, pages->src, pages->length);
        g_fixed_count++;
    }
    return alc_sgx_emu_backend()->add_pages(context, pages);
}

static void look_and_close(struct alc_sgx_context *context)
{
    const uint8_t *memory = alc_sgx_emu_memory(context);
    for (size_t i = 0; i < g_fixed_count; i++) {
        expect_same(memory + g_fixed[i].offset, g_fixed[i].bytes, g_fixed[i].size,
                    "fixed pages of the enclave changed");
        free(g_fixed[i].bytes);
    }
    if (g_fixed_count == 0) {
        complain("the enclave has no fixed pages");
    }
    g_fixed_count = 0;
    alc_sgx_emu_backend()->close(context);
}

/* With an endless loop the host ends the stay: the enclave is lost, which is the host's right. */
static int give_up(void *context, struct alc_sgx_context *enclave, uint64_t tcs,
                   uint64_t rip_offset)
{
    (void)context;
    (void)enclave;
    (void)tcs;
    (void)rip_offset;
    return ++g_ticks > TICKS_MAX ? -ETIME : 0;
}

static void run_inside(const struct native_program *honest, const struct alc_native_image *mutant)
{
    const struct alc_sgx_emu_options options = {.hiding = ALC_SGX_EMU_HIDE_NEVER,
                                                .interrupted = give_up};
    struct alc_sgx_backend backend = alc_sgx_emu_backend_with(&options);
    struct native_program program = *honest;
    struct native_run run = {.backend = &backend};
    g_ticks = 0;
    backend.add_pages = note_pages;
    backend.close = look_and_close;
    program.image = *mutant;
    program.file = malloc(program.file_size);
    if (program.file == NULL ||
        alc_native_image_write(&program.image, program.file, program.file_size, NULL) != ALC_OK) {
        complain("no file of the mutant");
        return;
    }
    alc_status status = native_run(&program, &run);
    enum alc_error_class class = alc_status_class((alc_status)run.outcome.status);
    if (status != ALC_OK ? g_ticks <= TICKS_MAX
                         : class != ALC_CLASS_NONE && class != ALC_CLASS_TRAP &&
                               class != ALC_CLASS_EXHAUSTED && class != ALC_CLASS_EXIT) {
        complain(alc_status_name(status != ALC_OK ? status : (alc_status)run.outcome.status));
    }
    if (run.writable_code != 0) {
        complain("code could be written");
    }
    g_progress->inside++;
    free(program.file);
}

/* -- mutants -- */

/* Spoils code, or puts another instruction into it. */
static void mutate(uint64_t *state, uint8_t *code, uint32_t size)
{
    uint32_t changes = random_below(state, 4) == 0 ? 3 : 1;
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t at = random_below(state, size);
        uint32_t reach = size - at < ALC_X86_WINDOW_SIZE ? size - at : ALC_X86_WINDOW_SIZE;
        uint8_t bytes[ALC_X86_WINDOW_SIZE];
        struct alc_x86_instruction instruction;
        generate_confined(state, bytes);
        if (random_below(state, 3) == 0 && alc_x86_decode(bytes, &instruction) == NULL &&
            instruction.length <= reach) {
            memcpy(code + at, bytes, instruction.length);
        } else {
            spoil(state, code + at, reach);
        }
    }
}

static void try_mutant(const struct native_program *honest, uint64_t *state, uint64_t inside_each)
{
    static uint8_t code[CODE_MAX];
    struct alc_native_image mutant = honest->image;
    uint64_t result = g_victim_result;
    memcpy(code, honest->image.code, mutant.code_size);
    if (g_progress->number != 0) {
        mutate(state, code, mutant.code_size);
    }
    mutant.code = code;
    g_progress->number++;
    if (!run_world(&honest->image, &mutant, state, &result)) {
        g_progress->refused++;
        return;
    }
    g_progress->accepted++;
    if (result != g_victim_result) {
        complain("the victim's result changed");
    }
    bool is_narrow = (mutant.features & ALC_NATIVE_V3) == 0;
    if (inside_each != 0 && is_narrow && g_progress->accepted % inside_each == 0) {
        run_inside(honest, &mutant);
    }
}

enum { IMAGES = 5 };
static struct native_program g_programs[IMAGES];

static void compile_all(const char *path)
{
    for (unsigned i = 0; i < IMAGES; i++) {
        const struct alc_compile_options options = {
            .shape = ALC_COMPILE_CONFINED,
            .level = i < 4 ? i : ALC_COMPILE_LEVEL_DEFAULT,
            .features = i == 4 && __builtin_cpu_supports("x86-64-v3") ? ALC_NATIVE_V3 : 0,
            .threads = 1};
        native_compile(path, &options, &g_programs[i]);
        assert_true(g_programs[i].image.code_size <= CODE_MAX);
    }
}

static void run_mutants(uint64_t cases, uint64_t seed, uint64_t inside)
{
    struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    /* About one of eight is accepted. */
    uint64_t inside_each = inside == 0 ? 0 : cases / 8 / inside + 1;
    sigaction(SIGALRM, &action, NULL);
    g_world.memory =
        mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g_world.memory, MAP_FAILED);
    for (unsigned i = 0; i < IMAGES && g_progress->problem[0] == '\0'; i++) {
        g_progress->number = 0;
        uint64_t unused = state;
        g_victim_result = 0;
        /* Nothing is spoilt yet: what the victim gives when all is well. */
        if (!run_world(&g_programs[i].image, &g_programs[i].image, &unused, &g_victim_result)) {
            complain("an honest image was refused");
        }
        while (g_progress->number < cases / IMAGES && g_progress->problem[0] == '\0') {
            try_mutant(&g_programs[i], &state, inside_each);
        }
    }
}

static uint64_t g_cases = 5000;
static uint64_t g_seed = 1;
static uint64_t g_inside = 2;
static const char *g_path;

static void test_mutants_disturb_nobody(void **state)
{
    (void)state;
    compile_all(g_path);
    g_progress =
        mmap(NULL, sizeof *g_progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g_progress, MAP_FAILED);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_mutants(g_cases, g_seed, g_inside);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    print_message("%lu mutants refused, %lu accepted and run: %lu calls, %lu of them trapped, %lu "
                  "ended by the timer; %lu in the emulator\n",
                  (unsigned long)g_progress->refused, (unsigned long)g_progress->accepted,
                  (unsigned long)g_progress->calls, (unsigned long)g_progress->traps,
                  (unsigned long)g_progress->timeouts, (unsigned long)g_progress->inside);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || g_progress->problem[0] != '\0') {
        fail_msg("seed %lu, mutant %lu of its image: %s", (unsigned long)g_seed,
                 (unsigned long)g_progress->number,
                 g_progress->problem[0] != '\0' ? g_progress->problem : "the process crashed");
    }
    assert_true(g_progress->accepted > g_cases / 40);
    for (unsigned i = 0; i < IMAGES; i++) {
        native_free(&g_programs[i]);
    }
}

int main(int arguments_count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutants_disturb_nobody)};
    if (arguments_count < 2) {
        fprintf(stderr, "usage: native_canary canary.wasm [CASES [SEED [INSIDE]]]\n");
        return 2;
    }
    g_path = arguments[1];
    g_cases = arguments_count > 2 ? strtoull(arguments[2], NULL, 10) : g_cases;
    g_seed = arguments_count > 3 ? strtoull(arguments[3], NULL, 10) : g_seed;
    g_inside = arguments_count > 4 ? strtoull(arguments[4], NULL, 10) : g_inside;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
