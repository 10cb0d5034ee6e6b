/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove doctor: what this machine offers for enclaves, and the remedy for each missing thing.
 */
#include "sgx/doctor.h"
#include "cli/cli.h"
#include "cli/cvm.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"

static bool print_emulator(void)
{
    struct alc_sgx_context *context;
    uint32_t capabilities;
    struct alc_error error;
    alc_error_clear(&error);
    const struct alc_sgx_backend *backend = alc_sgx_emu_backend();
    if (backend->open(backend, &context, &capabilities, &error) != ALC_OK) {
        printf("missing   emulator: %s\n", error.detail);
        return false;
    }
    backend->close(context);
    printf("ok        emulator: works here (for development: it protects nothing)\n");
    return true;
}

int cli_doctor(struct cli_arguments *arguments)
{
    static const char *const states[] = {"ok      ", "missing ", "optional"};
    const char *value;
    if (cli_next_option(arguments, &value) >= 0 || arguments->next != arguments->argc) {
        cli_usage_error(arguments, "takes no arguments");
    }
    struct alc_doctor_report report;
    alc_sgx_doctor(&report);
    for (size_t i = 0; i < report.findings_count; i++) {
        const struct alc_doctor_finding *finding = &report.findings[i];
        printf("%s  %s: %s\n", states[finding->state], finding->subject, finding->value);
        if (finding->remedy != NULL) {
            printf("          remedy: %s\n", finding->remedy);
        }
    }
    cli_cvm_print();
    bool emulates = print_emulator();
    printf("\nalcove run uses %s by default on this machine.\n",
           report.hardware_usable ? "hardware enclaves (never tried on silicon: see CAVEATS.md)"
           : emulates             ? "the emulator"
                                  : "nothing: neither hardware nor emulator works; try --tee none");
    return report.hardware_usable || emulates ? CLI_OK : CLI_FAILED;
}
