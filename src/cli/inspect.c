/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove inspect: what a module wants, offers and uses.
 */
#include "base/sha256.h"
#include "cli/module_file.h"

static const char *const external_kinds[ALC_EXTERNAL_KINDS] = {"func", "table", "memory", "global",
                                                               "tag"};

/* By section id (spec 5.5.2). */
static const char *const section_names[] = {"custom", "type",   "import",     "function", "table",
                                            "memory", "global", "export",     "start",    "element",
                                            "code",   "data",   "data count", "tag"};
_Static_assert(ALC_ARRAY_COUNT(section_names) == ALC_SECTIONS_MAX, "each id that decodes");

static void print_types(const uint32_t *types, uint32_t count)
{
    printf("(");
    for (uint32_t i = 0; i < count; i++) {
        char text[64];
        struct alc_writer writer;
        alc_writer_init(&writer, text, sizeof text);
        alc_type_write(&writer, types[i]);
        printf("%s%.*s", i == 0 ? "" : " ", (int)(writer.overflowed ? 0 : writer.pos), text);
    }
    printf(")");
}

static void print_function_type(const struct alc_type *type)
{
    print_types(type->function.parameters, type->function.parameters_count);
    printf(" -> ");
    print_types(type->function.results, type->function.results_count);
}

static void print_limits(const struct alc_limits *limits, const char *unit)
{
    printf("%llu", (unsigned long long)limits->min);
    if (limits->has_max) {
        printf("..%llu", (unsigned long long)limits->max);
    }
    printf(" %s%s%s", unit, limits->is_64 ? ", 64-bit" : "", limits->is_shared ? ", shared" : "");
}

static void print_external(const struct alc_module *module, enum alc_external_kind kind,
                           uint32_t index)
{
    printf("  %s ", external_kinds[kind]);
    switch (kind) {
    case ALC_EXTERNAL_FUNCTION:
        print_function_type(module->functions[index].type);
        break;
    case ALC_EXTERNAL_TABLE:
        print_limits(&module->tables[index].type.limits, "elements of ");
        print_types(&module->tables[index].type.element, 1);
        break;
    case ALC_EXTERNAL_MEMORY:
        print_limits(&module->memories[index].limits,
                     module->memories[index].limits.page_size_log2 == 16 ? "pages" : "bytes");
        break;
    case ALC_EXTERNAL_GLOBAL:
        printf("%s", module->globals[index].type.is_mutable ? "mutable " : "");
        print_types(&module->globals[index].type.type, 1);
        break;
    case ALC_EXTERNAL_TAG:
        print_function_type(alc_types_get(module->types, module->tags[index]));
        break;
    case ALC_EXTERNAL_KINDS:
    default:
        break;
    }
    printf("\n");
}

static void print_sections(const struct alc_module *module)
{
    printf("sections:\n");
    for (uint32_t i = 0; i < module->sections_count; i++) {
        const struct alc_section *section = &module->sections[i];
        printf("  0x%08x %10u bytes  %s\n", section->contents.offset, section->contents.size,
               section_names[section->id]);
    }
    for (uint32_t i = 0; i < module->customs_count; i++) {
        const struct alc_custom_section *custom = &module->customs[i];
        printf("  0x%08x %10u bytes  custom ", custom->contents.offset, custom->contents.size);
        cli_print_name(stdout, custom->name);
        printf("\n");
    }
}

static void print_imports(const struct alc_module *module)
{
    printf("imports: %u\n", module->imports_count);
    for (uint32_t i = 0; i < module->imports_count; i++) {
        const struct alc_import *import = &module->imports[i];
        printf("  ");
        cli_print_name(stdout, import->module);
        printf(".");
        cli_print_name(stdout, import->name);
        print_external(module, import->kind, import->index);
    }
}

static void print_exports(const struct alc_module *module)
{
    printf("exports: %u\n", module->exports_count);
    for (uint32_t i = 0; i < module->exports_count; i++) {
        const struct alc_export *export = &module->exports[i];
        printf("  ");
        cli_print_name(stdout, export->name);
        print_external(module, export->kind, export->index);
    }
}

/* A feature is used when the module is refused without it. */
static void print_features(const struct cli_file *file, const struct alc_module *module)
{
    static const char *const names[] = {
#define FEATURE(ident, name, standard, text) name,
#include "wasm/features.def"
#undef FEATURE
    };
    printf("features:");
    for (unsigned i = 1; i < ALC_ARRAY_COUNT(names); i++) {
        uint64_t bit = UINT64_C(1) << i;
        struct cli_module without;
        if ((module->features & bit) != 0 &&
            cli_module_open(&without, file->bytes, file->size, module->features & ~bit) != ALC_OK) {
            printf(" %s", names[i]);
        }
        if ((module->features & bit) != 0) {
            cli_module_close(&without);
        }
    }
    printf("\n");
}

static void print_counts(const struct alc_module *module)
{
    printf("types: %u\nfunctions: %u\ntables: %u\nmemories: %u\nglobals: %u\ntags: %u\n",
           module->types_count, module->functions_count, module->tables_count,
           module->memories_count, module->globals_count, module->tags_count);
    printf("element segments: %u\ndata segments: %u\n", module->elements_count, module->data_count);
}

int cli_inspect(struct cli_arguments *arguments)
{
    const char *value;
    (void)cli_next_option(arguments, &value);
    const char *path = cli_only_operand(arguments, "module");
    struct cli_file file = cli_read_file(path);
    struct cli_module loaded;
    if (cli_module_open(&loaded, file.bytes, file.size, 0) != ALC_OK) {
        return cli_report_module_error(path, &file, &loaded.error);
    }
    const struct alc_module *module = loaded.module;
    uint8_t digest[ALC_SHA256_SIZE];
    struct alc_name name;
    alc_sha256(file.bytes, file.size, digest);
    printf("size: %zu bytes\nsha256: ", file.size);
    cli_print_hex(stdout, digest, sizeof digest);
    if (alc_name_find_module(module, &name)) {
        printf("\nname: ");
        cli_print_name(stdout, name);
    }
    printf("\n");
    print_features(&file, module);
    print_counts(module);
    print_sections(module);
    print_imports(module);
    print_exports(module);
    cli_module_close(&loaded);
    cli_unmap(&file);
    return CLI_OK;
}
