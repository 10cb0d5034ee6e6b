/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of evidence by their table.
 */
#include "attest/evidence.h"

#include "base/bytes.h"

#define IS_HEX false
#define IS_NUMBER true
const struct alc_evidence_field alc_evidence_fields[] = {
#define EVIDENCE(kind, group, name, form, member, text)                                            \
    {name, offsetof(struct alc_verdict, member), sizeof((struct alc_verdict *)NULL)->member,       \
     ALC_EVIDENCE_##kind, IS_##form},
#include "attest/evidence.def"
#undef EVIDENCE
};
const size_t alc_evidence_fields_count = ALC_ARRAY_COUNT(alc_evidence_fields);
const char *const alc_evidence_texts[] = {
#define EVIDENCE(kind, group, name, form, member, text) text,
#include "attest/evidence.def"
#undef EVIDENCE
};
_Static_assert(sizeof(struct alc_verdict) <= UINT16_MAX, "an offset in it");

#define EVIDENCE(kind, group, name, form, member, text)                                            \
    _Static_assert(!IS_##form || sizeof((struct alc_verdict *)NULL)->member <= 8, "a number");
#include "attest/evidence.def"
#undef EVIDENCE

const uint8_t *alc_evidence_bytes(const struct alc_verdict *verdict,
                                  const struct alc_evidence_field *field)
{
    return (const uint8_t *)verdict + field->offset;
}

uint64_t alc_evidence_number(const struct alc_verdict *verdict,
                             const struct alc_evidence_field *field)
{
    uint64_t number = 0;
    ALC_ASSERT(field->size <= sizeof number);
    alc_copy(&number, alc_evidence_bytes(verdict, field), field->size);
    return number;
}

static void write_field(struct alc_json_writer *writer, const struct alc_verdict *verdict,
                        const struct alc_evidence_field *field, bool is_number)
{
    if (is_number) {
        alc_json_write_uint(writer, field->name, alc_evidence_number(verdict, field));
    } else {
        alc_json_write_hex(writer, field->name, alc_evidence_bytes(verdict, field), field->size);
    }
}

void alc_evidence_write(struct alc_json_writer *writer, const struct alc_verdict *verdict)
{
    for (size_t i = 0; i < alc_evidence_fields_count; i++) {
        const struct alc_evidence_field *field = &alc_evidence_fields[i];
        if (field->kind == verdict->kind) {
            write_field(writer, verdict, field, field->is_number);
        }
    }
}

/* -- groups -- */

const char *const alc_evidence_groups[] = {
#define EVIDENCE(kind, group, name, form, member, text) group,
#include "attest/evidence.def"
#undef EVIDENCE
};

enum { GROUP_DEPTH_MAX = 3, GROUP_WORD_MAX = 24 };

struct group_path {
    char words[GROUP_DEPTH_MAX][GROUP_WORD_MAX];
    size_t depth;
};

static void split(const char *group, struct group_path *out)
{
    size_t size = 0;
    *out = (struct group_path){0};
    for (const char *next = group; *next != '\0'; next++) {
        ALC_ASSERT(out->depth < GROUP_DEPTH_MAX && size < GROUP_WORD_MAX - 1);
        if (*next == '.') {
            out->depth++;
            size = 0;
        } else {
            out->words[out->depth][size++] = *next;
        }
    }
    out->depth += group[0] != '\0';
}

/* Closes and opens objects until those of `wanted` are open. */
static void move_to(struct alc_json_writer *writer, struct group_path *open,
                    const struct group_path *wanted)
{
    size_t common = 0;
    while (common < open->depth && common < wanted->depth &&
           alc_equal(open->words[common], wanted->words[common], GROUP_WORD_MAX)) {
        common++;
    }
    for (; open->depth > common; open->depth--) {
        alc_json_close_object(writer);
    }
    for (size_t i = common; i < wanted->depth; i++) {
        alc_json_open_object(writer, wanted->words[i]);
    }
    *open = *wanted;
}

void alc_evidence_write_annotated(struct alc_json_writer *writer, const struct alc_verdict *verdict)
{
    struct group_path open = {0};
    struct group_path wanted = {0};
    for (size_t i = 0; i < alc_evidence_fields_count; i++) {
        const struct alc_evidence_field *field = &alc_evidence_fields[i];
        if (field->kind == verdict->kind) {
            split(alc_evidence_groups[i], &wanted);
            move_to(writer, &open, &wanted);
            write_field(writer, verdict, field,
                        field->is_number && field->kind == ALC_EVIDENCE_SEV_SNP);
        }
    }
    move_to(writer, &open, &(struct group_path){0});
}

/* -- claims -- */

const char *alc_evidence_voucher_word(enum alc_claimed_voucher voucher)
{
    static const char *const words[ALC_CLAIMED_VOUCHERS] = {
        [ALC_CLAIMED_VOUCHER_NOBODY] = "nobody",
        [ALC_CLAIMED_VOUCHER_MANIFEST] = "manifest",
        [ALC_CLAIMED_VOUCHER_KEY] = "key",
    };
    ALC_ASSERT(voucher < ALC_CLAIMED_VOUCHERS);
    return words[voucher];
}

void alc_evidence_write_claims(struct alc_json_writer *writer, const struct alc_claims *claims)
{
    alc_json_write_text(writer, "software", &claims->software);
    alc_json_write_text(writer, "version", &claims->version);
    alc_json_write_hex(writer, "workload", claims->workload_id, ALC_SHA256_SIZE);
    alc_json_write_hex(writer, "module", claims->module_sha256, ALC_SHA256_SIZE);
    if (claims->is_compiled) {
        alc_json_write_hex(writer, "native", claims->native_sha256, ALC_SHA256_SIZE);
    }
    alc_json_write_bool(writer, "verified", claims->is_verified);
    alc_json_write_string(writer, "vouched_by", alc_evidence_voucher_word(claims->vouched_by));
    if (claims->vouched_by == ALC_CLAIMED_VOUCHER_KEY) {
        alc_json_write_hex(writer, "voucher_key", claims->voucher_key_sha256, ALC_SHA256_SIZE);
    }
    alc_json_write_string(writer, "asked_by", alc_asked_by_word(claims->asked_by));
    if (claims->has_sealed_mounts) {
        alc_json_write_string(writer, "rollback", alc_claimed_rollback_word(claims->rollback));
    }
}
