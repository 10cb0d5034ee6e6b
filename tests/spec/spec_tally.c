/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting of test reports. They may come out of an enclave under test: read with the bounded
 * reader, like any message.
 */
#include "spec/spec_tally.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "spec/spec_stream.h"

static const char *const kind_names[ALC_SPEC_COMMANDS_COUNT] = {
    [ALC_SPEC_MODULE] = "module",
    [ALC_SPEC_MODULE_DEFINITION] = "module definition",
    [ALC_SPEC_MODULE_INSTANCE] = "module instance",
    [ALC_SPEC_REGISTER] = "register",
    [ALC_SPEC_ACTION] = "action",
    [ALC_SPEC_ASSERT_RETURN] = "assert_return",
    [ALC_SPEC_ASSERT_TRAP] = "assert_trap",
    [ALC_SPEC_ASSERT_EXHAUSTION] = "assert_exhaustion",
    [ALC_SPEC_ASSERT_EXCEPTION] = "assert_exception",
    [ALC_SPEC_ASSERT_MALFORMED] = "assert_malformed",
    [ALC_SPEC_ASSERT_INVALID] = "assert_invalid",
    [ALC_SPEC_ASSERT_UNLINKABLE] = "assert_unlinkable",
    [ALC_SPEC_ASSERT_UNINSTANTIABLE] = "assert_uninstantiable",
    [ALC_SPEC_SKIPPED] = "not supported",
};

void spec_tally_add(struct spec_tally *sum, const struct spec_tally *more)
{
    sum->tests += more->tests;
    sum->commands += more->commands;
    sum->passed += more->passed;
    sum->failed += more->failed;
    sum->skipped += more->skipped;
    sum->excused += more->excused;
    sum->words_differ += more->words_differ;
}

struct entry {
    uint8_t kind;
    uint8_t result;
    uint16_t text_size;
    uint32_t line;
    const uint8_t *text;
};

static alc_status read_entry(struct alc_reader *reader, struct entry *out)
{
    ALC_TRY(alc_read_u8(reader, &out->kind));
    ALC_TRY(alc_read_u8(reader, &out->result));
    ALC_TRY(alc_read_u16(reader, &out->text_size));
    ALC_TRY(alc_read_u32(reader, &out->line));
    ALC_TRY(alc_read_bytes(reader, out->text_size, &out->text));
    return out->kind < ALC_SPEC_COMMANDS_COUNT ? ALC_OK : ALC_E_BAD_ARGUMENT;
}

static void print_entry(const char *test, const struct entry *entry, const char *verdict)
{
    printf("  %s:%u: %s %s: %.*s\n", test, (unsigned)entry->line, kind_names[entry->kind], verdict,
           (int)entry->text_size, (const char *)entry->text);
}

static void count_failure(struct spec_tally *tally, const struct spec_tally_options *options,
                          const char *test, const struct entry *entry)
{
    struct spec_skip *skip = spec_lists_find_skip(options->lists, test, entry->line);
    if (skip != NULL) {
        skip->failures++;
        tally->excused++;
        return;
    }
    tally->failed++;
    if (options->is_verbose || tally->failed <= options->failures_max) {
        print_entry(test, entry, "failed");
    } else if (tally->failed == options->failures_max + 1) {
        printf("  %s: more failures (--verbose shows all)\n", test);
    }
}

static void count_entry(struct spec_tally *tally, const struct spec_tally_options *options,
                        const char *test, const struct entry *entry)
{
    tally->commands++;
    switch ((enum alc_spec_result)entry->result) {
    case ALC_SPEC_TEXT_DIFFERS:
        tally->words_differ++;
        tally->passed++;
        if (options->is_verbose) {
            print_entry(test, entry, "has other words");
        }
        break;
    case ALC_SPEC_PASSED:
        tally->passed += entry->kind >= ALC_SPEC_ASSERT_RETURN;
        break;
    case ALC_SPEC_SKIP:
        tally->skipped++;
        break;
    case ALC_SPEC_FAILED:
    default:
        count_failure(tally, options, test, entry);
        break;
    }
}

size_t spec_tally_report(struct spec_tally *tally, const struct spec_tally_options *options,
                         const char *test, const uint8_t *bytes, size_t size)
{
    struct alc_reader reader;
    struct alc_reader entries;
    uint32_t magic;
    uint32_t name_size;
    uint32_t entries_size;
    const uint8_t *name;
    alc_reader_init(&reader, bytes, size, NULL);
    if (alc_read_u32(&reader, &magic) != ALC_OK || magic != ALC_SPEC_REPORT_MAGIC ||
        alc_read_u32(&reader, &name_size) != ALC_OK ||
        alc_read_u32(&reader, &entries_size) != ALC_OK ||
        alc_read_bytes(&reader, name_size, &name) != ALC_OK ||
        alc_read_sub(&reader, entries_size, &entries) != ALC_OK || name_size != strlen(test) ||
        !alc_equal(name, test, name_size)) {
        return 0;
    }
    struct spec_tally counted = {.tests = 1};
    struct entry entry;
    while (!alc_reader_at_end(&entries)) {
        if (read_entry(&entries, &entry) != ALC_OK) {
            return 0;
        }
        count_entry(&counted, options, test, &entry);
    }
    spec_lists_mark(options->lists, test);
    spec_tally_add(tally, &counted);
    return reader.pos;
}

void spec_tally_broken(struct spec_tally *tally, const struct spec_tally_options *options,
                       const char *test, const char *why)
{
    tally->tests++;
    spec_lists_mark(options->lists, test);
    struct spec_skip *skip = spec_lists_find_skip(options->lists, test, 0);
    if (skip != NULL) {
        skip->failures++;
        tally->excused++;
        return;
    }
    tally->failed++;
    printf("  %s: %s\n", test, why);
}
