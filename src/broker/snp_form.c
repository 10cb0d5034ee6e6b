/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports and tables of certificates as JSON.
 */
#include "broker/snp_form.h"

#include "attest/json_write.h"
#include "base/bytes.h"

#define FORM(form) ALC_SNP_MEMBER_##form
const struct alc_snp_member alc_snp_members[ALC_SNP_MEMBERS] = {
#define FIELD(name, form, since, at, size) {#name, FORM(form), since, at, size},
#define HALF(name, at, size)
#define PART(name, before, turin)
#include "broker/snp_form.def"
#undef FIELD
#undef HALF
};

const struct alc_snp_member alc_snp_halves[ALC_SNP_HALVES] = {
#define FIELD(name, form, since, at, size)
#define HALF(name, at, size) {#name, ALC_SNP_MEMBER_BYTES, 0, at, size},
#include "broker/snp_form.def"
#undef HALF
#undef PART
};

#define NONE ALC_SNP_NO_PART
const struct alc_snp_part alc_snp_parts[ALC_SNP_PARTS] = {
#define HALF(name, at, size)
#define PART(name, before, turin) {#name, before, turin},
#include "broker/snp_form.def"
#undef FIELD
#undef HALF
#undef PART
};

/* Offsets that the form needs for itself. */
enum { CPU_AT = 0x188, CHIP_ID_AT = 0x1a0, CHIP_ID_TURIN = 8, VERSION_WITH_CPU = 3 };

/* -- the report -- */

/* Before version 3 a report does not say its processor: chips of Turin have a shorter name. */
static bool is_turin(const uint8_t *report)
{
    enum alc_snp_product product;
    if (alc_load_u32(report) >= VERSION_WITH_CPU) {
        return alc_snp_product_of_cpu(report[CPU_AT], report[CPU_AT + 1], &product) &&
               product == ALC_SNP_TURIN;
    }
    for (size_t i = CHIP_ID_TURIN; i < ALC_SNP_CHIP_ID_SIZE; i++) {
        if (report[CHIP_ID_AT + i] != 0) {
            return false;
        }
    }
    return true;
}

static void write_bytes(struct alc_json_writer *json, const char *name, const uint8_t *bytes,
                        size_t size)
{
    alc_json_open_array(json, name);
    for (size_t i = 0; i < size; i++) {
        alc_json_write_uint(json, NULL, bytes[i]);
    }
    alc_json_close_array(json);
}

static void write_null(struct alc_json_writer *json, const char *name)
{
    static const uint8_t word[] = "null";
    alc_json_write_raw(json, name, &(struct alc_text){word, sizeof word - 1});
}

static void write_number(struct alc_json_writer *json, const char *name, const uint8_t *bytes,
                         size_t size)
{
    uint64_t number = 0;
    ALC_ASSERT(size <= sizeof number);
    alc_copy(&number, bytes, size);
    alc_json_write_uint(json, name, number);
}

static void write_tcb(struct alc_json_writer *json, const char *name, const uint8_t *bytes,
                      bool of_turin)
{
    alc_json_open_object(json, name);
    for (size_t i = 0; i < ALC_SNP_PARTS; i++) {
        const struct alc_snp_part *part = &alc_snp_parts[i];
        const uint8_t at = of_turin ? part->turin : part->before_turin;
        if (at == ALC_SNP_NO_PART) {
            write_null(json, part->name);
        } else {
            alc_json_write_uint(json, part->name, bytes[at]);
        }
    }
    alc_json_close_object(json);
}

static void write_version(struct alc_json_writer *json, const char *name, const uint8_t *bytes)
{
    alc_json_open_object(json, name);
    alc_json_write_uint(json, "major", bytes[2]);
    alc_json_write_uint(json, "minor", bytes[1]);
    alc_json_write_uint(json, "build", bytes[0]);
    alc_json_close_object(json);
}

static void write_member(struct alc_json_writer *json, const struct alc_snp_member *member,
                         const uint8_t *report)
{
    const uint8_t *bytes = report + member->at;
    if (alc_load_u32(report) < member->since) {
        write_null(json, member->name);
        return;
    }
    switch (member->form) {
    case ALC_SNP_MEMBER_NUMBER:
        write_number(json, member->name, bytes, member->size);
        break;
    case ALC_SNP_MEMBER_BYTES:
        write_bytes(json, member->name, bytes, member->size);
        break;
    case ALC_SNP_MEMBER_TCB:
        write_tcb(json, member->name, bytes, is_turin(report));
        break;
    case ALC_SNP_MEMBER_VERSION:
        write_version(json, member->name, bytes);
        break;
    }
}

