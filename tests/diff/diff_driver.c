/* SPDX-License-Identifier: Apache-2.0
 *
 * What differential tests see of the engine, as text.
 *
 *   alc_diff_driver run MODULE SEED [--metered] [--interruptible] [--eager] [--collecting]
 *                       [--native] [--fuel] [--import NAME MODULE]
 *     instantiates the module, calls each exported function with arguments that follow from the
 *     seed, shows what came back and what is left in memories, tables and globals. Lines:
 *       refused <words>                    the module is malformed, invalid or cannot be linked
 *       instance                           a new instance, in a store of its own
 *       call <name in hex> <arguments>     followed by one of
 *       = <results>
 *       ! <name of the status>
 *       fuel <units>                       with --fuel: what the call cost
 *       global <name in hex> <value>       memory <name> <pages> <sha256>   table <name> <entries>
 *     After a trap the state is shown and the next call gets a new instance.
 *
 *   alc_diff_driver validate
 *     reads modules from standard input, each with its size before it (4 bytes, little endian), and
 *     answers each with a line: "valid", or what is wrong and where.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/sha256.h"
#include "diff/diff_native.h"
#include "diff/diff_values.h"
#include "exec/engine.h"
#include "exec/interp.h"
#include "os_linux/os_linux.h"

enum {
    SLOTS_MAX = 4096,
    ROUNDS = 2,
    CALLS_MAX = 40,
    MODULE_MAX = 16 << 20,
    INSTANCES_MAX = 24,
    TIME_S = 20,
};
static const size_t arena_size = 128u << 20;
static const uint64_t fuel = UINT64_C(1) << 40;
/* What the other engine has, too. */
#define FEATURES (ALC_FEATURES_ALL & ~ALC_FEATURE_BIT(LEGACY_EXCEPTIONS))

struct file {
    uint8_t *bytes;
    size_t size;
};

struct settings {
    struct file module;
    struct file provider; /* size 0: none */
    const char *provider_name;
    uint64_t seed;
    bool is_metered;
    bool is_interruptible;
    bool is_eager;      /* code is made when the module is loaded */
    bool is_collecting; /* a collection before each new object */
    bool is_native;     /* compiled, not interpreted */
    bool shows_fuel;
};

struct world {
    const struct alc_os *os;
    struct alc_arena arena;
    struct alc_store store;
    struct alc_linker linker;
    struct alc_instance *instance;
};

static _Noreturn void die(const char *why)
{
    fflush(stdout);
    fprintf(stderr, "alc_diff_driver: %s\n", why);
    exit(EXIT_FAILURE);
}

static struct file read_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    struct file file = {malloc(MODULE_MAX), 0};
    if (stream == NULL || file.bytes == NULL) {
        die("cannot read the module");
    }
    file.size = fread(file.bytes, 1, MODULE_MAX, stream);
    fclose(stream);
    return file;
}

static void init_arena(struct alc_arena *arena)
{
    void *memory = mmap(NULL, arena_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        die("no address space");
    }
    alc_arena_init(arena, memory, arena_size);
}

/* -- a world: store, provider, instance -- */

static void *reserve_pages(void *context, size_t size)
{
    const struct alc_os *os = context;
    return os->operations->pages_reserve(os->context, size);
}

static void release_pages(void *context, void *addr, size_t size)
{
    const struct alc_os *os = context;
    os->operations->pages_release(os->context, addr, size);
}

static alc_status load(struct world *world, const struct settings *settings,
                       const struct file *file, struct alc_instance **out, struct alc_error *error)
{
    struct alc_load_options options =
        alc_store_load_options(&world->store, settings->is_metered, settings->is_interruptible);
    options.features = FEATURES;
    options.is_eager = settings->is_eager;
    struct alc_module *module;
    alc_error_clear(error);
    ALC_TRY(
        settings->is_native
            ? diff_native_load(&world->store, &world->arena, file->bytes, file->size, &options,
                               settings->is_metered, settings->is_interruptible, &module, error)
            : alc_module_load(&world->arena, file->bytes, file->size, &options, &module, error));
    if (settings->is_metered) {
        alc_store_set_fuel(&world->store, fuel);
    }
    return alc_instantiate(&world->store, &world->arena, module, &world->linker, out, error);
}

