/* SPDX-License-Identifier: Apache-2.0
 *
 * Our decoder against Zydis and LLVM's disassembler:
 *   differential [CASES [SEED]]                    on random encodings
 *   differential all [SHARD SHARDS [SEED]]         on the set of enumerate.h, or a part of it
 * Whatever ours accepts, Zydis and LLVM must describe in the same way. What ours refuses is counted
 * and no matter. Ends with 1 at a disagreement.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verifier/enumerate.h"
#include "verifier/generate.h"
#include "verifier/llvm_oracle.h"
#include "verifier/zydis_oracle.h"

enum { SHOWN_MAX = 20 };

struct tally {
    uint64_t cases, accepted, disagreements;
    uint8_t slots[ENCODING_SLOTS]; /* which were accepted */
};

static void complain(struct tally *tally, const uint8_t *bytes, const char *who, const char *what,
                     const char *text)
{
    tally->disagreements++;
    if (tally->disagreements > SHOWN_MAX) {
        return;
    }
    printf("%s: %s:", who, what);
    for (uint32_t i = 0; i < ALC_X86_WINDOW_SIZE; i++) {
        printf(" %02x", bytes[i]);
    }
    printf("  %s\n", text);
}

static void run_case(void *context, const uint8_t *bytes)
{
    struct tally *tally = context;
    struct alc_x86_instruction ours;
    struct alc_x86_instruction theirs;
    char text[128] = "";
    tally->cases++;
    if (alc_x86_decode(bytes, &ours) != NULL) {
        return;
    }
    /* Atomic instructions are not confined; of those, lock in front of what cannot be locked is no
     * matter, and LLVM takes lock for an instruction of its own. */
    if (ours.is_checked) {
        return;
    }
    tally->accepted++;
    tally->slots[encoding_slot(bytes)] = 1;
    const char *problem = zydis_decode(bytes, ALC_X86_LENGTH_MAX, &theirs);
    if (problem == NULL) {
        problem = first_difference(&ours, &theirs);
    }
    if (problem != NULL) {
        zydis_print(bytes, ALC_X86_LENGTH_MAX, text, sizeof text);
        complain(tally, bytes, "zydis", problem, text);
    }
    problem = llvm_compare(bytes, &ours, text, sizeof text);
    if (problem != NULL) {
        complain(tally, bytes, "llvm", problem, text);
    }
}

static void run_random(struct tally *tally, uint64_t cases, uint64_t state)
{
    for (uint64_t i = 0; i < cases; i++) {
        uint8_t bytes[ALC_X86_WINDOW_SIZE];
        generate_instruction(&state, bytes);
        run_case(tally, bytes);
    }
}

static void print(const struct tally *tally, const struct timespec *start)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start->tv_sec) + 1e-9 * (double)(end.tv_nsec - start->tv_nsec);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < ENCODING_SLOTS; i++) {
        slots += tally->slots[i];
    }
    printf(
        "%llu cases, %llu accepted and compared with Zydis and LLVM, %u of opcode and ModRM.reg, "
        "%llu disagreements, %.0f cases/s\n",
        (unsigned long long)tally->cases, (unsigned long long)tally->accepted, slots,
        (unsigned long long)tally->disagreements, (double)tally->cases / seconds);
}

static uint64_t number(int count, char **arguments, int index, uint64_t otherwise)
{
    return index < count ? strtoull(arguments[index], NULL, 10) : otherwise;
}

int main(int count, char **arguments)
{
    static struct tally tally;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    bool is_all = count > 1 && strcmp(arguments[1], "all") == 0;
    uint64_t seed = number(count, arguments, is_all ? 4 : 2, 1);
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    if (is_all) {
        uint64_t shards = number(count, arguments, 3, 1);
        enumerate(&state, (uint32_t)number(count, arguments, 2, 0),
                  (uint32_t)(shards == 0 ? 1 : shards), run_case, &tally);
    } else {
        run_random(&tally, number(count, arguments, 1, 1000000), state);
    }
    print(&tally, &start);
    /* A decoder that refuses everything agrees with everybody. */
    uint64_t least = is_all ? tally.cases / 50 : tally.cases / 4;
    return tally.disagreements == 0 && tally.accepted > least ? 0 : 1;
}
