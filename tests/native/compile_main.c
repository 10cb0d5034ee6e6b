/* SPDX-License-Identifier: Apache-2.0
 *
 * in.wasm out.alc [checked] [metered] [interruptible]: compiles a module, for tests of the command
 * line.
 */
#include "native/support.h"

#include <stdio.h>
#include <string.h>

int main(int arguments_count, char **arguments)
{
    struct alc_compile_options options = {.shape = ALC_COMPILE_CONFINED,
                                          .level = ALC_COMPILE_LEVEL_DEFAULT};
    struct native_program program;
    if (arguments_count < 3) {
        fprintf(stderr,
                "usage: native_compile in.wasm out.alc [checked] [metered] [interruptible]\n");
        return 2;
    }
    for (int i = 3; i < arguments_count; i++) {
        options.shape = strcmp(arguments[i], "checked") == 0 ? ALC_COMPILE_CHECKED : options.shape;
        options.options |= strcmp(arguments[i], "metered") == 0 ? ALC_NATIVE_METERED : 0;
        options.options |=
            strcmp(arguments[i], "interruptible") == 0 ? ALC_NATIVE_INTERRUPTIBLE : 0;
    }
    native_compile(arguments[1], &options, &program);
    FILE *file = fopen(arguments[2], "wb");
    bool is_written = file != NULL &&
                      fwrite(program.file, 1, program.file_size, file) == program.file_size &&
                      fclose(file) == 0;
    native_free(&program);
    return is_written ? 0 : 1;
}
