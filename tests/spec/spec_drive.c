/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop over a stream of tests. All address space is reserved once and used again for every
 * test; what tests commit stays committed.
 */
#include "spec/spec_drive.h"

#include "base/bytes.h"
#include "base/writer.h"
#include "spec/spec_core.h"
#include "spec/spec_threads.h"

enum { REPORT_MAX = 2 << 20 };

struct drive {
    struct alc_os *os;
    struct alc_spec_space space;
    struct alc_arena state;  /* what the whole run needs */
    struct alc_arena stream; /* the test in progress */
    struct alc_spec_run *run;
    uint8_t *report; /* REPORT_MAX bytes */
};

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

static alc_status init_arena(struct alc_arena *arena, struct alc_os *os, size_t size)
{
    void *base = reserve_pages(os, size);
    if (base == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    alc_arena_init_reserved(arena, base, size, alc_os_commit, os);
    return ALC_OK;
}

static alc_status init_drive(struct drive *drive, struct alc_os *os,
                             const struct alc_spec_sizes *sizes)
{
    drive->os = os;
    ALC_TRY(init_arena(&drive->space.types, os, sizes->types_max));
    ALC_TRY(init_arena(&drive->space.modules, os, sizes->modules_max));
    ALC_TRY(init_arena(&drive->stream, os, sizes->stream_max));
    uint64_t state_size;
    if (!alc_align_up(ALC_SPEC_CREW_SIZE_MAX + sizeof(struct alc_spec_run) + REPORT_MAX + 4096,
                      4096, &state_size)) {
        return ALC_E_INTERNAL;
    }
    ALC_TRY(init_arena(&drive->state, os, state_size));
    drive->run = ALC_ARENA_NEW(&drive->state, struct alc_spec_run);
    drive->report = alc_arena_take(&drive->state, REPORT_MAX, 8);
    if (drive->run == NULL || drive->report == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    drive->space.pages = (struct alc_pages){.reserve = reserve_pages,
                                            .commit = alc_os_commit,
                                            .release = release_pages,
                                            .execute = alc_os_execute,
                                            .context = os,
                                            .native = sizes->engine->native};
    drive->space.engine = sizes->engine;
    drive->space.memory_reserve_max = sizes->memory_reserve_max;
    return alc_spec_crew_new(os, &drive->state, &drive->space, &drive->space.crew);
}

static void release_arena(struct alc_os *os, struct alc_arena *arena)
{
    if (arena->base != NULL) {
        release_pages(os, arena->base, arena->size);
    }
}

static void fini_drive(struct drive *drive)
{
    alc_spec_crew_fini(drive->space.crew);
    release_arena(drive->os, &drive->space.types);
    release_arena(drive->os, &drive->space.modules);
    release_arena(drive->os, &drive->stream);
    release_arena(drive->os, &drive->state);
}

/* Reads `size` bytes; fewer only at the end of the stream. */
static alc_status read_all(struct drive *drive, uint8_t *to, size_t size, size_t *out_size)
{
    size_t done = 0;
    while (done < size) {
        struct alc_span span = {to + done, size - done};
        int64_t got = drive->os->operations->read(drive->os->context, ALC_OS_MODULE, &span, 1);
        if (got < 0 || (uint64_t)got > size - done) {
            return ALC_E_IO_FAILED;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    *out_size = done;
    return ALC_OK;
}

static alc_status write_all(struct drive *drive, uint8_t *from, size_t size)
{
    size_t done = 0;
    while (done < size) {
        struct alc_span span = {from + done, size - done};
        int64_t put = drive->os->operations->write(drive->os->context, ALC_OS_OUTCOME, &span, 1);
        if (put <= 0 || (uint64_t)put > size - done) {
            return ALC_E_IO_FAILED;
        }
        done += (size_t)put;
    }
    return ALC_OK;
}

/* Takes `size` bytes of the stream into memory. */
static alc_status take_bytes(struct drive *drive, size_t size, uint8_t **out)
{
    *out = alc_arena_take(&drive->stream, size, 8);
    if (*out == NULL) {
        return ALC_E_OUT_OF_MEMORY;
    }
    size_t got;
    ALC_TRY(read_all(drive, *out, size, &got));
    return got == size ? ALC_OK : ALC_E_UNEXPECTED_END;
}

static alc_status write_report(struct drive *drive, uint8_t *name, uint32_t name_size)
{
    uint8_t header[ALC_SPEC_REPORT_HEADER_SIZE];
    struct alc_writer writer;
    alc_writer_init(&writer, header, sizeof header);
    alc_write_u32(&writer, ALC_SPEC_REPORT_MAGIC);
    alc_write_u32(&writer, name_size);
    alc_write_u32(&writer, (uint32_t)drive->space.report.pos);
    ALC_TRY(alc_writer_finish(&writer));
    ALC_TRY(write_all(drive, header, sizeof header));
    ALC_TRY(write_all(drive, name, name_size));
    return write_all(drive, drive->report, drive->space.report.pos);
}

static alc_status run_one(struct drive *drive, const uint8_t *header)
{
    struct alc_reader reader;
    struct alc_spec_test test;
    uint32_t magic;
    uint32_t name_size;
    uint32_t commands_size;
    uint8_t *name;
    uint8_t *commands;
    alc_reader_init(&reader, header, ALC_SPEC_TEST_HEADER_SIZE, NULL);
    ALC_TRY(alc_read_u32(&reader, &magic));
    ALC_TRY(alc_read_u32(&reader, &name_size));
    ALC_TRY(alc_read_u32(&reader, &commands_size));
    ALC_TRY(alc_read_u32(&reader, &test.flags));
    ALC_TRY(alc_read_u64(&reader, &test.features));
    if (magic != ALC_SPEC_TEST_MAGIC || name_size > ALC_SPEC_NAME_SIZE_MAX) {
        return ALC_E_BAD_ARGUMENT;
    }
    ALC_TRY(take_bytes(drive, name_size, &name));
    ALC_TRY(take_bytes(drive, commands_size, &commands));
    test.commands = commands;
    test.commands_size = commands_size;
    alc_writer_init(&drive->space.report, drive->report, REPORT_MAX);
    ALC_TRY(alc_spec_run_test(drive->run, &drive->space, &test));
    return write_report(drive, name, name_size);
}

static alc_status run_all(struct drive *drive)
{
    for (;;) {
        uint8_t header[ALC_SPEC_TEST_HEADER_SIZE];
        size_t got;
        ALC_TRY(read_all(drive, header, sizeof header, &got));
        if (got == 0) {
            return ALC_OK;
        }
        if (got != sizeof header) {
            return ALC_E_UNEXPECTED_END;
        }
        ALC_TRY(run_one(drive, header));
        alc_arena_reset(&drive->space.types, 0);
        alc_arena_reset(&drive->space.modules, 0);
        alc_arena_reset(&drive->stream, 0);
    }
}

alc_status alc_spec_drive(struct alc_os *os, const struct alc_spec_sizes *sizes)
{
    struct drive drive = {0};
    alc_status status = init_drive(&drive, os, sizes);
    if (status == ALC_OK) {
        status = run_all(&drive);
    }
    fini_drive(&drive);
    return status;
}
