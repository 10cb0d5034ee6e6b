/* SPDX-License-Identifier: Apache-2.0
 *
 * Platforms of our own for tests/attest/agree.py: attest_platforms FOLDER COUNT SEED writes for
 * each a quote, its collateral and the root to trust (N.quote, N.json, N.der). The same seed gives
 * the same rules to judge by: bodies, SVNs at launch and now, levels of platforms, modules and
 * quoting enclaves in every state that may stand there, and attributes, most of them good.
 */
#include "unit/attest/platform_make.h"

#include <inttypes.h>

static uint64_t seed;

/* Splitmix64. */
static uint32_t below(uint32_t limit)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 32) % limit;
}

/* States that may stand in levels of platforms (all), enclaves and modules (from the end). */
static const char *const words[] = {"SWHardeningNeeded",
                                    "ConfigurationAndSWHardeningNeeded",
                                    "ConfigurationNeeded",
                                    "OutOfDateConfigurationNeeded",
                                    "Revoked",
                                    "OutOfDate",
                                    "OutOfDate",
                                    "OutOfDate",
                                    "UpToDate",
                                    "UpToDate",
                                    "UpToDate"};
enum { WORDS = 11, FIRST_OF_ENCLAVES = 2, FIRST_OF_MODULES = 4 };

static const char *word_from(uint32_t first)
{
    return words[first + below(WORDS - first)];
}

struct texts {
    char levels[5000], enclave_levels[1000], modules[3000];
};

static size_t append(char *out, size_t out_max, size_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(out + at, out_max - at, format, arguments);
    va_end(arguments);
    assert_true(added > 0 && (size_t)added < out_max - at);
    return at + (size_t)added;
}

#define APPEND(buf, at, ...) (at) = append(buf, sizeof(buf), at, __VA_ARGS__)

