/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling a module: its functions are divided into units, whatever the number of threads that
 * take one after another; what comes out is placed and, when it is confined, verified.
 */
#include "compiler/compiler.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "compiler/helpers.h"
#include "compiler/lower.h"
#include "compiler/place.h"
#include "compiler/shape.h"
#include "native/verifier.h"

/* A unit ends with the function that makes its bodies this long: enough that starting LLVM once
 * more costs little, and little enough that units in work take tens of megabytes each. */
enum { UNIT_BODY_SIZE = 32 * 1024, UNIT_FUNCTIONS_MAX = 512 };
enum { THREADS_MAX = 64 };
/* Address space for the lowering of one function, and of the thread that does it: LLVM recurses. */
enum { ARENA_SIZE = 1 << 30, THREAD_STACK_SIZE = 256 << 20 };

struct unit_work {
    uint32_t first; /* function indices [first, end); none: the helpers */
    uint32_t end;
    struct alc_object object;
    char *ir;
    char *assembly;
};

struct job {
    const struct alc_module *module;
    const struct alc_compile_options *options;
    const struct alc_target *target;
    struct unit_work *units;
    uint32_t units_count;
    bool has_helpers;     /* they are the last unit */
    pthread_mutex_t lock; /* over all below */
    uint32_t next_unit;
    uint32_t functions_done;
    alc_status status; /* the first failure */
    struct alc_error error;
};

/* -- units -- */

static alc_status divide(struct job *job)
{
    const struct alc_module *module = job->module;
    uint32_t first = module->imported_counts[ALC_EXTERNAL_FUNCTION];
    /* The last one is for helpers. */
    job->units = calloc((size_t)module->functions_count - first + 1, sizeof *job->units);
    if (job->units == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    while (first < module->functions_count) {
        uint64_t size = 0;
        uint32_t end = first;
        while (end < module->functions_count && size < UNIT_BODY_SIZE &&
               end - first < UNIT_FUNCTIONS_MAX) {
            size += module->functions[end++].body.size;
        }
        job->units[job->units_count++] = (struct unit_work){.first = first, .end = end};
        first = end;
    }
    return ALC_OK;
}

/* Whether any unit calls a helper. */
static bool wants_helpers(const struct job *job)
{
    for (uint32_t i = 0; i < job->units_count; i++) {
        const struct alc_object *object = &job->units[i].object;
        for (uint32_t j = 0; j < object->relocations_count; j++) {
            const struct alc_object_relocation *relocation = &object->relocations[j];
            if (relocation->kind == ALC_OBJECT_FUNCTION &&
                relocation->number >= job->module->functions_count) {
                return true;
            }
        }
    }
    return false;
}

static alc_status fill_unit(struct alc_unit *unit, struct unit_work *work, struct alc_arena *arena,
                            struct alc_error *error)
{
    LLVMMemoryBufferRef buffer;
    for (uint32_t i = work->first; i < work->end; i++) {
        ALC_TRY(alc_lower_function(unit, i, arena, error));
    }
    if (work->first == work->end) {
        alc_helpers_build(unit);
    }
    ALC_TRY(alc_unit_emit(unit, &buffer, &work->ir, &work->assembly, error));
    alc_status status = alc_object_read((const uint8_t *)LLVMGetBufferStart(buffer),
                                        LLVMGetBufferSize(buffer), &work->object, error);
    LLVMDisposeMemoryBuffer(buffer);
    return status;
}

static alc_status compile_unit(struct job *job, struct unit_work *work,
                               LLVMTargetMachineRef machine, struct alc_arena *arena,
                               struct alc_error *error)
{
    struct alc_unit unit;
    alc_status status = alc_unit_init(&unit, job->module, job->options, job->target, machine);
    if (status == ALC_OK) {
        status = fill_unit(&unit, work, arena, error);
    }
    alc_unit_fini(&unit);
    return status;
}

/* -- threads -- */

/* The next unit, or NULL when there is none or something failed. */
static struct unit_work *take_unit(struct job *job)
{
    struct unit_work *work = NULL;
    (void)pthread_mutex_lock(&job->lock);
    if (job->status == ALC_OK && job->next_unit < job->units_count) {
        work = &job->units[job->next_unit++];
    }
    (void)pthread_mutex_unlock(&job->lock);
    return work;
}

static void finish_unit(struct job *job, const struct unit_work *work, alc_status status,
                        const struct alc_error *error)
{
    const struct alc_compile_options *options = job->options;
    (void)pthread_mutex_lock(&job->lock);
    job->functions_done += work->end - work->first;
    if (status != ALC_OK && job->status == ALC_OK) {
        job->status = status;
        job->error = *error;
    }
    if (status == ALC_OK && options->progress != NULL) {
        uint32_t imported = job->module->imported_counts[ALC_EXTERNAL_FUNCTION];
        options->progress(options->progress_context, job->functions_done,
                          job->module->functions_count - imported);
    }
    (void)pthread_mutex_unlock(&job->lock);
}

static void fail_job(struct job *job, alc_status status)
{
    (void)pthread_mutex_lock(&job->lock);
    job->status = job->status == ALC_OK ? status : job->status;
    (void)pthread_mutex_unlock(&job->lock);
}

static void *work_on(void *context)
{
    struct job *job = context;
    void *memory = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    LLVMTargetMachineRef machine =
        alc_target_machine(job->target, job->options->level, job->options->features);
    if (memory == MAP_FAILED || machine == NULL) {
        fail_job(job, memory == MAP_FAILED ? ALC_E_OUT_OF_MEMORY : ALC_E_INTERNAL);
    } else {
        struct alc_arena arena;
        struct unit_work *work;
        alc_arena_init(&arena, memory, ARENA_SIZE);
        while ((work = take_unit(job)) != NULL) {
            struct alc_error error = {.offset = ALC_NO_OFFSET};
            alc_status status = compile_unit(job, work, machine, &arena, &error);
            finish_unit(job, work, status, &error);
        }
    }
    if (machine != NULL) {
        LLVMDisposeTargetMachine(machine);
    }
    if (memory != MAP_FAILED) {
        (void)munmap(memory, ARENA_SIZE);
    }
    return NULL;
}

static unsigned choose_threads(const struct job *job)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = job->options->threads;
    threads = threads != 0 ? threads : (unsigned)(processors > 0 ? processors : 1);
    threads = threads < job->units_count ? threads : job->units_count;
    return threads < THREADS_MAX ? threads : THREADS_MAX;
}

