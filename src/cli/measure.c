/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove measure: what an enclave image is, and who signed it.
 */
#include "base/bytes.h"
#include "cli/enclave.h"
#include "sgx/sign.h"

static void print_signature(const struct alc_sgx_sigstruct *sigstruct, const uint8_t *mrenclave)
{
    struct alc_error error;
    uint8_t mrsigner[ALC_SGX_HASH_SIZE];
    alc_error_clear(&error);
    alc_status status = alc_sigstruct_verify(sigstruct, &error);
    alc_mrsigner(sigstruct, mrsigner);
    printf("mrsigner:  ");
    cli_print_hex(stdout, mrsigner, sizeof mrsigner);
    printf("\nsignature: %s", status == ALC_OK ? "good" : alc_status_text(status));
    if (status != ALC_OK && error.detail[0] != '\0') {
        printf(" (%s)", error.detail);
    }
    if (!alc_equal(sigstruct->enclave_hash, mrenclave, ALC_SGX_HASH_SIZE)) {
        printf(", of another image");
    }
    printf("\ndate:      %04x-%02x-%02x\nproduct:   %u\nsvn:       %u\ndebug:     %s\n",
           sigstruct->date >> 16, sigstruct->date >> 8 & 0xff, sigstruct->date & 0xff,
           sigstruct->isv_product_id, sigstruct->isv_svn,
           (sigstruct->attributes.flags & ALC_SGX_ATTRIBUTE_DEBUG) != 0 ? "yes" : "no");
}

int cli_measure(struct cli_arguments *arguments)
{
    const char *value;
    const char *signature_path = NULL;
    const char *extract_path = NULL;
    struct cli_image_kind kind = {0};
    int option;
    while ((option = cli_next_option(arguments, &value)) >= 0) {
        if (option == CLI_OPTION_measure_signature) {
            signature_path = value;
        } else if (option == CLI_OPTION_measure_native) {
            kind.is_native = true;
        } else if (option == CLI_OPTION_measure_complete) {
            kind.is_complete = true;
        } else {
            extract_path = value;
        }
    }
    if (arguments->next + 1 < arguments->argc) {
        cli_usage_error(arguments, "one image, please");
    }
    const char *image_path =
        arguments->next < arguments->argc ? arguments->argv[arguments->next] : NULL;
    struct cli_image image;
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    cli_image_open(image_path, signature_path, kind, &image);
    alc_image_measure(&image.parsed, mrenclave);
    printf("mrenclave: ");
    cli_print_hex(stdout, mrenclave, sizeof mrenclave);
    printf("\nimage:     %zu bytes, %u pages, %u threads, range of %llu MiB\n", image.size,
           image.parsed.pages_count, image.parsed.tcs_count,
           (unsigned long long)(image.parsed.enclave_size >> 20));
    if (signature_path != NULL || image_path == NULL) {
        print_signature(&image.sigstruct, mrenclave);
    }
    if (extract_path != NULL) {
        cli_write_file(extract_path, image.bytes, image.size, 0644);
    }
    return CLI_OK;
}
