/* SPDX-License-Identifier: Apache-2.0
 *
 * What evidence is judged by: the appraisal policy and what is known about platforms. Both can be
 * replaced while the broker serves. A judgement under way keeps what it began with, so each is
 * counted and goes with its last use.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "kbs/kbs_internal.h"

/* Lists, and for a moment the canonical document, which is not much longer than any other. */
enum { POLICY_MEMORY = 8 * ALC_LIMIT_POLICY_SIZE };
_Static_assert(POLICY_MEMORY >= 2 * ALC_KBS_APPRAISAL_TEXT_MAX, "what was read can be written");

struct alc_kbs_appraisal {
    unsigned uses;
    struct alc_policy policy;
    char id[ALC_POLICY_NAME_SIZE];
    uint8_t *memory; /* document and lists */
};

struct alc_kbs_platforms {
    unsigned uses;
    struct alc_kbs_collateral collateral;
};

struct alc_kbs_basis {
    pthread_mutex_t lock; /* of the pointers and the counts */
    struct alc_kbs_appraisal *appraisal;
    struct alc_kbs_platforms *platforms;
};

/* -- lives -- */

static void drop_appraisal(struct alc_kbs_appraisal *appraisal)
{
    if (appraisal != NULL && --appraisal->uses == 0) {
        free(appraisal->memory);
        free(appraisal);
    }
}

static void drop_platforms(struct alc_kbs_platforms *platforms)
{
    if (platforms != NULL && --platforms->uses == 0) {
        free(platforms->collateral.memory);
        free(platforms);
    }
}

void alc_kbs_basis_take(struct alc_kbs_basis *basis, struct alc_kbs_grounds *out)
{
    pthread_mutex_lock(&basis->lock);
    basis->appraisal->uses++;
    basis->platforms->uses++;
    *out = (struct alc_kbs_grounds){
        .policy = &basis->appraisal->policy,
        .policy_id = basis->appraisal->id,
        .collateral = basis->platforms->collateral.items,
        .collateral_count = basis->platforms->collateral.count,
        .appraisal = basis->appraisal,
        .platforms = basis->platforms,
    };
    pthread_mutex_unlock(&basis->lock);
}

void alc_kbs_basis_release(struct alc_kbs_basis *basis, const struct alc_kbs_grounds *grounds)
{
    pthread_mutex_lock(&basis->lock);
    drop_appraisal(grounds->appraisal);
    drop_platforms(grounds->platforms);
    pthread_mutex_unlock(&basis->lock);
}

void alc_kbs_basis_free(struct alc_kbs_basis *basis)
{
    if (basis != NULL) {
        drop_appraisal(basis->appraisal);
        drop_platforms(basis->platforms);
        pthread_mutex_destroy(&basis->lock);
        free(basis);
    }
}

/* -- the policy -- */

/* What a policy may not ask for in a broker, or NULL. */
static const char *policy_problem(const struct alc_policy *policy, bool accepts_emulated)
{
    if (policy->report_data != NULL) {
        return "report_data: the protocol chooses it, for each session another";
    }
    if (alc_policy_asks_for_claims(policy)) {
        return "claims: clients of brokers send none; a rule can ask for workload_id";
    }
    if (policy->accepts_emulated && !accepts_emulated) {
        return "accept_emulated: the broker was not told to take such evidence";
    }
    return NULL;
}

static alc_status read_appraisal(struct alc_kbs_appraisal *appraisal, const char *document,
                                 size_t size, bool accepts_emulated, struct alc_error *error)
{
    struct alc_arena arena;
    struct alc_reader reader;
    if (size > ALC_LIMIT_POLICY_SIZE) {
        return alc_fail_with(error, ALC_E_BAD_POLICY, ALC_NO_OFFSET, "too long");
    }
    appraisal->memory = malloc(size + POLICY_MEMORY);
    if (appraisal->memory == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    alc_copy(appraisal->memory, document, size);
    alc_arena_init(&arena, appraisal->memory + size, POLICY_MEMORY);
    alc_reader_init(&reader, appraisal->memory, size, error);
    ALC_TRY(alc_policy_read(&arena, &reader, &appraisal->policy));
    const char *problem = policy_problem(&appraisal->policy, accepts_emulated);
    if (problem != NULL) {
        return alc_fail_with(error, ALC_E_BAD_POLICY, ALC_NO_OFFSET, problem);
    }
    alc_status status = alc_policy_name(&arena, &appraisal->policy, appraisal->id);
    return status == ALC_OK ? ALC_OK : alc_fail(error, status, ALC_NO_OFFSET);
}

alc_status alc_kbs_appraisal_new(const char *document, size_t size, bool accepts_emulated,
                                 struct alc_kbs_appraisal **out, struct alc_error *error)
{
    struct alc_kbs_appraisal *appraisal = calloc(1, sizeof *appraisal);
    if (appraisal == NULL) {
        return alc_fail(error, ALC_E_OUT_OF_MEMORY, ALC_NO_OFFSET);
    }
    appraisal->uses = 1;
    alc_status status = read_appraisal(appraisal, document, size, accepts_emulated, error);
    if (status != ALC_OK) {
        drop_appraisal(appraisal);
        return status;
    }
    *out = appraisal;
    return ALC_OK;
}

void alc_kbs_appraisal_free(struct alc_kbs_appraisal *appraisal)
{
    drop_appraisal(appraisal);
}

void alc_kbs_basis_judge_by(struct alc_kbs_basis *basis, struct alc_kbs_appraisal *appraisal)
{
    pthread_mutex_lock(&basis->lock);
    struct alc_kbs_appraisal *old = basis->appraisal;
    basis->appraisal = appraisal;
    drop_appraisal(old);
    pthread_mutex_unlock(&basis->lock);
}

/* -- platforms -- */

alc_status alc_kbs_basis_set_collateral(struct alc_kbs_basis *basis,
                                        const struct alc_kbs_collateral *collateral)
{
    struct alc_kbs_platforms *platforms = malloc(sizeof *platforms);
    if (platforms == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    *platforms = (struct alc_kbs_platforms){.uses = 1, .collateral = *collateral};
    pthread_mutex_lock(&basis->lock);
    struct alc_kbs_platforms *old = basis->platforms;
    basis->platforms = platforms;
    drop_platforms(old);
    pthread_mutex_unlock(&basis->lock);
    return ALC_OK;
}

struct alc_kbs_basis *alc_kbs_basis_new(const struct alc_kbs_collateral *collateral)
{
    static const char everything_default[] = "{}";
    struct alc_kbs_basis *basis = calloc(1, sizeof *basis);
    if (basis == NULL) {
        return NULL;
    }
    pthread_mutex_init(&basis->lock, NULL);
    if (alc_kbs_basis_set_collateral(basis, collateral) != ALC_OK ||
        alc_kbs_appraisal_new(everything_default, sizeof everything_default - 1, false,
                              &basis->appraisal, NULL) != ALC_OK) {
        alc_kbs_basis_free(basis);
        return NULL;
    }
    return basis;
}