static alc_status run_threads(struct job *job)
{
    pthread_t threads[THREADS_MAX];
    pthread_attr_t attributes;
    unsigned started = 0;
    unsigned wanted = choose_threads(job);
    if (pthread_attr_init(&attributes) != 0) {
        return ALC_E_OUT_OF_MEMORY;
    }
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE);
    while (started < wanted && pthread_create(&threads[started], &attributes, work_on, job) == 0) {
        started++;
    }
    (void)pthread_attr_destroy(&attributes);
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return started > 0 || wanted == 0 ? job->status : ALC_E_OUT_OF_MEMORY;
}

/* -- the image -- */

static alc_status verify(const struct job *job, const struct alc_native_image *image,
                         struct alc_error *error)
{
    const struct alc_module *module = job->module;
    uint32_t globals = module->globals_count - module->imported_counts[ALC_EXTERNAL_GLOBAL];
    struct alc_verifier_report report = {.reason = "out of memory"};
    struct alc_verifier_input input = {.code = image->code,
                                       .code_size = image->code_size,
                                       .functions = image->functions,
                                       .functions_count = image->functions_count,
                                       .stubs_count = image->stubs_count,
                                       .constants_distance = image->constants_distance,
                                       .constants_size = image->constants_size,
                                       .context_size = (uint32_t)alc_native_context_size(globals),
                                       .features = image->features,
                                       .has_memory = module->memories_count > 0};
    uint64_t scratch_size = alc_verifier_scratch_size(&input);
    void *scratch = malloc(scratch_size + 1);
    alc_status status = scratch != NULL ? alc_verifier_check(&input, scratch, scratch_size, &report)
                                        : ALC_E_OUT_OF_MEMORY;
    free(scratch);
    if (status == ALC_E_NATIVE_REFUSED) {
        char detail[ALC_ERROR_TEXT_SIZE];
        uint8_t *code = (uint8_t *)(uintptr_t)image->code; /* only read */
        char *text = alc_target_disassemble(code, image->code_size, report.offset);
        (void)snprintf(detail, sizeof detail, "%s: function %u:%s", report.reason,
                       report.function + module->imported_counts[ALC_EXTERNAL_FUNCTION],
                       text != NULL ? text : "");
        free(text);
        return alc_fail_with(error, ALC_E_INTERNAL, report.offset, detail);
    }
    return status;
}

