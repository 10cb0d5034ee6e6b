/* SPDX-License-Identifier: Apache-2.0
 *
 * alc_spec_run: the specification's test suite against the engine, outside or in an enclave.
 * Prints a table for each group of tests and ends with `spec: N passed, N failed, N skipped`.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/spec_child.h"
#include "spec/spec_lists.h"
#include "spec/spec_native.h"
#include "spec/spec_script.h"
#include "spec/spec_stream.h"
#include "spec/spec_tally.h"

enum {
    PATH_SIZE = 4096,
    TIMEOUT_S = 120,
    STEPPED_TIMEOUT_S = 900,
    EXIT_BAD_USAGE = 2,
    EXIT_SKIPPED = 77
};

static const char usage[] =
    "usage: alc_spec_run --data DIR --lists DIR [options] [GROUP...]\n"
    "  --data DIR        the unpacked test suite: one folder for each group\n"
    "  --lists DIR       where groups.txt and skip.txt are\n"
    "  --tee MODE        none (default), emulated, or stepped: with an exit at each instruction\n"
    "  --image FILE      emulated: image of the test profile\n"
    "  --signature FILE  emulated: its signature structure\n"
    "  --filter TEXT     only tests with TEXT in their names\n"
    "  --metered         code that counts fuel and looks at the stop word, and a collection "
    "before\n"
    "                    each new object\n"
    "  --native          compile every module and run that; not with --tee\n"
    "  --level N         native: how much the compiler tries, 0 to 3 (default 2)\n"
    "  --wide            native: use AVX2 and the like where this machine has it\n"
    "  --verbose         every failure, and errors with other words than upstream's\n";

struct settings {
    const char *data;
    const char *lists;
    const char *filter;
    bool is_emulated;
    struct spec_image image;
    uint32_t flags;
    bool is_verbose;
    bool is_native;
    bool is_wide;
    unsigned level;
    char *const *groups;
    int groups_count;
};

struct run {
    const struct settings *settings;
    struct spec_tally_options tally_options;
    struct spec_lists lists;
    struct spec_tally total;
    size_t failed_required;
};

/* Tests of one group, translated. `ends` are offsets in the stream behind each. */
struct group_tests {
    struct spec_buffer stream;
    char (*names)[SPEC_NAME_MAX];
    size_t *ends;
    size_t count;
};

static bool parse_arguments(int argc, char **argv, struct settings *out)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},      {"lists", required_argument, NULL, 'l'},
        {"tee", required_argument, NULL, 't'},       {"image", required_argument, NULL, 'i'},
        {"signature", required_argument, NULL, 's'}, {"filter", required_argument, NULL, 'f'},
        {"metered", no_argument, NULL, 'm'},         {"native", no_argument, NULL, 'n'},
        {"level", required_argument, NULL, 'L'},     {"wide", no_argument, NULL, 'w'},
        {"verbose", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            out->data = optarg;
            break;
        case 'l':
            out->lists = optarg;
            break;
        case 't':
            out->image.is_stepped = strcmp(optarg, "stepped") == 0;
            out->is_emulated = out->image.is_stepped || strcmp(optarg, "emulated") == 0;
            if (!out->is_emulated && strcmp(optarg, "none") != 0) {
                return false;
            }
            break;
        case 'i':
            out->image.image_path = optarg;
            break;
        case 's':
            out->image.signature_path = optarg;
            break;
        case 'f':
            out->filter = optarg;
            break;
        case 'm':
            out->flags = ALC_SPEC_METERED | ALC_SPEC_INTERRUPTIBLE | ALC_SPEC_COLLECTING;
            break;
        case 'n':
            out->is_native = true;
            break;
        case 'L':
            out->level = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'w':
            out->is_wide = true;
            break;
        case 'v':
            out->is_verbose = true;
            break;
        default:
            return false;
        }
    }
    out->groups = argv + optind;
    out->groups_count = argc - optind;
    bool has_image = out->image.image_path != NULL && out->image.signature_path != NULL;
    bool is_one = !out->is_emulated || has_image;
    return out->data != NULL && out->lists != NULL && is_one;
}

