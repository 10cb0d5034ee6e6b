/* SPDX-License-Identifier: Apache-2.0
 *
 * Policies as documents. Each form of value has one function that reads it and one that writes it;
 * which member has which form is policy.def's.
 */
#include "attest/policy.h"

#include "attest/claims.h"
#include "attest/json_write.h"
#include "base/bytes.h"
#include "base/limits.h"

enum policy_group {
    GROUP_TOP,
#define GROUP(group, name, text) GROUP_##group,
#define MEMBER(group, name, form, field, text)
#include "attest/policy.def"
#undef GROUP
#undef MEMBER
    GROUPS
};

struct policy_reader {
    struct alc_arena *arena;
    struct alc_policy *out;
    size_t values_count;  /* items of all lists so far */
    uint32_t named_kinds; /* that have an object of their own */
};

static alc_status bad(const struct alc_reader *at)
{
    return alc_reader_fail(at, ALC_E_BAD_POLICY);
}

/* -- kinds -- */

static const struct {
    enum alc_evidence_kind kind;
    const char *word;
} kind_words[] = {
    {ALC_EVIDENCE_SGX, "sgx"},
    {ALC_EVIDENCE_TDX, "tdx"},
    {ALC_EVIDENCE_SEV_SNP, "snp"},
};

const char *alc_evidence_kind_word(enum alc_evidence_kind kind)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kind_words); i++) {
        if (kind_words[i].kind == kind) {
            return kind_words[i].word;
        }
    }
    return "unknown";
}

/* -- lists -- */

/* Counts the items of the array that comes next, which no document may have too many of. */
static alc_status count_item(struct alc_reader *reader, void *context)
{
    (*(size_t *)context)++;
    return alc_json_skip(reader);
}

static alc_status count_items(const struct alc_reader *reader, struct policy_reader *into,
                              size_t *out_count)
{
    struct alc_reader ahead = *reader;
    *out_count = 0;
    ALC_TRY(alc_json_read_array(&ahead, count_item, out_count));
    into->values_count += *out_count;
    return into->values_count <= ALC_LIMIT_POLICY_VALUES ? ALC_OK : bad(reader);
}

/* An empty list would accept nothing or everything: which of them nobody needs to guess. */
static alc_status count_some_items(const struct alc_reader *reader, struct policy_reader *into,
                                   size_t *out_count)
{
    ALC_TRY(count_items(reader, into, out_count));
    return *out_count > 0 ? ALC_OK : bad(reader);
}

struct word_list {
    uint32_t bits;
    bool (*find)(const struct alc_text *word, uint32_t *out_bit);
};

static alc_status read_word(struct alc_reader *reader, void *context)
{
    struct word_list *list = context;
    const struct alc_reader start = *reader;
    struct alc_text word;
    uint32_t bit;
    ALC_TRY(alc_json_read_text(reader, &word));
    if (!list->find(&word, &bit)) {
        return bad(&start);
    }
    list->bits |= bit;
    return ALC_OK;
}

static alc_status read_words(struct alc_reader *reader, struct policy_reader *into, uint32_t *out,
                             bool (*find)(const struct alc_text *word, uint32_t *out_bit))
{
    struct word_list list = {.find = find};
    size_t count;
    ALC_TRY(count_some_items(reader, into, &count));
    ALC_TRY(alc_json_read_array(reader, read_word, &list));
    *out = list.bits;
    return ALC_OK;
}

static bool find_kind(const struct alc_text *word, uint32_t *out_bit)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kind_words); i++) {
        if (alc_text_is(word, kind_words[i].word)) {
            *out_bit = kind_words[i].kind;
            return true;
        }
    }
    return false;
}

static alc_status read_KINDS(struct alc_reader *reader, struct policy_reader *into, uint32_t *out)
{
    return read_words(reader, into, out, find_kind);
}

static void write_KINDS(struct alc_json_writer *writer, const char *name, const uint32_t *kinds)
{
    if (*kinds == 0) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kind_words); i++) {
        if ((*kinds & kind_words[i].kind) != 0) {
            alc_json_write_string(writer, NULL, kind_words[i].word);
        }
    }
    alc_json_close_array(writer);
}

static bool find_state(const struct alc_text *word, uint32_t *out_bit)
{
    for (size_t i = 0; i < ALC_TCB_STATUSES; i++) {
        if (alc_text_is(word, alc_tcb_status_text((enum alc_tcb_status)i))) {
            *out_bit = 1u << i;
            return true;
        }
    }
    return false;
}

static alc_status read_STATES(struct alc_reader *reader, struct policy_reader *into, uint32_t *out)
{
    return read_words(reader, into, out, find_state);
}

