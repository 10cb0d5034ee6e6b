/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove compile: makes a native image of a module.
 *
 * There are two programs of the same sources: `alcove`, and `alcove-compiler` beside it, which has
 * the compiler in it. LLVM takes longer to load than most programs need to run, and no other
 * command should pay for that; so the first one hands this command to the second.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/module_file.h"
#include "cli/native_file.h"
#include "compiler/compiler.h"
#include "native/image_format.h"

/* Not there in `alcove`. */
#pragma weak alc_compile
#pragma weak alc_compiled_free
#pragma weak alc_compile_unconfined

struct request {
    struct alc_compile_options options;
    const char *output_path;
    const char *emit; /* NULL: an image */
    bool is_quiet;
};

static bool has_compiler(void)
{
    return alc_compile != NULL;
}

/* Replaces this process by the compiler's program. */
static int hand_over(const struct cli_arguments *arguments)
{
    cli_hand_over(arguments, "alcove-compiler");
    cli_die(CLI_FAILED, "compile: this alcove was built without LLVM 19; install it "
                        "(tools/bootstrap compile) and build again");
}

/* The number of `text` among `names`. */
static unsigned parse_choice(const struct cli_arguments *arguments, const char *option,
                             const char *text, const char *const *names, size_t names_count)
{
    for (size_t i = 0; i < names_count; i++) {
        if (strcmp(text, names[i]) == 0) {
            return (unsigned)i;
        }
    }
    cli_usage_error(arguments, "--%s has no %s", option, text);
}

static void apply_option(const struct cli_arguments *arguments, struct request *request,
                         enum cli_option option, const char *value)
{
    static const char *const cpus[] = {"v2", "v3"};
    static const char *const shapes[] = {"auto", "confined", "checked"};
    static const char *const texts[] = {"asm", "ir"};
    struct alc_compile_options *options = &request->options;
    if (option == CLI_OPTION_compile_output) {
        request->output_path = value;
    } else if (option == CLI_OPTION_compile_opt) {
        options->level = (unsigned)cli_parse_number(arguments, value, ALC_COMPILE_LEVEL_MAX);
    } else if (option == CLI_OPTION_compile_cpu) {
        options->features = parse_choice(arguments, "cpu", value, cpus, ALC_ARRAY_COUNT(cpus));
    } else if (option == CLI_OPTION_compile_shape) {
        options->shape = (enum alc_compile_shape)parse_choice(arguments, "shape", value, shapes,
                                                              ALC_ARRAY_COUNT(shapes));
    } else if (option == CLI_OPTION_compile_emit) {
        unsigned text = parse_choice(arguments, "emit", value, texts, ALC_ARRAY_COUNT(texts));
        options->keep = text == 0 ? ALC_COMPILE_KEEP_ASSEMBLY : ALC_COMPILE_KEEP_IR;
        request->emit = value;
    } else if (option == CLI_OPTION_compile_fuel) {
        options->options |= ALC_NATIVE_METERED;
    } else if (option == CLI_OPTION_compile_timeout) {
        options->options |= ALC_NATIVE_INTERRUPTIBLE;
    } else if (option == CLI_OPTION_compile_jobs) {
        options->threads = (unsigned)cli_parse_number(arguments, value, 1024);
    } else {
        request->is_quiet = true;
    }
}

static void show_progress(void *context, uint32_t done, uint32_t count)
{
    enum { WIDTH = 40 };
    static const char bar[] = "########################################";
    unsigned filled = count == 0 ? WIDTH : (unsigned)((uint64_t)done * WIDTH / count);
    fprintf(stderr, "\r%s [%-*.*s] %u of %u functions%s", (const char *)context, WIDTH, (int)filled,
            bar, done, count, done == count ? "\n" : "");
}