/* Levels in any order, no two of one height. */
static void make_levels(struct texts *out, bool is_tdx)
{
    uint32_t order[3] = {0, 1, 2};
    size_t at = 0;
    for (uint32_t i = 2; i > 0; i--) {
        uint32_t j = below(i + 1), swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    APPEND(out->levels, at, "[");
    for (uint32_t i = 0; i < 3; i++) {
        APPEND(out->levels, at, "%s{\"tcb\":{\"sgxtcbcomponents\":[", i == 0 ? "" : ",");
        for (uint32_t j = 0; j < 16; j++) {
            APPEND(out->levels, at, "%s{\"svn\":%" PRIu32 "}", j == 0 ? "" : ",",
                   order[i] == 0 ? 6 - below(2) : 5 - below(2));
        }
        APPEND(out->levels, at, "],\"pcesvn\":%" PRIu32, 8 - order[i]);
        for (uint32_t j = 0; is_tdx && j < 16; j++) {
            uint32_t svn = j == 0 ? below(5) : j == 2 ? 2 - order[i] : 0;
            APPEND(out->levels, at, "%s{\"svn\":%" PRIu32 "}%s",
                   j == 0 ? ",\"tdxtcbcomponents\":[" : ",", svn, j == 15 ? "]" : "");
        }
        APPEND(out->levels, at, "},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"%s\"}",
               word_from(0));
    }
    APPEND(out->levels, at, "]");
}

static size_t append_enclave_level(char *out, size_t out_max, size_t at, uint32_t svn,
                                   uint32_t first_word)
{
    return append(out, out_max, at,
                  "{\"tcb\":{\"isvsvn\":%" PRIu32 "},\"tcbDate\":\"2024-03-13T00:00:00Z\","
                  "\"tcbStatus\":\"%s\"}",
                  svn, word_from(first_word));
}

static void make_enclave_levels(struct texts *out)
{
    size_t at = 0;
    APPEND(out->enclave_levels, at, "[");
    at = append_enclave_level(out->enclave_levels, sizeof out->enclave_levels, at, 8,
                              FIRST_OF_ENCLAVES);
    APPEND(out->enclave_levels, at, ",");
    at = append_enclave_level(out->enclave_levels, sizeof out->enclave_levels, at, 6,
                              FIRST_OF_ENCLAVES);
    APPEND(out->enclave_levels, at, "]");
}

static void make_modules(struct texts *out)
{
    size_t at = 0;
    APPEND(out->modules, at, "\"tdxModule\":{%s},\"tdxModuleIdentities\":[", MODULE);
    for (uint32_t version = 1; version <= 3; version += 2) {
        APPEND(out->modules, at, "%s{\"id\":\"%s_0%" PRIu32 "\",%s,\"tcbLevels\":[",
               version == 1 ? "" : ",", below(2) == 0 ? "TDX" : "tdx", version, MODULE);
        for (uint32_t svn = 4; svn >= 2; svn -= 2) {
            at = append_enclave_level(out->modules, sizeof out->modules, at, svn, FIRST_OF_MODULES);
            APPEND(out->modules, at, svn == 4 ? "," : "]}");
        }
    }
    APPEND(out->modules, at, "],");
}

static void make_svns(uint8_t svns[ALC_TD_SVN_SIZE])
{
    static const uint8_t versions[] = {0, 1, 1, 3};
    svns[0] = (uint8_t)(below(12) == 0 ? 1 : 2 + below(4));
    svns[1] = below(24) == 0 ? 2 : versions[below(sizeof versions)];
    svns[2] = (uint8_t)(below(16) == 0 ? 0 : 1 + below(2));
}

static void make_options(struct platform_options *out, struct texts *texts)
{
    const bool is_tdx = below(5) != 0;
    *out = is_tdx ? platform_options_tdx : platform_options_default;
    make_levels(texts, is_tdx);
    make_enclave_levels(texts);
    out->tcb_levels = texts->levels;
    out->qe_levels = texts->enclave_levels;
    out->qe_svn = (uint16_t)(9 - below(4));
    out->pce_svn = (uint8_t)(8 - below(3));
    if (!is_tdx) {
        out->attributes = below(8) == 0 ? 7 : 5;
        return;
    }
    make_modules(texts);
    out->modules = texts->modules;
    out->body = (enum alc_quote_body)(ALC_QUOTE_TD_10 + below(3));
    out->quote_version = out->body == ALC_QUOTE_TD_10 && below(2) == 0 ? 4 : 5;
    out->qe_version = 2 + (int)below(2);
    make_svns(out->td.tee_tcb_svn);
    make_svns(out->td.tee_tcb_svn2);
    if (below(6) == 0) {
        uint32_t bit = below(64);
        out->td.attributes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    out->td.mrservicetd[5] = below(16) == 0;
    out->td.seam_attributes[below(8)] = below(16) == 0;
    out->td.mrsignerseam[below(48)] = below(16) == 0;
}

static void print_text(FILE *file, const char *name, const struct alc_text *text)
{
    fprintf(file, "\"%s\":\"", name);
    for (size_t i = 0; i < text->size; i++) {
        const uint8_t byte = text->bytes[i];
        fprintf(file, byte == '"' ? "\\\"" : byte == '\n' ? "\\n" : "%c", byte);
    }
    fprintf(file, "\",");
}

static void print_hex(FILE *file, const char *name, const uint8_t *bytes, size_t size)
{
    fprintf(file, "\"%s\":\"", name);
    for (size_t i = 0; i < size; i++) {
        fprintf(file, "%02x", bytes[i]);
    }
    fprintf(file, "\"");
}

static FILE *create(const char *folder, unsigned long index, const char *end)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%lu.%s", folder, index, end);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    return file;
}

static void write_platform(const char *folder, unsigned long index, struct platform *platform)
{
    const struct alc_pcs_collateral *collateral = &platform->collateral;
    uint8_t *der = NULL;
    FILE *file = create(folder, index, "quote");
    fwrite(platform->appraisal.evidence.bytes, 1, platform->appraisal.evidence.size, file);
    fclose(file);
    file = create(folder, index, "der");
    int der_size = i2d_X509(platform->root, &der);
    fwrite(der, 1, (size_t)der_size, file);
    OPENSSL_free(der);
    fclose(file);
    file = create(folder, index, "json");
    fprintf(file, "{");
    print_text(file, "pck_crl_issuer_chain", &collateral->tcb_info_chain);
    print_text(file, "tcb_info_issuer_chain", &collateral->tcb_info_chain);
    print_text(file, "tcb_info", &collateral->tcb_info);
    print_text(file, "qe_identity_issuer_chain", &collateral->qe_identity_chain);
    print_text(file, "qe_identity", &collateral->qe_identity);
    print_hex(file, "root_ca_crl", collateral->root_list.bytes, collateral->root_list.size);
    fprintf(file, ",");
    print_hex(file, "pck_crl", collateral->pck_list.bytes, collateral->pck_list.size);
    fprintf(file, ",");
    print_hex(file, "tcb_info_signature", collateral->tcb_info_signature, 64);
    fprintf(file, ",");
    print_hex(file, "qe_identity_signature", collateral->qe_identity_signature, 64);
    fprintf(file, "}\n");
    fclose(file);
}

int main(int argc, char **argv)
{
    static struct platform platform;
    static struct texts texts;
    if (argc != 4) {
        fprintf(stderr, "usage: %s FOLDER COUNT SEED\n", argv[0]);
        return 2;
    }
    seed = strtoull(argv[3], NULL, 10);
    for (unsigned long i = 0; i < strtoul(argv[2], NULL, 10); i++) {
        struct platform_options options;
        make_options(&options, &texts);
        platform_make(&platform, &options);
        write_platform(argv[1], i, &platform);
        platform_free(&platform);
    }
    return 0;
}