/* False when the module did not become an instance, which has then been said. */
static bool world_open(struct world *world, struct alc_os *os, const struct settings *settings)
{
    struct alc_error error;
    struct alc_instance *provider;
    struct alc_store_options options = {
        .pages = {.reserve = reserve_pages,
                  .commit = alc_os_commit,
                  .release = release_pages,
                  .context = os},
        .executor = &alc_interp_executor,
        .collects_always = settings->is_collecting,
    };
    if (settings->is_native && !diff_native_choose(&options)) {
        die("no native code in this build or on this system");
    }
    world->os = os;
    init_arena(&world->arena);
    if (alc_store_init(&world->store, &world->arena, &options) != ALC_OK) {
        die("no store");
    }
    alc_linker_init(&world->linker, &world->store);
    if (settings->provider.size != 0) {
        struct alc_name name = {(const uint8_t *)settings->provider_name,
                                (uint32_t)strlen(settings->provider_name)};
        if (load(world, settings, &settings->provider, &provider, &error) != ALC_OK ||
            alc_linker_add_instance(&world->linker, name, provider) != ALC_OK) {
            die("the module that gives imports is not usable");
        }
    }
    alc_status status = load(world, settings, &settings->module, &world->instance, &error);
    if (status == ALC_OK) {
        puts("instance");
        return true;
    }
    enum alc_error_class class = alc_status_class(status);
    if (class == ALC_CLASS_TRAP || class == ALC_CLASS_EXHAUSTED) {
        printf("instance\n! %s\n", alc_status_name(status));
    } else {
        printf("refused %s at %#" PRIx64 " %s\n", alc_status_text(status), error.offset,
               error.detail);
    }
    return false;
}

static void world_close(struct world *world)
{
    alc_store_fini(&world->store);
    munmap(world->arena.base, arena_size);
}

/* -- what there is to see -- */

static void print_name(const char *what, struct alc_name name)
{
    printf("%s x", what);
    for (uint32_t i = 0; i < name.size; i++) {
        printf("%02x", name.bytes[i]);
    }
}

static void print_memory(const struct alc_memory *memory)
{
    uint8_t digest[ALC_SHA256_SIZE];
    alc_sha256(memory->base, memory->size, digest);
    printf(" %" PRIu64 " ", alc_memory_pages(memory));
    for (size_t i = 0; i < 8; i++) {
        printf("%02x", digest[i]);
    }
}

static void print_state(const struct world *world)
{
    const struct alc_instance *instance = world->instance;
    const struct alc_type_registry *types = &world->store.types;
    for (uint32_t i = 0; i < instance->module->exports_count; i++) {
        const struct alc_export *export = &instance->module->exports[i];
        if (export->kind == ALC_EXTERNAL_GLOBAL) {
            print_name("global", export->name);
            diff_value_print(stdout, types, instance->module->globals[export->index].type.type,
                             instance->globals[export->index]->cell->slots);
        } else if (export->kind == ALC_EXTERNAL_MEMORY) {
            print_name("memory", export->name);
            print_memory(instance->memories[export->index]);
        } else if (export->kind == ALC_EXTERNAL_TABLE) {
            const struct alc_table *table = instance->tables[export->index];
            print_name("table", export->name);
            for (uint64_t j = 0; j < table->count; j++) {
                diff_value_print(stdout, types, table->type.element, &table->entries[j]);
            }
        } else {
            continue;
        }
        putchar('\n');
    }
}

/* -- calls -- */

enum verdict { WENT_WELL, NOT_CALLED, TRAPPED };

static enum verdict call(struct world *world, const struct alc_export *export,
                         struct diff_random *random)
{
    static uint64_t arguments[SLOTS_MAX];
    static uint64_t results[SLOTS_MAX];
    struct alc_function *function = world->instance->functions[export->index];
    const struct alc_function_type *type = &function->type->function;
    const struct alc_type_registry *types = &world->store.types;
    size_t at = 0;
    if (type->parameters_slots > SLOTS_MAX || type->results_slots > SLOTS_MAX) {
        return NOT_CALLED;
    }
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        if (!diff_value_make(random, type->parameters[i], &arguments[at])) {
            return NOT_CALLED;
        }
        at += alc_type_slots(type->parameters[i]);
    }
    print_name("call", export->name);
    at = 0;
    for (uint32_t i = 0; i < type->parameters_count; i++) {
        diff_value_print(stdout, types, type->parameters[i], &arguments[at]);
        at += alc_type_slots(type->parameters[i]);
    }
    putchar('\n');
    fflush(stdout); /* names the call if it never returns */
    struct alc_error error;
    alc_error_clear(&error);
    alc_status status = alc_invoke(&world->store, function, arguments, results, &error);
    if (status != ALC_OK) {
        printf("! %s\n", alc_status_name(status));
        return TRAPPED;
    }
    putchar('=');
    at = 0;
    for (uint32_t i = 0; i < type->results_count; i++) {
        diff_value_print(stdout, types, type->results[i], &results[at]);
        at += alc_type_slots(type->results[i]);
    }
    putchar('\n');
    return WENT_WELL;
}

/* Calls all exports; a function that trapped leaves the instance to look at, then a new one is
 * made. */