/* Joins the texts of the units. */
static alc_status join_texts(const struct job *job, bool is_ir, char **out)
{
    size_t size = 1;
    for (uint32_t i = 0; i < job->units_count; i++) {
        const char *text = is_ir ? job->units[i].ir : job->units[i].assembly;
        size += text != NULL ? alc_string_length(text) : 0;
    }
    char *joined = malloc(size);
    if (joined == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    size = 0;
    for (uint32_t i = 0; i < job->units_count; i++) {
        const char *text = is_ir ? job->units[i].ir : job->units[i].assembly;
        size_t length = text != NULL ? alc_string_length(text) : 0;
        alc_copy(joined + size, text, length);
        size += length;
    }
    joined[size] = '\0';
    *out = joined;
    return ALC_OK;
}

static alc_status make_image(const struct job *job, struct alc_compiled *out,
                             struct alc_error *error)
{
    struct alc_native_image *image = &out->image;
    struct alc_object *objects = calloc((size_t)job->units_count + 1, sizeof *objects);
    if (objects == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < job->units_count; i++) {
        objects[i] = job->units[i].object;
    }
    image->shape = job->target->shape;
    image->features = job->options->features;
    image->options = job->options->options;
    image->module = job->module->bytes;
    image->module_size = job->module->size;
    uint32_t helpers_count = job->has_helpers ? ALC_HELPERS_COUNT : 0;
    alc_status status = alc_place(job->module, job->target->shape, objects, job->units_count,
                                  helpers_count, image, error);
    free(objects);
    ALC_TRY(status);
    if ((job->options->keep & ALC_COMPILE_KEEP_IR) != 0) {
        ALC_TRY(join_texts(job, true, &out->ir));
    }
    if ((job->options->keep & ALC_COMPILE_KEEP_ASSEMBLY) != 0) {
        ALC_TRY(join_texts(job, false, &out->assembly));
    }
    return image->shape == ALC_NATIVE_CONFINED ? verify(job, image, error) : ALC_OK;
}

static alc_status choose_shape(struct job *job, struct alc_error *error)
{
    enum alc_native_shape shape = ALC_NATIVE_CHECKED;
    if (job->options->shape != ALC_COMPILE_CHECKED) {
        const char *reason = alc_compile_unconfined(job->module);
        if (reason != NULL && job->options->shape == ALC_COMPILE_CONFINED) {
            return alc_fail_with(error, ALC_E_NATIVE_REFUSED, ALC_NO_OFFSET, reason);
        }
        shape = reason == NULL ? ALC_NATIVE_CONFINED : ALC_NATIVE_CHECKED;
    }
    job->target = alc_target_of(shape);
    return ALC_OK;
}

static void free_units(struct job *job)
{
    for (uint32_t i = 0; i < job->units_count; i++) {
        alc_object_free(&job->units[i].object);
        free(job->units[i].ir);
        free(job->units[i].assembly);
    }
    free(job->units);
}

alc_status alc_compile(const struct alc_module *module, const struct alc_compile_options *options,
                       struct alc_compiled *out, struct alc_error *error)
{
    struct alc_compile_options own = *options;
    struct job job = {.module = module, .options = &own, .error.offset = ALC_NO_OFFSET};
    *out = (struct alc_compiled){0};
    ALC_ASSERT(options->level <= ALC_COMPILE_LEVEL_MAX);
    alc_target_init();
    ALC_TRY(choose_shape(&job, error));
    if (job.target->shape == ALC_NATIVE_CHECKED && alc_shape_throws(module)) {
        own.options |= ALC_NATIVE_CATCHES;
    }
    (void)pthread_mutex_init(&job.lock, NULL);
    alc_status status = divide(&job);
    if (status == ALC_OK) {
        status = run_threads(&job);
    }
    if (status == ALC_OK && wants_helpers(&job)) {
        job.has_helpers = true;
        job.units_count++;
        status = run_threads(&job);
    }
    if (status != ALC_OK) {
        (void)alc_fail_with(error, status, job.error.offset, job.error.detail);
    }
    if (status == ALC_OK) {
        status = make_image(&job, out, error);
    }
    free_units(&job);
    (void)pthread_mutex_destroy(&job.lock);
    if (status != ALC_OK) {
        alc_compiled_free(out);
    }
    return status;
}

/* What alc_place made is the heap's; the module's bytes are not. */
static void free_borrowed(const void *memory)
{
    free((void *)(uintptr_t)memory);
}

void alc_compiled_free(struct alc_compiled *compiled)
{
    free_borrowed(compiled->image.code);
    free_borrowed(compiled->image.constants);
    free_borrowed(compiled->image.functions);
    free_borrowed(compiled->image.stubs);
    free_borrowed(compiled->image.lines);
    free(compiled->ir);
    free(compiled->assembly);
    *compiled = (struct alc_compiled){0};
}
