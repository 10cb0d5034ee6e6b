/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove explain: rules and statuses of verdicts in words, from the rows of explained.def.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli_attest/judgement.h"

enum { VERDICT_SIZE_MAX = 1 << 20 };

struct explained_check {
    const char *why;
    const char *remedy;
};

struct explained_status {
    alc_status status;
    const char *meaning;
    const char *remedy;
};

static const struct explained_check explained_checks[ALC_CHECKS] = {
#define EXPLAIN_CHECK(ident, why, remedy) [ALC_CHECK_##ident] = {why, remedy},
#define EXPLAIN_STATUS(ident, meaning, remedy)
#include "cli_attest/explained.def"
#undef EXPLAIN_CHECK
#undef EXPLAIN_STATUS
};

static const struct explained_status explained_statuses[] = {
#define EXPLAIN_CHECK(ident, why, remedy)
#define EXPLAIN_STATUS(ident, meaning, remedy) {ALC_E_##ident, meaning, remedy},
#include "cli_attest/explained.def"
#undef EXPLAIN_CHECK
#undef EXPLAIN_STATUS
};

/* Lines of at most 96 columns, broken at spaces. */
static void print_wrapped(const char *label, const char *text)
{
    enum { LABEL_WIDTH = 8, COLUMNS_MAX = 96 };
    size_t column = (size_t)printf("  %-*s", LABEL_WIDTH, label);
    for (const char *word = text; *word != '\0';) {
        const size_t size = strcspn(word, " ");
        if (column + 1 + size > COLUMNS_MAX) {
            printf("\n  %-*s", LABEL_WIDTH, "");
            column = 2 + LABEL_WIDTH;
        }
        column += (size_t)printf(" %.*s", (int)size, word);
        word += size;
        word += *word == ' ';
    }
    printf("\n");
}

static void explain_check(enum alc_check check)
{
    printf("%s\n", alc_check_name(check));
    print_wrapped("demands", alc_check_text(check));
    print_wrapped("fails", explained_checks[check].why);
    print_wrapped("remedy", explained_checks[check].remedy);
}

static void explain_status(const struct explained_status *row)
{
    printf("%s\n", alc_status_name(row->status));
    print_wrapped("says", alc_status_text(row->status));
    print_wrapped("means", row->meaning);
    print_wrapped("remedy", row->remedy);
}

/* Rules and statuses by their names, in any case, with hyphens or underscores. */
static bool is_name(const struct alc_text *word, const char *name)
{
    if (word->size != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < word->size; i++) {
        const char letter = (char)word->bytes[i];
        if (strncasecmp(letter == '-' ? "_" : &letter, &name[i], 1) != 0) {
            return false;
        }
    }
    return true;
}

static bool explain_word(const struct alc_text *word)
{
    bool is_known = false;
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        if (is_name(word, alc_check_name((enum alc_check)i))) {
            explain_check((enum alc_check)i);
            is_known = true;
        }
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(explained_statuses); i++) {
        if (is_name(word, alc_status_name(explained_statuses[i].status))) {
            explain_status(&explained_statuses[i]);
            is_known = true;
        }
    }
    return is_known;
}

/* -- a verdict -- */

struct told {
    struct alc_text verdict;
    struct alc_text status;
    struct alc_text failed_check;
    struct alc_text reason;
};

static alc_status read_verdict(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct told *)context)->verdict);
}

static alc_status read_status(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct told *)context)->status);
}

static alc_status read_failed_check(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct told *)context)->failed_check);
}

static alc_status read_reason(struct alc_reader *reader, void *context)
{
    return alc_json_read_text(reader, &((struct told *)context)->reason);
}

static int explain_verdict(const char *path)
{
    static const struct alc_json_member members[] = {
        {"verdict", read_verdict, true},
        {"status", read_status, true},
        {"failed_check", read_failed_check, false},
        {"reason", read_reason, false},
    };
    struct told told = {0};
    struct alc_reader reader;
    struct alc_error error;
    const struct cli_file file = cli_read_file(path);
    if (file.size > VERDICT_SIZE_MAX) {
        cli_die(CLI_USAGE, "%s: %zu bytes, at most %d", path, file.size, VERDICT_SIZE_MAX);
    }
    alc_error_clear(&error);
    alc_reader_init(&reader, file.bytes, file.size, &error);
    alc_status status = alc_json_read_object(&reader, members, ALC_ARRAY_COUNT(members), &told);
    if (status != ALC_OK || alc_json_end(&reader) != ALC_OK) {
        (void)cli_report_error(path, &error);
        return CLI_USAGE;
    }
    printf("%s: ", path);
    judgement_print_text(&told.verdict, stdout);
    if (told.reason.size != 0) {
        printf(": ");
        judgement_print_text(&told.reason, stdout);
    }
    printf("\n");
    if (told.failed_check.size == 0) {
        return CLI_OK;
    }
    return explain_word(&told.failed_check) && explain_word(&told.status) ? CLI_OK : CLI_USAGE;
}

static int explain_all(void)
{
    for (size_t i = 0; i < ALC_CHECKS; i++) {
        explain_check((enum alc_check)i);
    }
    for (size_t i = 0; i < ALC_ARRAY_COUNT(explained_statuses); i++) {
        explain_status(&explained_statuses[i]);
    }
    return CLI_OK;
}

/* A word that is neither rule nor status is a file. */
int explain_run(struct cli_arguments *arguments)
{
    const char *value;
    while (cli_next_option(arguments, &value) >= 0) {
    }
    if (arguments->next == arguments->argc) {
        return explain_all();
    }
    int exit_code = CLI_OK;
    for (int i = arguments->next; i < arguments->argc; i++) {
        const char *word = arguments->argv[i];
        const struct alc_text text = {(const uint8_t *)word, strlen(word)};
        if (explain_word(&text)) {
            continue;
        }
        if (strpbrk(word, "./") == NULL) {
            cli_usage_error(arguments, "%s is no rule, no status and no file of a verdict", word);
        }
        const int code = explain_verdict(word);
        exit_code = code != CLI_OK ? code : exit_code;
    }
    return exit_code;
}
