/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove validate: is each file a well-formed and valid module?
 */
#include "cli/module_file.h"

int cli_validate(struct cli_arguments *arguments)
{
    const char *value;
    int exit_code = CLI_OK;
    (void)cli_next_option(arguments, &value);
    if (arguments->next == arguments->argc) {
        cli_usage_error(arguments, "which module?");
    }
    for (int i = arguments->next; i < arguments->argc; i++) {
        struct cli_file file = cli_read_file(arguments->argv[i]);
        struct cli_module module;
        if (cli_module_open(&module, file.bytes, file.size, 0) != ALC_OK) {
            exit_code = cli_report_module_error(arguments->argv[i], &file, &module.error);
        } else {
            printf("%s: valid\n", arguments->argv[i]);
        }
        cli_module_close(&module);
        cli_unmap(&file);
    }
    return exit_code;
}