static void write_STATES(struct alc_json_writer *writer, const char *name, const uint32_t *states)
{
    if (*states == alc_policy_default.accepted_tcb) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < ALC_TCB_STATUSES; i++) {
        if ((*states & 1u << i) != 0) {
            alc_json_write_string(writer, NULL, alc_tcb_status_text((enum alc_tcb_status)i));
        }
    }
    alc_json_close_array(writer);
}

static const char *const asker_words[ALC_ASKED_BYS] = {
    [ALC_ASKED_BY_HOST] = "host",
    [ALC_ASKED_BY_PROGRAM] = "program",
    [ALC_ASKED_BY_CHANNEL] = "channel",
};

const char *alc_asked_by_word(enum alc_asked_by asker)
{
    ALC_ASSERT(asker < ALC_ASKED_BYS);
    return asker_words[asker];
}

static bool find_asker(const struct alc_text *word, uint32_t *out_bit)
{
    for (size_t i = 0; i < ALC_ASKED_BYS; i++) {
        if (alc_text_is(word, asker_words[i])) {
            *out_bit = 1u << i;
            return true;
        }
    }
    return false;
}

static alc_status read_ASKERS(struct alc_reader *reader, struct policy_reader *into, uint32_t *out)
{
    return read_words(reader, into, out, find_asker);
}

static void write_ASKERS(struct alc_json_writer *writer, const char *name, const uint32_t *askers)
{
    if (*askers == 0) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < ALC_ASKED_BYS; i++) {
        if ((*askers & 1u << i) != 0) {
            alc_json_write_string(writer, NULL, asker_words[i]);
        }
    }
    alc_json_close_array(writer);
}

static const char *const level_words[ALC_CLAIMED_ROLLBACKS] = {
    [ALC_CLAIMED_ROLLBACK_NONE] = "none",
    [ALC_CLAIMED_ROLLBACK_SESSION] = "session",
    [ALC_CLAIMED_ROLLBACK_WITNESS] = "witness",
};

const char *alc_claimed_rollback_word(enum alc_claimed_rollback level)
{
    ALC_ASSERT(level < ALC_CLAIMED_ROLLBACKS);
    return level_words[level];
}

static alc_status read_LEVEL(struct alc_reader *reader, struct policy_reader *into, uint32_t *out)
{
    const struct alc_reader start = *reader;
    struct alc_text word;
    (void)into;
    ALC_TRY(alc_json_read_text(reader, &word));
    for (uint32_t i = 0; i < ALC_CLAIMED_ROLLBACKS; i++) {
        if (alc_text_is(&word, level_words[i])) {
            *out = 1 + i;
            return ALC_OK;
        }
    }
    return bad(&start);
}

static void write_LEVEL(struct alc_json_writer *writer, const char *name, const uint32_t *level)
{
    if (*level != 0) {
        alc_json_write_string(writer, name, level_words[*level - 1]);
    }
}

struct bit_word {
    uint32_t bit;
    const char *word;
};

static const struct bit_word guest_bits[] = {
#define POLICY_BIT(ident, bit, word, text) {1u << (bit), word},
#define PLATFORM_BIT(ident, bit, word, text)
#include "attest/snp_bits.def"
#undef POLICY_BIT
#undef PLATFORM_BIT
};
static const struct bit_word platform_bits[] = {
#define POLICY_BIT(ident, bit, word, text)
#define PLATFORM_BIT(ident, bit, word, text) {1u << (bit), word},
#include "attest/snp_bits.def"
#undef POLICY_BIT
#undef PLATFORM_BIT
};

static bool find_bit(const struct bit_word *words, size_t count, const struct alc_text *word,
                     uint32_t *out_bit)
{
    for (size_t i = 0; i < count; i++) {
        if (alc_text_is(word, words[i].word)) {
            *out_bit = words[i].bit;
            return true;
        }
    }
    return false;
}

static void write_bits(struct alc_json_writer *writer, const char *name,
                       const struct bit_word *words, size_t count, uint32_t bits)
{
    if (bits == 0) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < count; i++) {
        if ((bits & words[i].bit) != 0) {
            alc_json_write_string(writer, NULL, words[i].word);
        }
    }
    alc_json_close_array(writer);
}

