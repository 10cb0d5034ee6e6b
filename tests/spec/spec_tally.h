/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the reports of tests and counts: what passed, what failed, what skip.txt excuses.
 */
#ifndef ALC_TESTS_SPEC_TALLY_H
#define ALC_TESTS_SPEC_TALLY_H

#include "spec/spec_lists.h"

struct spec_tally {
    size_t tests;
    size_t commands;
    size_t passed;       /* assertions */
    size_t failed;       /* assertions and other commands, and tests that broke off */
    size_t skipped;      /* not run, with reasons in the report */
    size_t excused;      /* failures that skip.txt names */
    size_t words_differ; /* passed, but the error has other words than upstream's */
};

struct spec_tally_options {
    struct spec_lists *lists;
    bool is_verbose;     /* print every failure, and differing words */
    size_t failures_max; /* printed for each test otherwise */
};

void spec_tally_add(struct spec_tally *sum, const struct spec_tally *more);

/* Counts the first test report in bytes[0..size); bytes used by it, or 0 when none is complete.
 * MUST be the report of `test`, else 0 as well. Failures are printed. */
size_t spec_tally_report(struct spec_tally *tally, const struct spec_tally_options *options,
                         const char *test, const uint8_t *bytes, size_t size);
/* Counts a test without a report: it crashed, hung or could not be translated. */
void spec_tally_broken(struct spec_tally *tally, const struct spec_tally_options *options,
                       const char *test, const char *why);

#endif