/* "app.wasm" -> "app.alc"; the caller frees. */
static char *default_output(const char *module_path)
{
    size_t size = strlen(module_path);
    size_t stem = size > 5 && strcmp(module_path + size - 5, ".wasm") == 0 ? size - 5 : size;
    char *path = cli_allocate(stem + 5);
    alc_copy(path, module_path, stem);
    alc_copy(path + stem, ".alc", 5);
    return path;
}

static int write_image(const struct request *request, const char *module_path,
                       struct alc_compiled *compiled)
{
    struct alc_error error;
    alc_error_clear(&error);
    uint64_t size = alc_native_image_file_size(&compiled->image);
    void *bytes = cli_allocate(size);
    if (alc_native_image_write(&compiled->image, bytes, size, &error) != ALC_OK) {
        return cli_report_error(module_path, &error);
    }
    char *chosen = request->output_path == NULL ? default_output(module_path) : NULL;
    const char *path = chosen != NULL ? chosen : request->output_path;
    cli_write_file_whole(path, bytes, size, 0644);
    if (!request->is_quiet) {
        printf("%s: %s, %u functions, %u bytes of code, sha256 ", path,
               compiled->image.shape == ALC_NATIVE_CONFINED ? "confined" : "checked",
               compiled->image.functions_count, compiled->image.code_size);
        cli_print_hex(stdout, compiled->image.native_sha256, sizeof compiled->image.native_sha256);
        printf("\n");
    }
    free(chosen);
    free(bytes);
    return CLI_OK;
}

static int write_text(const struct request *request, const char *text)
{
    if (request->output_path == NULL) {
        fputs(text, stdout);
    } else {
        cli_write_file_whole(request->output_path, text, strlen(text), 0644);
    }
    return CLI_OK;
}

static int compile(const struct request *request, const char *module_path)
{
    struct cli_file file = cli_read_file(module_path);
    struct cli_module module;
    struct alc_error error;
    struct alc_compiled compiled;
    if (cli_module_open(&module, file.bytes, file.size, 0) != ALC_OK) {
        return cli_report_module_error(module_path, &file, &module.error);
    }
    alc_error_clear(&error);
    if (alc_compile(module.module, &request->options, &compiled, &error) != ALC_OK) {
        return cli_report_error(module_path, &error);
    }
    const char *unconfined = alc_compile_unconfined(module.module);
    if (!request->is_quiet && unconfined != NULL && request->options.shape == ALC_COMPILE_AUTO) {
        fprintf(stderr, "alcove: %s: not confined (%s): runs only where somebody vouches for it\n",
                module_path, unconfined);
    }
    const char *text =
        request->options.keep == ALC_COMPILE_KEEP_IR ? compiled.ir : compiled.assembly;
    int exit_code = request->emit != NULL ? write_text(request, text)
                                          : write_image(request, module_path, &compiled);
    alc_compiled_free(&compiled);
    cli_module_close(&module);
    cli_unmap(&file);
    return exit_code;
}

/* Options stand before or behind the module. */
static const char *parse(struct cli_arguments *arguments, struct request *request)
{
    const char *module_path = NULL;
    for (;;) {
        const char *value;
        int option = cli_next_option(arguments, &value);
        if (option >= 0) {
            apply_option(arguments, request, (enum cli_option)option, value);
        } else if (arguments->next == arguments->argc) {
            break;
        } else if (module_path != NULL) {
            cli_usage_error(arguments, "one module, please");
        } else {
            module_path = arguments->argv[arguments->next++];
        }
    }
    if (module_path == NULL) {
        cli_usage_error(arguments, "which module?");
    }
    return module_path;
}

int cli_compile(struct cli_arguments *arguments)
{
    struct request request = {.options = {.level = ALC_COMPILE_LEVEL_DEFAULT}};
    const char *module_path = parse(arguments, &request);
    if (!has_compiler()) {
        return hand_over(arguments);
    }
    if (!request.is_quiet && isatty(STDERR_FILENO)) {
        request.options.progress = show_progress;
        request.options.progress_context = (void *)(uintptr_t)module_path;
    }
    return compile(&request, module_path);
}
