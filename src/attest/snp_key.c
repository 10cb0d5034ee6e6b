/* SPDX-License-Identifier: Apache-2.0
 *
 * Products, their TCB versions, and the extensions of endorsement keys' certificates, which are
 * 1.3.6.1.4.1.3704.1 with one or two numbers appended (57230, chapter 3).
 */
#include "attest/snp.h"

#include "attest/json.h"
#include "base/bytes.h"

/* Layouts are the structure versions in certificates. */
enum { LAYOUT_WITHOUT_FMC = 0, LAYOUT_WITH_FMC = 1, LAYOUTS };

struct product {
    const char *name;
    const char *root; /* hexadecimal */
    uint32_t layout;
    uint32_t cpu[4];
};

static const struct product products[ALC_SNP_PRODUCTS] = {
#define SNP_PRODUCT(ident, name, layout, low, high, more_low, more_high, root)                     \
    [ALC_SNP_##ident] = {name, root, layout, {low, high, more_low, more_high}},
#include "attest/snp.def"
#undef SNP_PRODUCT
};

const char *alc_snp_product_name(enum alc_snp_product product)
{
    ALC_ASSERT(product < ALC_SNP_PRODUCTS);
    return products[product].name;
}

void alc_snp_product_root(enum alc_snp_product product, uint8_t out[ALC_SHA256_SIZE])
{
    ALC_ASSERT(product < ALC_SNP_PRODUCTS);
    const uint8_t *digits = (const uint8_t *)products[product].root;
    bool is_hex = alc_hex_decode(digits, 2 * ALC_SHA256_SIZE, out, ALC_SHA256_SIZE);
    ALC_ASSERT(is_hex);
}

bool alc_snp_product_of_name(const struct alc_certificate *certificate, const char *prefix,
                             enum alc_snp_product *out)
{
    const struct alc_text *name = &certificate->common_name;
    const size_t prefix_size = alc_string_length(prefix);
    if (name->size < prefix_size || !alc_equal(name->bytes, prefix, prefix_size)) {
        return false;
    }
    const struct alc_text rest = {name->bytes + prefix_size, name->size - prefix_size};
    for (size_t i = 0; i < ALC_SNP_PRODUCTS; i++) {
        if (alc_text_is(&rest, products[i].name)) {
            *out = (enum alc_snp_product)i;
            return true;
        }
    }
    return false;
}

bool alc_snp_product_of_cpu(uint8_t family, uint8_t model, enum alc_snp_product *out)
{
    const uint32_t cpu = (uint32_t)family << 8 | model;
    for (size_t i = 0; i < ALC_SNP_PRODUCTS; i++) {
        const uint32_t *bounds = products[i].cpu;
        if ((bounds[0] <= cpu && cpu <= bounds[1]) || (bounds[2] <= cpu && cpu <= bounds[3])) {
            *out = (enum alc_snp_product)i;
            return true;
        }
    }
    return false;
}

/* Where each byte of a packed TCB version goes: an offset in struct alc_snp_tcb, or nowhere. */
enum { NOWHERE = 0xff };
#define PART(name) offsetof(struct alc_snp_tcb, name)
static const uint8_t places[LAYOUTS][ALC_SNP_TCB_SIZE] = {
    [LAYOUT_WITHOUT_FMC] = {PART(bootloader), PART(tee), NOWHERE, NOWHERE, NOWHERE, NOWHERE,
                            PART(snp), PART(microcode)},
    [LAYOUT_WITH_FMC] = {PART(fmc), PART(bootloader), PART(tee), PART(snp), NOWHERE, NOWHERE,
                         NOWHERE, PART(microcode)},
};

bool alc_snp_tcb_unpack(enum alc_snp_product product, const uint8_t packed[ALC_SNP_TCB_SIZE],
                        struct alc_snp_tcb *out)
{
    ALC_ASSERT(product < ALC_SNP_PRODUCTS);
    *out = (struct alc_snp_tcb){0};
    for (size_t i = 0; i < ALC_SNP_TCB_SIZE; i++) {
        const uint8_t place = places[products[product].layout][i];
        if (place != NOWHERE) {
            ((uint8_t *)out)[place] = packed[i];
        } else if (packed[i] != 0) {
            return false;
        }
    }
    return true;
}

bool alc_snp_tcb_reaches(const struct alc_snp_tcb *tcb, const struct alc_snp_tcb *min)
{
    return tcb->fmc >= min->fmc && tcb->bootloader >= min->bootloader && tcb->tee >= min->tee &&
           tcb->snp >= min->snp && tcb->microcode >= min->microcode;
}

/* -- extensions -- */

/* 1.3.6.1.4.1.3704.1 */
static const uint8_t oid_amd[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};

/* The numbers behind it: one for each kind, and for levels a second one. */
enum { STRUCTURE_VERSION = 1, PRODUCT_NAME = 2, LEVEL = 3, CHIP_ID = 4, CSP_ID = 5 };
enum { LEVELS_FIRST = 1, LEVELS_LAST = 9 };
enum { DER_IA5_STRING = 0x16 };

/* What was there: a bit for each kind and each level. */
struct seen {
    uint32_t kinds;
    uint32_t levels;
};

/* Parts that a level is of: offsets in struct alc_snp_tcb by the second number. Levels 4 to 7 are
 * reserved and zero; 9 is Turin's, whose certificates have no 4. */
static const uint8_t levels_places[LEVELS_LAST + 1] = {
    NOWHERE, PART(bootloader), PART(tee), PART(snp),       NOWHERE,
    NOWHERE, NOWHERE,          NOWHERE,   PART(microcode), PART(fmc)};
static const uint32_t levels_needed[LAYOUTS] = {
    [LAYOUT_WITHOUT_FMC] = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 8,
    [LAYOUT_WITH_FMC] = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 8 | 1 << 9,
};

/* An INTEGER of one byte. */
static alc_status read_u8(struct alc_reader *value, uint8_t *out)
{
    uint32_t number;
    ALC_TRY(alc_der_read_u32(value, &number));
    ALC_TRY(alc_der_end(value));
    *out = (uint8_t)number;
    return number <= UINT8_MAX ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}

static alc_status read_level(struct alc_reader *value, uint8_t level, struct seen *seen,
                             struct alc_snp_key *out)
{
    uint8_t number;
    ALC_TRY(read_u8(value, &number));
    if (level < LEVELS_FIRST || level > LEVELS_LAST || (seen->levels & 1u << level) != 0) {
        return ALC_E_BAD_CERTIFICATE;
    }
    seen->levels |= 1u << level;
    if (levels_places[level] == NOWHERE) {
        return number == 0 ? ALC_OK : ALC_E_BAD_CERTIFICATE;
    }
    ((uint8_t *)&out->tcb)[levels_places[level]] = number;
    return ALC_OK;
}

/* The bytes themselves, without tag and length. */
static alc_status read_chip_id(const struct alc_reader *value, struct alc_snp_key *out)
{
    const uint8_t *bytes = value->bytes + value->pos;
    out->chip_id_size = alc_reader_remaining(value);
    if (out->chip_id_size > sizeof out->chip_id) {
        return ALC_E_BAD_CERTIFICATE;
    }
    alc_copy(out->chip_id, bytes, out->chip_id_size);
    return ALC_OK;
}

static alc_status read_csp_id(struct alc_reader *value, struct alc_snp_key *out)
{
    struct alc_der text;
    ALC_TRY(alc_der_read_any(value, &text));
    ALC_TRY(alc_der_end(value));
    out->csp_id_size = text.content.size;
    if (text.tag != DER_IA5_STRING || out->csp_id_size > sizeof out->csp_id) {
        return ALC_E_BAD_CERTIFICATE;
    }
    alc_copy(out->csp_id, text.content.bytes, out->csp_id_size);
    return ALC_OK;
}

static alc_status read_one(struct alc_extension *extension, uint32_t layout, struct seen *seen,
                           struct alc_snp_key *out)
{
    const uint8_t *oid = extension->oid.content.bytes;
    const size_t numbers_count = extension->oid.content.size - sizeof oid_amd;
    const uint8_t kind = oid[sizeof oid_amd];
    uint8_t version;
    if (numbers_count != (kind == LEVEL ? 2 : 1) || kind > CSP_ID) {
        return ALC_E_BAD_CERTIFICATE;
    }
    if (kind == LEVEL) {
        return read_level(&extension->value, oid[sizeof oid_amd + 1], seen, out);
    }
    if ((seen->kinds & 1u << kind) != 0) {
        return ALC_E_BAD_CERTIFICATE;
    }
    seen->kinds |= 1u << kind;
    switch (kind) {
    case STRUCTURE_VERSION:
        ALC_TRY(read_u8(&extension->value, &version));
        return version == layout ? ALC_OK : ALC_E_BAD_CERTIFICATE;
    case CHIP_ID:
        return read_chip_id(&extension->value, out);
    case CSP_ID:
        return read_csp_id(&extension->value, out);
    default:
        return ALC_OK; /* the product's name, which is wrong on some chips: the root says it */
    }
}

static bool is_of_amd(const struct alc_extension *extension)
{
    return extension->oid.content.size > sizeof oid_amd &&
           alc_equal(extension->oid.content.bytes, oid_amd, sizeof oid_amd);
}

alc_status alc_snp_key_read(const struct alc_certificate *certificate, enum alc_snp_product product,
                            struct alc_snp_key *out)
{
    struct alc_reader extensions = certificate->extensions;
    struct seen seen = {0};
    ALC_ASSERT(product < ALC_SNP_PRODUCTS);
    const uint32_t layout = products[product].layout;
    *out = (struct alc_snp_key){0};
    while (!alc_reader_at_end(&extensions)) {
        struct alc_extension extension;
        ALC_TRY(alc_extension_read(&extensions, &extension));
        if (is_of_amd(&extension)) {
            ALC_TRY(read_one(&extension, layout, &seen, out));
        }
    }
    const size_t chip_id_size = layout == LAYOUT_WITH_FMC ? 8 : ALC_SNP_CHIP_ID_SIZE;
    const bool has_chip = (seen.kinds & 1u << CHIP_ID) != 0;
    const bool has_csp = (seen.kinds & 1u << CSP_ID) != 0;
    out->kind = has_chip ? ALC_SNP_VCEK : ALC_SNP_VLEK;
    const bool is_whole = (seen.kinds & 1u << STRUCTURE_VERSION) != 0 &&
                          (seen.levels & levels_needed[layout]) == levels_needed[layout] &&
                          (layout == LAYOUT_WITH_FMC || out->tcb.fmc == 0) && has_chip != has_csp &&
                          (has_chip ? out->chip_id_size == chip_id_size : out->csp_id_size > 0);
    return is_whole ? ALC_OK : ALC_E_BAD_CERTIFICATE;
}