/* The kind of words for the bits that `rows` names. */
#define BITS(kind, rows)                                                                           \
    static bool find_##kind(const struct alc_text *word, uint32_t *out_bit)                        \
    {                                                                                              \
        return find_bit(rows, ALC_ARRAY_COUNT(rows), word, out_bit);                               \
    }                                                                                              \
    static alc_status read_##kind(struct alc_reader *reader, struct policy_reader *into,           \
                                  uint32_t *out)                                                   \
    {                                                                                              \
        return read_words(reader, into, out, find_##kind);                                         \
    }                                                                                              \
    static void write_##kind(struct alc_json_writer *writer, const char *name,                     \
                             const uint32_t *bits)                                                 \
    {                                                                                              \
        write_bits(writer, name, rows, ALC_ARRAY_COUNT(rows), *bits);                              \
    }
BITS(GUEST_BITS, guest_bits)
BITS(PLATFORM_BITS, platform_bits)
#undef BITS

struct hash_list {
    uint8_t *bytes;
    size_t hash_size;
    size_t count;
};

static alc_status read_hash(struct alc_reader *reader, void *context)
{
    struct hash_list *list = context;
    return alc_json_read_hex(reader, &list->bytes[list->hash_size * list->count++],
                             list->hash_size);
}

static alc_status read_hashes(struct alc_reader *reader, struct policy_reader *into,
                              size_t hash_size, struct alc_reference_values *out)
{
    size_t count;
    ALC_TRY(count_some_items(reader, into, &count));
    struct hash_list list = {.bytes = alc_arena_take(into->arena, count * hash_size, 1),
                             .hash_size = hash_size};
    if (list.bytes == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    ALC_TRY(alc_json_read_array(reader, read_hash, &list));
    *out = (struct alc_reference_values){list.bytes, count};
    return ALC_OK;
}

static void write_hashes(struct alc_json_writer *writer, const char *name, size_t hash_size,
                         const struct alc_reference_values *values)
{
    if (values->count == 0) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < values->count; i++) {
        alc_json_write_hex(writer, NULL, &values->bytes[i * hash_size], hash_size);
    }
    alc_json_close_array(writer);
}

/* The kind of reference values of `size` bytes. */
#define HASHES(size)                                                                               \
    static alc_status read_HASHES##size(struct alc_reader *reader, struct policy_reader *into,     \
                                        struct alc_reference_values *out)                          \
    {                                                                                              \
        return read_hashes(reader, into, size, out);                                               \
    }                                                                                              \
    static void write_HASHES##size(struct alc_json_writer *writer, const char *name,               \
                                   const struct alc_reference_values *values)                      \
    {                                                                                              \
        write_hashes(writer, name, size, values);                                                  \
    }
HASHES(16)
HASHES(32)
HASHES(48)
HASHES(64)
#undef HASHES

struct text_list {
    struct alc_text *texts;
    size_t count;
};

static alc_status read_list_text(struct alc_reader *reader, void *context)
{
    struct text_list *list = context;
    return alc_json_read_text(reader, &list->texts[list->count++]);
}

