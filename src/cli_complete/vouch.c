/* SPDX-License-Identifier: Apache-2.0
 *
 * Vouchers in the alcove program: keys from files, and signing.
 */
#include "cli_complete/vouch.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "keys/keys.h"
#include "voucher/voucher.h"

void cli_complete_name_key(const char *key_path, uint8_t digest[ALC_SHA256_SIZE])
{
    struct alc_ec_public_key key;
    struct alc_error error;
    struct cli_file file = cli_read_file(key_path);
    alc_error_clear(&error);
    if (alc_keys_read_public((const char *)file.bytes, file.size, &key, &error) != ALC_OK) {
        exit(cli_report_error(key_path, &error));
    }
    alc_voucher_key_sha256(&key, digest);
    cli_unmap(&file);
}

static struct alc_voucher_text text_of(struct alc_name name)
{
    return (struct alc_voucher_text){name.bytes, name.size};
}

struct cli_file cli_complete_sign(const char *key_path, const struct alc_native_image *image,
                                  const struct alc_module *module,
                                  const struct alc_workload_limits *limits)
{
    struct alc_ec_private_key key;
    struct alc_error error;
    struct cli_file pem = cli_read_file(key_path);
    alc_error_clear(&error);
    if (alc_keys_read_private((const char *)pem.bytes, pem.size, &key, &error) != ALC_OK) {
        exit(cli_report_error(key_path, &error));
    }
    struct alc_voucher_import *imports = cli_allocate(module->imports_count * sizeof *imports);
    for (uint32_t i = 0; i < module->imports_count; i++) {
        imports[i] = (struct alc_voucher_import){text_of(module->imports[i].module),
                                                 text_of(module->imports[i].name)};
    }
    struct alc_voucher_statement statement = {
        .imports = imports,
        .imports_count = module->imports_count,
        .limits = {limits->fuel, limits->memory_size, limits->timeout_ns},
    };
    alc_copy(statement.module_sha256, image->module_sha256, ALC_SHA256_SIZE);
    alc_copy(statement.native_sha256, image->native_sha256, ALC_SHA256_SIZE);
    uint8_t *bytes = cli_allocate(ALC_LIMIT_VOUCHER_SIZE);
    size_t size = 0;
    alc_status status =
        alc_voucher_sign(&statement, &key, &alc_keys_random, bytes, ALC_LIMIT_VOUCHER_SIZE, &size);
    alc_wipe(&key, sizeof key);
    free(imports);
    cli_unmap(&pem);
    if (status != ALC_OK) {
        cli_die(CLI_FAILED, "%s: %s", key_path, alc_status_text(status));
    }
    return (struct cli_file){bytes, size};
}

void cli_complete_make_key(const char *key_path)
{
    char *pem;
    size_t size;
    struct alc_error error;
    alc_error_clear(&error);
    if (alc_keys_generate(ALC_CURVE_P256, &pem, &size, &error) != ALC_OK) {
        exit(cli_report_error(key_path, &error));
    }
    cli_write_file(key_path, pem, size, 0600);
    alc_wipe(pem, size);
    free(pem);
}
