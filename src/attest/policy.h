/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody asks of evidence: reference values and bounds. A policy is trusted, its document is
 * not until it was read.
 */
#ifndef ALC_ATTEST_POLICY_H
#define ALC_ATTEST_POLICY_H

#include "attest/json.h"
#include "attest/snp.h"
#include "attest/tcb.h"
#include "base/writer.h"

enum alc_evidence_kind {
    ALC_EVIDENCE_SGX = 1 << 0,     /* quote of an enclave */
    ALC_EVIDENCE_TDX = 1 << 1,     /* quote of a trust domain */
    ALC_EVIDENCE_SEV_SNP = 1 << 2, /* report of a guest */
};

enum {
    ALC_EVIDENCE_REPORT_DATA_SIZE = 64,
    ALC_SGX_MEASUREMENT_SIZE = 32,
    ALC_CVM_MEASUREMENT_SIZE = 48 /* of TDX and SEV-SNP */
};

/* `count` values of one size, behind each other; none: all are accepted, unless it says otherwise.
 */
struct alc_reference_values {
    const uint8_t *bytes;
    size_t count;
};

/* Texts that are accepted; unless limited, all are. */
struct alc_accepted_texts {
    bool is_limited;
    const struct alc_text *texts;
    size_t count;
};

/* A number that must be met exactly, if it is given. */
struct alc_exact_number {
    bool is_given;
    uint16_t value;
};

/* What is asked of SEV-SNP guests; zeros ask for little (alc_policy_default). */
struct alc_snp_policy {
    struct alc_reference_values measurements; /* 48 bytes each */
    struct alc_reference_values host_data;    /* 32 */
    struct alc_reference_values family_ids;   /* 16 */
    struct alc_reference_values image_ids;    /* 16 */
    struct alc_reference_values id_key_digests;
    struct alc_reference_values
        author_key_digests;               /* 48; a key must have signed, if any are given */
    struct alc_reference_values chip_ids; /* 64 */
    uint32_t guest_svn_min;
    uint16_t abi_min; /* that the guest's owner asks for: major << 8 | minor */
    bool accepts_migration_agent;
    bool needs_chip_key;        /* a key of the chip's own, not one of a provider of clouds */
    bool needs_revocation_list; /* else it is looked at where collateral has one */
    uint32_t policy_required;   /* enum alc_snp_policy_bit; debugging and migration are judged */
    uint32_t policy_refused;    /* apart */
    uint32_t platform_required; /* enum alc_snp_platform_bit */
    uint32_t platform_refused;
    uint32_t vmpl_max;          /* 0 has all privileges in the guest */
    struct alc_snp_tcb tcb_min; /* of the reported TCB, for which the key stands; so the next */
    struct alc_snp_tcb committed_tcb_min; /* below which the firmware cannot be taken back */
    struct alc_snp_tcb launch_tcb_min;
};

struct alc_policy {
    uint32_t kinds; /* enum alc_evidence_kind, those accepted; 0: all */
    bool accepts_debug;
    bool accepts_emulated; /* evidence under the emulator's root, which anybody can make */
    /* -- platform -- */
    uint32_t accepted_tcb; /* 1 << enum alc_tcb_status, those accepted */
    struct alc_accepted_texts advisories;
    uint32_t evaluation_number_min; /* of the collateral: refuses older collateral */
    uint64_t collateral_age_max_s;  /* since the oldest part was issued; 0: any age */
    /* -- SGX -- */
    struct alc_reference_values mrenclaves; /* 32 bytes each; so the next */
    struct alc_reference_values mrsigners;
    struct alc_exact_number product_id;
    uint16_t svn_min;
    struct alc_reference_values config_ids; /* ALC_SGX_CONFIG_ID_SIZE bytes each */
    bool needs_config_id;                   /* the processor has KSS, and it was used */
    /* -- TDX -- */
    struct alc_reference_values mrtds; /* ALC_TD_MEASUREMENT_SIZE bytes each; so the next */
    struct alc_reference_values rtmrs[ALC_TD_RTMRS];
    struct alc_reference_values mrconfigids;
    struct alc_reference_values mrowners;
    struct alc_reference_values mrownerconfigs;
    struct alc_reference_values mrseams; /* of the TDX module */
    /* Of service domains, which can move or change a trust domain; none: no such domain is
     * accepted. A trust domain that can be migrated has one. */
    struct alc_reference_values mrservicetds;
    const uint8_t *td_svn_min; /* ALC_TD_SVN_SIZE bytes, minima for tee_tcb_svn; NULL: none */
    /* -- SEV-SNP -- */
    struct alc_snp_policy snp;
    /* -- claims of alcove's runtime: SHA-256 each -- */
    struct alc_reference_values workloads;
    struct alc_reference_values modules;
    struct alc_reference_values natives;      /* of compiled code, if any runs */
    struct alc_reference_values voucher_keys; /* who must vouch for compiled code, if any runs */
    bool needs_verified;                      /* the runtime itself confines the program */
    uint32_t askers;                          /* 1 << enum alc_asked_by, those accepted; 0: all */
    uint32_t rollback_min; /* 1 + the least enum alc_claimed_rollback; 0: nothing is asked */
    /* -- any -- */
    const uint8_t *report_data; /* 64 bytes; NULL: any */
};

/* Accepts UpToDate alone, of any kind, neither debug nor emulated. */
extern const struct alc_policy alc_policy_default;

/* Reads a policy from its document: one JSON object whose members are the rows of policy.def; what
 * is not there is as in alc_policy_default, but for the kinds: they are those that have an object
 * of their own, if any has. Lists come from `arena`, texts are borrowed from the document.
 * ALC_E_BAD_JSON and ALC_E_BAD_POLICY at the offset of what is malformed, unknown, there twice or
 * too much. */
ALC_MUST_CHECK alc_status alc_policy_read(struct alc_arena *arena, struct alc_reader *reader,
                                          struct alc_policy *out);
/* Writes the one document that stands for the policy: members in the order of policy.def, without
 * those that ask for nothing. Equal policies have equal documents, so its SHA-256 names a policy.
 */
void alc_policy_write(struct alc_writer *writer, const struct alc_policy *policy);

enum { ALC_POLICY_NAME_SIZE = 7 + 2 * ALC_SHA256_SIZE + 1 };

/* What a policy is called, whatever its file looked like: "sha256:" and the digits of that
 * document's hash. `arena` is only used during the call; ALC_E_OUT_OF_MEMORY when it cannot hold
 * the document.
 */
ALC_MUST_CHECK alc_status alc_policy_name(struct alc_arena *arena, const struct alc_policy *policy,
                                          char out[ALC_POLICY_NAME_SIZE]);

/* Whether it asks for anything that only claims of alcove's runtime can meet (group CLAIMS of
 * policy.def): where evidence comes without them, nobody can. */
bool alc_policy_asks_for_claims(const struct alc_policy *policy);

/* The words of the kinds, as documents and verdicts have them: "sgx", "tdx", "snp". */
const char *alc_evidence_kind_word(enum alc_evidence_kind kind);

#endif