static alc_status read_TEXTS(struct alc_reader *reader, struct policy_reader *into,
                             struct alc_accepted_texts *out)
{
    size_t count;
    ALC_TRY(count_items(reader, into, &count));
    struct text_list list = {.texts = ALC_ARENA_ARRAY(into->arena, struct alc_text, count)};
    if (list.texts == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    ALC_TRY(alc_json_read_array(reader, read_list_text, &list));
    *out = (struct alc_accepted_texts){.is_limited = true, .texts = list.texts, .count = count};
    return ALC_OK;
}

static void write_TEXTS(struct alc_json_writer *writer, const char *name,
                        const struct alc_accepted_texts *texts)
{
    if (!texts->is_limited) {
        return;
    }
    alc_json_open_array(writer, name);
    for (size_t i = 0; i < texts->count; i++) {
        alc_json_write_text(writer, NULL, &texts->texts[i]);
    }
    alc_json_close_array(writer);
}

/* -- single values -- */

static alc_status read_SWITCH(struct alc_reader *reader, struct policy_reader *into, bool *out)
{
    (void)into;
    return alc_json_read_bool(reader, out);
}

static void write_SWITCH(struct alc_json_writer *writer, const char *name, const bool *value)
{
    if (*value) {
        alc_json_write_bool(writer, name, true);
    }
}

static alc_status read_NUMBER16(struct alc_reader *reader, struct policy_reader *into,
                                uint16_t *out)
{
    uint64_t value;
    (void)into;
    ALC_TRY(alc_json_read_uint(reader, UINT16_MAX, &value));
    *out = (uint16_t)value;
    return ALC_OK;
}

static void write_NUMBER16(struct alc_json_writer *writer, const char *name, const uint16_t *value)
{
    if (*value != 0) {
        alc_json_write_uint(writer, name, *value);
    }
}

static alc_status read_NUMBER32(struct alc_reader *reader, struct policy_reader *into,
                                uint32_t *out)
{
    uint64_t value;
    (void)into;
    ALC_TRY(alc_json_read_uint(reader, UINT32_MAX, &value));
    *out = (uint32_t)value;
    return ALC_OK;
}

static void write_NUMBER32(struct alc_json_writer *writer, const char *name, const uint32_t *value)
{
    if (*value != 0) {
        alc_json_write_uint(writer, name, *value);
    }
}

/* No age at all would be met by nothing, and 0 stands for any. */
static alc_status read_SECONDS(struct alc_reader *reader, struct policy_reader *into, uint64_t *out)
{
    const struct alc_reader start = *reader;
    (void)into;
    ALC_TRY(alc_json_read_uint(reader, INT64_MAX, out));
    return *out != 0 ? ALC_OK : bad(&start);
}

static void write_SECONDS(struct alc_json_writer *writer, const char *name, const uint64_t *value)
{
    if (*value != 0) {
        alc_json_write_uint(writer, name, *value);
    }
}

static alc_status read_PRODUCT(struct alc_reader *reader, struct policy_reader *into,
                               struct alc_exact_number *out)
{
    out->is_given = true;
    return read_NUMBER16(reader, into, &out->value);
}

static void write_PRODUCT(struct alc_json_writer *writer, const char *name,
                          const struct alc_exact_number *number)
{
    if (number->is_given) {
        alc_json_write_uint(writer, name, number->value);
    }
}

static alc_status read_bytes(struct alc_reader *reader, struct policy_reader *into, size_t size,
                             const uint8_t **out)
{
    uint8_t *bytes = alc_arena_take(into->arena, size, 1);
    if (bytes == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    *out = bytes;
    return alc_json_read_hex(reader, bytes, size);
}

static alc_status read_BYTES16(struct alc_reader *reader, struct policy_reader *into,
                               const uint8_t **out)
{
    return read_bytes(reader, into, 16, out);
}

static void write_BYTES16(struct alc_json_writer *writer, const char *name,
                          const uint8_t *const *bytes)
{
    if (*bytes != NULL) {
        alc_json_write_hex(writer, name, *bytes, 16);
    }
}

static alc_status read_BYTES64(struct alc_reader *reader, struct policy_reader *into,
                               const uint8_t **out)
{
    return read_bytes(reader, into, 64, out);
}

static void write_BYTES64(struct alc_json_writer *writer, const char *name,
                          const uint8_t *const *bytes)
{
    if (*bytes != NULL) {
        alc_json_write_hex(writer, name, *bytes, 64);
    }
}

/* -- the parts of a TCB -- */

static alc_status read_part(struct alc_reader *reader, uint8_t *out)
{
    uint64_t value;
    ALC_TRY(alc_json_read_uint(reader, UINT8_MAX, &value));
    *out = (uint8_t)value;
    return ALC_OK;
}

#define TCB_PARTS(part) part(fmc) part(bootloader) part(tee) part(snp) part(microcode)
#define READ_PART(name)                                                                            \
    static alc_status read_##name(struct alc_reader *reader, void *context)                        \
    {                                                                                              \
        return read_part(reader, &((struct alc_snp_tcb *)context)->name);                          \
    }
TCB_PARTS(READ_PART)

static alc_status read_TCB(struct alc_reader *reader, struct policy_reader *into,
                           struct alc_snp_tcb *out)
{
#define PART_MEMBER(name) {#name, read_##name, false},
    static const struct alc_json_member members[] = {TCB_PARTS(PART_MEMBER)};
    (void)into;
    return alc_json_read_closed_object(reader, members, ALC_ARRAY_COUNT(members), out);
}

static void write_TCB(struct alc_json_writer *writer, const char *name,
                      const struct alc_snp_tcb *tcb)
{
    static const struct alc_snp_tcb none;
    if (alc_equal(tcb, &none, sizeof none)) {
        return;
    }
    alc_json_open_object(writer, name);
#define WRITE_PART(part)                                                                           \
    if (tcb->part != 0) {                                                                          \
        alc_json_write_uint(writer, #part, tcb->part);                                             \
    }
    TCB_PARTS(WRITE_PART)
    alc_json_close_object(writer);
}

/* -- the document -- */

/* Reads the object of one group. */
static alc_status read_group(struct alc_reader *reader, enum policy_group group, void *context);

#define GROUP(group, name, text)                                                                   \
    static alc_status read_group_##group(struct alc_reader *reader, void *context)                 \
    {                                                                                              \
        return read_group(reader, GROUP_##group, context);                                         \
    }
#define MEMBER(group, name, form, field, text)                                                     \
    static alc_status read_##group##_##name(struct alc_reader *reader, void *context)              \
    {                                                                                              \
        struct policy_reader *into = context;                                                      \
        return read_##form(reader, into, &into->out->field);                                       \
    }
#include "attest/policy.def"
#undef GROUP
#undef MEMBER

struct policy_row {
    enum policy_group group;
    struct alc_json_member member;
};

static const struct policy_row rows[] = {
#define GROUP(group, name, text) {GROUP_TOP, {#name, read_group_##group, false}},
#define MEMBER(group, name, form, field, text)                                                     \
    {GROUP_##group, {#name, read_##group##_##name, false}},
#include "attest/policy.def"
#undef GROUP
#undef MEMBER
};

static alc_status read_group(struct alc_reader *reader, enum policy_group group, void *context)
{
    static const uint32_t kinds_of[GROUPS] = {[GROUP_SGX] = ALC_EVIDENCE_SGX,
                                              [GROUP_TDX] = ALC_EVIDENCE_TDX,
                                              [GROUP_SNP] = ALC_EVIDENCE_SEV_SNP};
    struct alc_json_member members[ALC_JSON_MEMBERS_MAX];
    struct policy_reader *into = context;
    size_t count = 0;
    into->named_kinds |= kinds_of[group];
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        if (rows[i].group == group) {
            ALC_ASSERT(count < ALC_JSON_MEMBERS_MAX);
            members[count++] = rows[i].member;
        }
    }
    return alc_json_read_closed_object(reader, members, count, context);
}

alc_status alc_policy_read(struct alc_arena *arena, struct alc_reader *reader,
                           struct alc_policy *out)
{
    struct policy_reader into = {.arena = arena, .out = out};
    *out = alc_policy_default;
    if (alc_reader_remaining(reader) > ALC_LIMIT_POLICY_SIZE) {
        return bad(reader);
    }
    ALC_TRY(read_group(reader, GROUP_TOP, &into));
    /* Who says what an enclave has to be does not mean: or any virtual machine. */
    if (out->kinds == 0) {
        out->kinds = into.named_kinds;
    }
    return alc_json_end(reader);
}

/* The members of one group; those of a group stand behind each other in the table. */
static void write_group(struct alc_json_writer *writer, enum policy_group group,
                        const struct alc_policy *policy)
{
#define GROUP(group_, name, text)
#define MEMBER(group_, name, form, field, text)                                                    \
    if (group == GROUP_##group_) {                                                                 \
        write_##form(writer, #name, &policy->field);                                               \
    }
#include "attest/policy.def"
#undef GROUP
#undef MEMBER
}

/* Whether a group asks for anything: whether it writes any member. */
static bool has_members(enum policy_group group, const struct alc_policy *policy)
{
    struct alc_writer measure;
    struct alc_json_writer writer;
    alc_writer_init(&measure, NULL, 0);
    alc_json_writer_init(&writer, &measure, false);
    write_group(&writer, group, policy);
    return measure.pos != 0;
}

alc_status alc_policy_name(struct alc_arena *arena, const struct alc_policy *policy,
                           char out[ALC_POLICY_NAME_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    static const char start[] = "sha256:";
    const size_t mark = alc_arena_mark(arena);
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_writer writer;
    alc_writer_init(&writer, NULL, 0);
    alc_policy_write(&writer, policy);
    const size_t size = writer.pos;
    uint8_t *document = alc_arena_take(arena, size, 1);
    if (document == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_writer_init(&writer, document, size);
    alc_policy_write(&writer, policy);
    alc_sha256(document, size, digest);
    alc_arena_reset(arena, mark);
    _Static_assert(ALC_POLICY_NAME_SIZE == sizeof start + 2 * sizeof digest, "it fits");
    alc_copy(out, start, sizeof start - 1);
    out += sizeof start - 1;
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * sizeof digest] = '\0';
    return ALC_OK;
}

bool alc_policy_asks_for_claims(const struct alc_policy *policy)
{
    return has_members(GROUP_CLAIMS, policy);
}

void alc_policy_write(struct alc_writer *writer, const struct alc_policy *policy)
{
    static const char *const names[GROUPS] = {
#define GROUP(group, name, text) [GROUP_##group] = #name,
#define MEMBER(group, name, form, field, text)
#include "attest/policy.def"
#undef GROUP
#undef MEMBER
    };
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    write_group(&json, GROUP_TOP, policy);
    for (enum policy_group group = GROUP_TOP + 1; group < GROUPS; group++) {
        if (has_members(group, policy)) {
            alc_json_open_object(&json, names[group]);
            write_group(&json, group, policy);
            alc_json_close_object(&json);
        }
    }
    alc_json_close_object(&json);
}