static int run_module(struct alc_os *os, const struct settings *settings)
{
    struct diff_random random = {settings->seed};
    struct world world;
    unsigned calls = 0;
    unsigned instances = 1;
    if (!world_open(&world, os, settings)) {
        return EXIT_SUCCESS;
    }
    uint32_t exports = world.instance->module->exports_count;
    for (uint32_t i = 0; i < exports * ROUNDS && calls < CALLS_MAX; i++) {
        const struct alc_export *export = &world.instance->module->exports[i % exports];
        if (export->kind != ALC_EXTERNAL_FUNCTION) {
            continue;
        }
        uint64_t before = alc_store_get_fuel(&world.store);
        enum verdict verdict = call(&world, export, &random);
        calls += verdict != NOT_CALLED;
        if (settings->shows_fuel && verdict != NOT_CALLED) {
            printf("fuel %" PRIu64 "\n", before - alc_store_get_fuel(&world.store));
        }
        if (verdict == TRAPPED) {
            print_state(&world);
            if (instances++ == INSTANCES_MAX) {
                return EXIT_SUCCESS;
            }
            world_close(&world);
            if (!world_open(&world, os, settings)) {
                return EXIT_SUCCESS;
            }
        }
    }
    print_state(&world);
    world_close(&world);
    return EXIT_SUCCESS;
}

/* -- validation -- */

static alc_status validate_once(const struct file *file, const struct alc_load_options *options,
                                struct alc_error *error)
{
    static struct alc_arena arena;
    if (arena.base == NULL) {
        init_arena(&arena);
    }
    struct alc_module *module;
    alc_error_clear(error);
    alc_status status = alc_module_load(&arena, file->bytes, file->size, options, &module, error);
    alc_arena_reset(&arena, 0);
    return status;
}

/* Emission may not change the verdict. */
static void answer(const struct file *file)
{
    static struct alc_code_heap code_heap;
    struct alc_error error;
    struct alc_error other;
    struct alc_load_options options = {.features = FEATURES};
    alc_status status = validate_once(file, &options, &error);
    for (unsigned kind = 0; kind < 2; kind++) {
        if (code_heap.arena.base == NULL) {
            init_arena(&code_heap.arena);
        }
        options.target = alc_interp_target(kind == 0, kind == 0);
        options.code_heap = &code_heap;
        options.is_eager = true;
        alc_status emitted = validate_once(file, &options, &other);
        alc_arena_reset(&code_heap.arena, 0);
        if (emitted != status || (status != ALC_OK && error.offset != other.offset)) {
            printf("unsure %s at %#" PRIx64 ", emitting %s at %#" PRIx64 "\n",
                   alc_status_text(status), error.offset, alc_status_text(emitted), other.offset);
            return;
        }
    }
    if (status == ALC_OK) {
        puts("valid");
    } else {
        printf("%s at %#" PRIx64 " %s\n", alc_status_text(status), error.offset, error.detail);
    }
}

/* From now on: of the processor's, so that a busy machine makes no difference. Who sleeps for ever
 * is ended by run.py. */
static void limit_time(void)
{
    const struct itimerval timer = {.it_value = {.tv_sec = TIME_S}};
    if (setitimer(ITIMER_PROF, &timer, NULL) != 0) {
        die("no timer");
    }
}

static int validate_stream(void)
{
    uint8_t header[4];
    while (fread(header, 1, sizeof header, stdin) == sizeof header) {
        uint32_t size = (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 |
                        (uint32_t)header[3] << 24;
        /* Reads past the end are seen only when the module has a block of its own. */
        struct file file = {malloc(size + (size == 0)), size};
        if (size > MODULE_MAX || file.bytes == NULL || fread(file.bytes, 1, size, stdin) != size) {
            die("a module is cut short");
        }
        limit_time();
        answer(&file);
        fflush(stdout);
        free(file.bytes);
    }
    return EXIT_SUCCESS;
}

/* -- arguments -- */

static _Noreturn void usage(void)
{
    die("usage: alc_diff_driver validate | run MODULE SEED [--metered] [--interruptible] "
        "[--eager] [--collecting] [--native] [--fuel] [--import NAME MODULE]");
}

int main(int argc, char **argv)
{
    /* Static: they last as long as the process, and leak checkers know it. */
    static struct settings settings;
    static struct alc_os_linux *system;
    if (argc == 2 && strcmp(argv[1], "validate") == 0) {
        return validate_stream();
    }
    if (argc < 4 || strcmp(argv[1], "run") != 0) {
        usage();
    }
    settings.module = read_file(argv[2]);
    settings.seed = strtoull(argv[3], NULL, 10);
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "--metered") == 0) {
            settings.is_metered = true;
        } else if (strcmp(argv[i], "--interruptible") == 0) {
            settings.is_interruptible = true;
        } else if (strcmp(argv[i], "--eager") == 0) {
            settings.is_eager = true;
        } else if (strcmp(argv[i], "--collecting") == 0) {
            settings.is_collecting = true;
        } else if (strcmp(argv[i], "--fuel") == 0) {
            settings.shows_fuel = true;
        } else if (strcmp(argv[i], "--native") == 0) {
            settings.is_native = true;
        } else if (strcmp(argv[i], "--import") == 0 && i + 2 < argc) {
            settings.provider_name = argv[++i];
            settings.provider = read_file(argv[++i]);
        } else {
            usage();
        }
    }
    if (alc_os_linux_new(NULL, &system) != ALC_OK) {
        die("no system");
    }
    struct alc_os os = *alc_os_linux_get_os(system);
    limit_time();
    return run_module(&os, &settings);
}
