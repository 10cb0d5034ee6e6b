/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the user how a program ended, with the names that the module has for its functions.
 */
#include <string.h>

#include "base/bytes.h"
#include "cli/module_file.h"
#include "cli/outcome.h"

static void print_frames(const struct cli_file *file, const struct alc_outcome *outcome)
{
    struct cli_module module;
    uint32_t count = outcome->frames_count;
    if (count == 0 || count > ALC_LIMIT_BACKTRACE_FRAMES) {
        return;
    }
    (void)!cli_module_open(&module, file->bytes, file->size, 0);
    fprintf(stderr, "backtrace, innermost first:\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct alc_outcome_frame *frame = &outcome->frames[i];
        fprintf(stderr, "  %2u: 0x%llx ", i, (unsigned long long)frame->offset);
        cli_print_function(stderr, module.module, frame->function_index);
        fprintf(stderr, "\n");
    }
    cli_module_close(&module);
}

int cli_outcome_print(const char *module_path, const struct cli_file *module,
                      const struct alc_outcome *outcome)
{
    alc_status status =
        outcome->status < ALC_STATUS_COUNT ? (alc_status)outcome->status : ALC_E_INTERNAL;
    if (status == ALC_OK || status == ALC_E_EXIT) {
        return outcome->exit_code & 0xff;
    }
    struct alc_error error = {.status = status, .offset = outcome->offset};
    alc_copy(error.detail, outcome->detail, sizeof error.detail);
    error.detail[sizeof error.detail - 1] = '\0';
    (void)cli_report_module_error(module_path, module, &error);
    print_frames(module, outcome);
    /* Not the outcome's word, unless the program chose its end: an error never looks like success.
     */
    return alc_status_class(status) == ALC_CLASS_EXIT ? outcome->exit_code & 0xff
                                                      : alc_status_exit_code(status);
}

void cli_outcome_print_report(const struct alc_outcome *outcome, const char *tee)
{
    static const char *const phases[] = {"manifest", "load", "link", "run", "done"};
    fprintf(stderr, "alcove: phase %s, memory %llu bytes",
            outcome->phase < ALC_ARRAY_COUNT(phases) ? phases[outcome->phase] : "unknown",
            (unsigned long long)outcome->memory_peak_size);
    if (outcome->fuel_used != 0) {
        fprintf(stderr, ", fuel used %llu", (unsigned long long)outcome->fuel_used);
    }
    if (outcome->code.is_compiled != 0) {
        fprintf(stderr, ", native code %s, vouched for by %s",
                outcome->code.is_verified != 0 ? "verified" : "not verified",
                outcome->code.vouched_by == ALC_VOUCHED_BY_MANIFEST ? "the manifest"
                : outcome->code.vouched_by == ALC_VOUCHED_BY_KEY ? "the key that the manifest names"
                                                                 : "nobody");
    }
    if (tee != NULL) {
        fprintf(stderr, ", tee %s", tee);
    }
    fprintf(stderr, "\n");
}