static bool is_chosen(const struct settings *settings, const char *group)
{
    for (int i = 0; i < settings->groups_count; i++) {
        if (strcmp(settings->groups[i], group) == 0) {
            return true;
        }
    }
    return settings->groups_count == 0;
}

static void translate(struct run *run, const struct spec_group *group, const char *test,
                      struct group_tests *tests, struct spec_tally *tally)
{
    char name[SPEC_NAME_MAX];
    char path[PATH_SIZE];
    char problem[SPEC_WHY_MAX];
    int name_size = snprintf(name, sizeof name, "%s/%s", group->name, test);
    int path_size = snprintf(path, sizeof path, "%s/%s/%s.json", run->settings->data, name, test);
    struct stat info;
    if (name_size >= (int)sizeof name || path_size >= (int)sizeof path || stat(path, &info) != 0 ||
        strstr(name, run->settings->filter) == NULL) {
        return;
    }
    struct spec_script_options options = {
        .name = name,
        .features = group->features,
        .flags = run->settings->flags,
        .is_compiled = run->settings->is_native && run->settings->is_emulated,
    };
    if (!spec_script_translate(&options, path, &tests->stream, problem, sizeof problem)) {
        spec_tally_broken(tally, &run->tally_options, name, problem);
        return;
    }
    size_t index = tests->count++;
    tests->names = realloc(tests->names, tests->count * sizeof *tests->names);
    tests->ends = realloc(tests->ends, tests->count * sizeof *tests->ends);
    if (tests->names == NULL || tests->ends == NULL) {
        fputs("spec: out of memory\n", stderr);
        exit(1);
    }
    snprintf(tests->names[index], SPEC_NAME_MAX, "%s", name);
    tests->ends[index] = tests->stream.size;
}

/* False when the group's folder cannot be read. */
static bool translate_group(struct run *run, const struct spec_group *group,
                            struct group_tests *tests, struct spec_tally *tally)
{
    char path[PATH_SIZE];
    struct dirent **entries;
    snprintf(path, sizeof path, "%s/%s", run->settings->data, group->name);
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        fprintf(stderr, "spec: %s: %s\n", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            translate(run, group, entries[i]->d_name, tests, tally);
        }
        free(entries[i]);
    }
    free(entries);
    return true;
}

static size_t start_of(const struct group_tests *tests, size_t index)
{
    return index == 0 ? 0 : tests->ends[index - 1];
}

static spec_place *place_of(const struct settings *settings)
{
    return settings->is_emulated ? spec_place_emulated
           : settings->is_native ? spec_place_native
                                 : spec_place_outside;
}

/* Runs tests [first, last) and counts their reports; the number of tests dealt with (>= 1). */
static size_t run_batch(struct run *run, const struct group_tests *tests, size_t first, size_t last,
                        struct spec_tally *tally)
{
    size_t start = start_of(tests, first);
    struct spec_batch batch = {
        .stream = tests->stream.bytes + start,
        .stream_size = tests->ends[last - 1] - start,
        .timeout_s = run->settings->image.is_stepped ? STEPPED_TIMEOUT_S : TIMEOUT_S,
        .place = place_of(run->settings),
        .context = &run->settings->image,
    };
    struct spec_buffer report = {0};
    char why[SPEC_WHY_MAX];
    spec_child_run(&batch, &report, why);
    size_t done = first;
    size_t offset = 0;
    while (done < last) {
        size_t used = spec_tally_report(tally, &run->tally_options, tests->names[done],
                                        report.bytes + offset, report.size - offset);
        if (used == 0) {
            break;
        }
        offset += used;
        done++;
    }
    spec_buffer_fini(&report);
    if (done < last) {
        spec_tally_broken(tally, &run->tally_options, tests->names[done],
                          why[0] == '\0' ? "gave no report" : why);
        done++;
    }
    return done - first;
}