static void write_report(struct alc_json_writer *json, const uint8_t *report)
{
    alc_json_open_object(json, "attestation_report");
    for (size_t i = 0; i < ALC_SNP_MEMBERS; i++) {
        write_member(json, &alc_snp_members[i], report);
    }
    alc_json_open_object(json, "signature");
    for (size_t i = 0; i < ALC_SNP_HALVES; i++) {
        write_member(json, &alc_snp_halves[i], report);
    }
    alc_json_close_object(json);
    alc_json_close_object(json);
}

/* -- the table: entries of identifier, offset and size until one without identifier -- */

enum { ID_SIZE = 16, ENTRY_SIZE = 24, CERTIFICATES_MAX = 16 };

/* The identifiers' bytes stand in the order of their digits. Others than these name nothing that
 * a verifier needs. */
static const char *kind_of(const uint8_t id[ID_SIZE])
{
    static const struct {
        uint8_t id[ID_SIZE];
        const char *word;
    } kinds[] = {
        {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0,
          0xae},
         "ARK"},
        {{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7,
          0x82},
         "ASK"},
        {{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac,
          0xcd},
         "VCEK"},
        {{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8,
          0xa1},
         "VLEK"},
    };
    for (size_t i = 0; i < ALC_ARRAY_COUNT(kinds); i++) {
        if (alc_equal(kinds[i].id, id, ID_SIZE)) {
            return kinds[i].word;
        }
    }
    return NULL;
}

static bool is_end(const uint8_t *entry)
{
    static const uint8_t zeros[ID_SIZE];
    return alc_equal(entry, zeros, ID_SIZE);
}

struct certificate {
    const char *word;
    struct alc_text der;
};

/* A walk over a table. */
struct walk {
    const struct alc_text *table;
    size_t index;
    size_t left; /* bytes that certificates may have: whoever lets entries overlap gains nothing */
};

/* The next certificate that has a word and lies within the table. */
static bool find_next(struct walk *walk, struct certificate *out)
{
    const struct alc_text *table = walk->table;
    while (walk->index < CERTIFICATES_MAX && (walk->index + 1) * ENTRY_SIZE <= table->size) {
        const uint8_t *entry = table->bytes + walk->index * ENTRY_SIZE;
        const size_t start = alc_load_u32(entry + ID_SIZE);
        const size_t size = alc_load_u32(entry + ID_SIZE + 4);
        if (is_end(entry)) {
            break;
        }
        walk->index++;
        out->word = kind_of(entry);
        if (out->word != NULL && start <= table->size && size <= table->size - start &&
            size <= walk->left) {
            walk->left -= size;
            out->der = (struct alc_text){table->bytes + start, size};
            return true;
        }
    }
    return false;
}

/* Verifiers take an endorsement key to be there whenever there is a chain. */
static bool has_endorsement_key(const struct alc_text *table)
{
    struct walk walk = {.table = table, .left = table->size};
    struct certificate certificate;
    while (find_next(&walk, &certificate)) {
        if (certificate.word[0] == 'V') {
            return true;
        }
    }
    return false;
}

static void write_table(struct alc_json_writer *json, const struct alc_text *table)
{
    static const char name[] = "cert_chain";
    struct walk walk = {.table = table, .left = table->size};
    struct certificate certificate;
    if (!has_endorsement_key(table)) {
        write_null(json, name);
        return;
    }
    alc_json_open_array(json, name);
    while (find_next(&walk, &certificate)) {
        alc_json_open_object(json, NULL);
        alc_json_write_string(json, "cert_type", certificate.word);
        write_bytes(json, "data", certificate.der.bytes, certificate.der.size);
        alc_json_close_object(json);
    }
    alc_json_close_array(json);
}

void alc_broker_write_snp(struct alc_writer *writer, const struct alc_text *evidence)
{
    static const uint8_t nothing[ALC_SNP_REPORT_SIZE];
    const bool has_report = evidence->size >= ALC_SNP_REPORT_SIZE;
    const size_t table_size = has_report ? evidence->size - ALC_SNP_REPORT_SIZE : 0;
    const struct alc_text table = {evidence->bytes + (evidence->size - table_size), table_size};
    struct alc_json_writer json;
    alc_json_writer_init(&json, writer, false);
    alc_json_open_object(&json, NULL);
    write_report(&json, has_report ? evidence->bytes : nothing);
    write_table(&json, &table);
    alc_json_close_object(&json);
}
