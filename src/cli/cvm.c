/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks into configfs-tsm.
 */
#include "cli/cvm.h"

#if ALC_HAS_CVM
#include "cvm/cvm.h"

static const char *const words[] = {
    [ALC_TSM_TDX] = "a TDX trust domain",
    [ALC_TSM_SEV_SNP] = "an SEV-SNP guest",
    [ALC_TSM_OTHER] = "a confidential machine of an unknown kind",
};

static struct alc_tsm_files g_files;
static struct alc_attester g_attester;

static alc_status find(enum alc_tsm_provider *out)
{
    alc_tsm_files_init(&g_files, ALC_TSM_FOLDER);
    return alc_tsm_find_provider(&g_files, out);
}

const struct alc_attester *cli_cvm_need(enum run_tee tee)
{
    const enum alc_tsm_provider wanted = tee == RUN_TEE_TDX ? ALC_TSM_TDX : ALC_TSM_SEV_SNP;
    enum alc_tsm_provider found;
    alc_status status = find(&found);
    if (status == ALC_E_NOT_SUPPORTED) {
        cli_die(CLI_FAILED, "this machine is not %s: there is no " ALC_TSM_FOLDER, words[wanted]);
    }
    if (status != ALC_OK) {
        cli_die(CLI_FAILED, ALC_TSM_FOLDER ": %s (does it need root?)", alc_status_text(status));
    }
    if (found != wanted) {
        cli_die(CLI_FAILED, "this machine is not %s but %s", words[wanted], words[found]);
    }
    alc_cvm_attester_init(&g_attester, &g_files, found);
    return &g_attester;
}

const struct alc_attester *cli_cvm_need_with_certificates(enum run_tee tee)
{
    (void)cli_cvm_need(tee);
    alc_cvm_attester_add_certificates(&g_attester);
    return &g_attester;
}

void cli_cvm_print(void)
{
    enum alc_tsm_provider found;
    alc_status status = find(&found);
    if (status == ALC_OK) {
        printf("ok        confidential machine: this is %s (run --tee %s)\n", words[found],
               found == ALC_TSM_TDX       ? "tdx"
               : found == ALC_TSM_SEV_SNP ? "snp"
                                          : "none");
    } else if (status == ALC_E_NOT_SUPPORTED) {
        printf("optional  confidential machine: this is none, as far as the kernel says\n");
    } else {
        printf("optional  confidential machine: " ALC_TSM_FOLDER ": %s\n"
               "          remedy: look as root\n",
               alc_status_text(status));
    }
}

#else

const struct alc_attester *cli_cvm_need(enum run_tee tee)
{
    (void)tee;
    cli_die(CLI_FAILED, "this alcove was built without mbedTLS (tools/bootstrap gets it): it knows "
                        "no confidential machines");
}

const struct alc_attester *cli_cvm_need_with_certificates(enum run_tee tee)
{
    return cli_cvm_need(tee);
}

void cli_cvm_print(void)
{
    printf("optional  confidential machine: this alcove was built without mbedTLS\n");
}

#endif