static void print_row(const char *name, const char *duty, const struct spec_tally *tally)
{
    printf("%-34s %-9s %5zu %8zu %8zu %7zu %8zu %8zu %6zu\n", name, duty, tally->tests,
           tally->commands, tally->passed, tally->failed, tally->excused, tally->skipped,
           tally->words_differ);
}

static void run_group(struct run *run, const struct spec_group *group)
{
    struct group_tests tests = {0};
    struct spec_tally tally = {0};
    if (!translate_group(run, group, &tests, &tally)) {
        /* The packages of crates.io have fewer groups than the archive. */
        tally.failed += group->is_required;
        tally.skipped += !group->is_required;
    }
    size_t index = 0;
    while (index < tests.count) {
        /* Starting an enclave is worth more than one test; a process is not. */
        size_t last = run->settings->is_emulated ? tests.count : index + 1;
        index += run_batch(run, &tests, index, last, &tally);
    }
    spec_tally_add(&run->total, &tally);
    if (group->is_required) {
        run->failed_required += tally.failed;
    }
    print_row(group->name, group->is_required ? "required" : "reported", &tally);
    spec_buffer_fini(&tests.stream);
    free(tests.names);
    free(tests.ends);
}

/* Entries of skip.txt that excuse nothing: the engine got better, or the entry is wrong. */
static size_t count_idle_skips(const struct run *run)
{
    size_t idle = 0;
    for (size_t i = 0; i < run->lists.skips_count; i++) {
        const struct spec_skip *skip = &run->lists.skips[i];
        if (skip->was_met && skip->failures == 0) {
            printf("skip.txt: %s:%u passes; remove it (%s, %s)\n", skip->test, skip->line,
                   skip->issue, skip->reason);
            idle++;
        } else if (skip->was_met) {
            printf("skip.txt: %s:%u excused %zu failures (%s, %s)\n", skip->test, skip->line,
                   skip->failures, skip->issue, skip->reason);
        }
    }
    return idle;
}

int main(int argc, char **argv)
{
    struct settings settings = {.filter = "", .level = 2};
    if (!parse_arguments(argc, argv, &settings)) {
        fputs(usage, stderr);
        return EXIT_BAD_USAGE;
    }
    if (settings.is_native && spec_native_engine() == NULL) {
        fputs("spec: no compiler, or a processor without FSGSBASE\n", stderr);
        return EXIT_SKIPPED;
    }
    spec_native_prepare(settings.level, settings.is_wide);
    char groups_path[PATH_SIZE];
    char skip_path[PATH_SIZE];
    snprintf(groups_path, sizeof groups_path, "%s/groups.txt", settings.lists);
    snprintf(skip_path, sizeof skip_path, "%s/skip.txt", settings.lists);
    struct run run = {.settings = &settings};
    if (!spec_lists_load(&run.lists, groups_path, skip_path)) {
        return EXIT_BAD_USAGE;
    }
    run.tally_options = (struct spec_tally_options){&run.lists, settings.is_verbose, 5};
    printf("%-34s %-9s %5s %8s %8s %7s %8s %8s %6s\n", "group", "duty", "tests", "commands",
           "passed", "failed", "excused", "skipped", "words");
    for (size_t i = 0; i < run.lists.groups_count; i++) {
        if (is_chosen(&settings, run.lists.groups[i].name)) {
            run_group(&run, &run.lists.groups[i]);
        }
    }
    print_row("total", "", &run.total);
    size_t idle = count_idle_skips(&run);
    size_t failed = run.failed_required + idle;
    printf("`words`: refused as it should be, with other words than upstream's (counted as "
           "passed)\n");
    if (run.total.failed != run.failed_required) {
        printf("not counted below: %zu failures in groups that are only reported\n",
               run.total.failed - run.failed_required);
    }
    if (settings.is_native) {
        spec_native_print();
    }
    printf("spec: %zu passed, %zu failed, %zu skipped\n", run.total.passed, failed,
           run.total.skipped + run.total.excused);
    spec_lists_free(&run.lists);
    return failed == 0 && run.total.passed != 0 ? 0 : 1;
}
