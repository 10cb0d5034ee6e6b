/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest's codec. Decoding trusts nothing; it accepts exactly what encoding produces.
 */
#include "workload/manifest.h"

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/limits.h"

/* Of every manifest; one with compiled code has KEY_NATIVE behind them, one with settings of
 * services KEY_SERVICES. */
enum { MANIFEST_VERSION = 1, KEYS_COUNT = 7 };

enum manifest_key {
    KEY_VERSION,
    KEY_MODULE_SHA256,
    KEY_ARGUMENTS,
    KEY_ENVIRONMENT,
    KEY_MOUNTS,
    KEY_SOCKETS,
    KEY_LIMITS,
    KEY_NATIVE,
    KEY_SERVICES,
};

/* The members of struct alc_workload_limits in the order of their keys. */
enum { LIMITS_COUNT = 3 };
static uint64_t *limit_at(struct alc_workload_limits *limits, size_t key)
{
    uint64_t *const members[LIMITS_COUNT] = {&limits->fuel, &limits->memory_size,
                                             &limits->timeout_ns};
    return members[key];
}

static void write_strings(struct alc_writer *writer, const struct alc_string *strings, size_t count)
{
    alc_cbor_write_array(writer, count);
    for (size_t i = 0; i < count; i++) {
        alc_cbor_write_bytes(writer, strings[i].bytes, strings[i].size);
    }
}

static void write_limits(struct alc_writer *writer, struct alc_workload_limits limits)
{
    size_t count = 0;
    for (size_t key = 0; key < LIMITS_COUNT; key++) {
        count += *limit_at(&limits, key) != 0;
    }
    alc_cbor_write_map(writer, count);
    for (size_t key = 0; key < LIMITS_COUNT; key++) {
        if (*limit_at(&limits, key) != 0) {
            alc_cbor_write_uint(writer, key);
            alc_cbor_write_uint(writer, *limit_at(&limits, key));
        }
    }
}

static size_t count_services(const struct alc_manifest *manifest)
{
    size_t count = 0;
    for (size_t i = 0; i < ALC_SERVICES; i++) {
        count += manifest->services[i].size != 0;
    }
    return count;
}

static void write_services(struct alc_writer *writer, const struct alc_manifest *manifest)
{
    alc_cbor_write_uint(writer, KEY_SERVICES);
    alc_cbor_write_map(writer, count_services(manifest));
    for (size_t i = 0; i < ALC_SERVICES; i++) {
        if (manifest->services[i].size != 0) {
            alc_cbor_write_uint(writer, i);
            alc_cbor_write_bytes(writer, manifest->services[i].bytes, manifest->services[i].size);
        }
    }
}

static void write_native(struct alc_writer *writer, const struct alc_manifest *manifest)
{
    bool names_key = manifest->native_flags == ALC_NATIVE_VOUCHED_BY_KEY;
    alc_cbor_write_uint(writer, KEY_NATIVE);
    alc_cbor_write_array(writer, names_key ? 3 : 2);
    alc_cbor_write_bytes(writer, manifest->native_sha256, ALC_SHA256_SIZE);
    alc_cbor_write_uint(writer, manifest->native_flags);
    if (names_key) {
        alc_cbor_write_bytes(writer, manifest->voucher_key_sha256, ALC_SHA256_SIZE);
    }
}

alc_status alc_manifest_encode(const struct alc_manifest *manifest, uint8_t *bytes, size_t size,
                               size_t *out_size)
{
    struct alc_writer writer;
    alc_writer_init(&writer, bytes, size);
    const bool has_services = count_services(manifest) != 0;
    alc_cbor_write_map(&writer,
                       KEYS_COUNT + (manifest->has_native ? 1u : 0u) + (has_services ? 1u : 0u));
    alc_cbor_write_uint(&writer, KEY_VERSION);
    alc_cbor_write_uint(&writer, MANIFEST_VERSION);
    alc_cbor_write_uint(&writer, KEY_MODULE_SHA256);
    alc_cbor_write_bytes(&writer, manifest->module_sha256, ALC_SHA256_SIZE);
    alc_cbor_write_uint(&writer, KEY_ARGUMENTS);
    write_strings(&writer, manifest->arguments, manifest->arguments_count);
    alc_cbor_write_uint(&writer, KEY_ENVIRONMENT);
    write_strings(&writer, manifest->environment, manifest->environment_count);
    alc_cbor_write_uint(&writer, KEY_MOUNTS);
    alc_cbor_write_array(&writer, manifest->mounts_count);
    for (size_t i = 0; i < manifest->mounts_count; i++) {
        const struct alc_mount *mount = &manifest->mounts[i];
        alc_cbor_write_array(&writer, 2);
        alc_cbor_write_bytes(&writer, mount->guest_path.bytes, mount->guest_path.size);
        alc_cbor_write_uint(&writer, mount->flags);
    }
    alc_cbor_write_uint(&writer, KEY_SOCKETS);
    alc_cbor_write_uint(&writer, manifest->sockets_count);
    alc_cbor_write_uint(&writer, KEY_LIMITS);
    write_limits(&writer, manifest->limits);
    if (manifest->has_native) {
        write_native(&writer, manifest);
    }
    if (has_services) {
        write_services(&writer, manifest);
    }
    *out_size = writer.pos;
    return alc_writer_finish(&writer) == ALC_OK && writer.pos <= ALC_LIMIT_MANIFEST_SIZE
               ? ALC_OK
               : ALC_E_BAD_MANIFEST;
}

static alc_status read_strings(struct alc_arena *arena, struct alc_reader *reader,
                               struct alc_string **out, size_t *out_count)
{
    size_t count;
    ALC_TRY(alc_cbor_read_array(reader, ALC_LIMIT_WASI_ARGUMENTS_SIZE, &count));
    struct alc_string *strings = ALC_ARENA_ARRAY(arena, struct alc_string, count);
    if (strings == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        ALC_TRY(alc_cbor_read_bytes(reader, &strings[i].bytes, &strings[i].size));
    }
    *out = strings;
    *out_count = count;
    return ALC_OK;
}

static alc_status read_mount(struct alc_reader *reader, struct alc_mount *out)
{
    size_t count;
    uint64_t flags;
    ALC_TRY(alc_cbor_read_array(reader, 2, &count));
    if (count != 2) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    ALC_TRY(alc_cbor_read_bytes(reader, &out->guest_path.bytes, &out->guest_path.size));
    ALC_TRY(alc_cbor_read_uint(reader, &flags));
    if ((flags & ~(uint64_t)ALC_MOUNT_ALL) != 0) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    out->flags = (uint32_t)flags;
    return ALC_OK;
}

static alc_status read_mounts(struct alc_arena *arena, struct alc_reader *reader,
                              struct alc_manifest *out)
{
    ALC_TRY(alc_cbor_read_array(reader, ALC_LIMIT_WASI_DESCRIPTORS, &out->mounts_count));
    out->mounts = ALC_ARENA_ARRAY(arena, struct alc_mount, out->mounts_count);
    if (out->mounts == NULL) {
        return alc_reader_fail(reader, ALC_E_OUT_OF_MEMORY);
    }
    for (size_t i = 0; i < out->mounts_count; i++) {
        ALC_TRY(read_mount(reader, &out->mounts[i]));
    }
    return ALC_OK;
}

static alc_status read_limits(struct alc_reader *reader, struct alc_workload_limits *out)
{
    size_t count;
    int64_t previous = -1;
    ALC_TRY(alc_cbor_read_map(reader, LIMITS_COUNT, &count));
    for (size_t i = 0; i < count; i++) {
        uint64_t key;
        ALC_TRY(alc_cbor_read_key(reader, &previous, &key));
        if (key >= LIMITS_COUNT) {
            return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
        }
        uint64_t *limit = limit_at(out, (size_t)key);
        ALC_TRY(alc_cbor_read_uint(reader, limit));
        if (*limit == 0) {
            return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
        }
    }
    return ALC_OK;
}

static ALC_ALWAYS_INLINE alc_status read_hash(struct alc_reader *reader,
                                              uint8_t out[ALC_SHA256_SIZE])
{
    const uint8_t *hash;
    size_t size;
    ALC_TRY(alc_cbor_read_bytes(reader, &hash, &size));
    if (size != ALC_SHA256_SIZE) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    alc_copy(out, hash, ALC_SHA256_SIZE);
    return ALC_OK;
}

static alc_status read_uint_between(struct alc_reader *reader, uint64_t min, uint64_t max,
                                    uint32_t *out)
{
    uint64_t value;
    ALC_TRY(alc_cbor_read_uint(reader, &value));
    if (value < min || value > max) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    *out = (uint32_t)value;
    return ALC_OK;
}

static alc_status read_member(struct alc_arena *arena, struct alc_reader *reader,
                              enum manifest_key key, struct alc_manifest *out)
{
    uint32_t version;
    switch (key) {
    case KEY_VERSION:
        return read_uint_between(reader, MANIFEST_VERSION, MANIFEST_VERSION, &version);
    case KEY_MODULE_SHA256:
        return read_hash(reader, out->module_sha256);
    case KEY_ARGUMENTS:
        return read_strings(arena, reader, &out->arguments, &out->arguments_count);
    case KEY_ENVIRONMENT:
        return read_strings(arena, reader, &out->environment, &out->environment_count);
    case KEY_MOUNTS:
        return read_mounts(arena, reader, out);
    case KEY_SOCKETS:
        return read_uint_between(reader, 0, ALC_LIMIT_WASI_DESCRIPTORS, &out->sockets_count);
    case KEY_LIMITS:
        return read_limits(reader, &out->limits);
    case KEY_NATIVE:
    case KEY_SERVICES:
    default:
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
}

/* The common keys. Inline: a plain image has one caller. */
static ALC_ALWAYS_INLINE alc_status read_common(struct alc_arena *arena, struct alc_reader *reader,
                                                struct alc_manifest *out)
{
    /* All keys are there, so the next one is always the loop's number. */
    for (uint64_t expected = 0; expected < KEYS_COUNT; expected++) {
        uint64_t key;
        ALC_TRY(alc_cbor_read_uint(reader, &key));
        if (key != expected) {
            return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
        }
        ALC_TRY(read_member(arena, reader, (enum manifest_key)key, out));
    }
    return ALC_OK;
}

/* The head of a manifest of exactly `count` keys. */
static ALC_ALWAYS_INLINE alc_status read_head(struct alc_reader *reader, size_t count,
                                              struct alc_manifest *out)
{
    size_t actual;
    *out = (struct alc_manifest){0};
    ALC_TRY(alc_cbor_read_map(reader, count, &actual));
    return actual == count ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
}

static alc_status read_native(struct alc_reader *reader, struct alc_manifest *out)
{
    size_t count;
    uint32_t key;
    ALC_TRY(read_uint_between(reader, KEY_NATIVE, KEY_NATIVE, &key));
    ALC_TRY(alc_cbor_read_array(reader, 3, &count));
    ALC_TRY(read_hash(reader, out->native_sha256));
    ALC_TRY(read_uint_between(reader, 0, ALC_NATIVE_VOUCHED_BY_KEY, &out->native_flags));
    if (count != (out->native_flags == ALC_NATIVE_VOUCHED_BY_KEY ? 3 : 2)) {
        return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
    }
    if (count == 3) {
        ALC_TRY(read_hash(reader, out->voucher_key_sha256));
    }
    out->has_native = true;
    return ALC_OK;
}

static ALC_ALWAYS_INLINE alc_status read_end(struct alc_reader *reader)
{
    return alc_reader_at_end(reader) ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
}

alc_status alc_manifest_decode(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                               struct alc_manifest *out, struct alc_error *error)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, error);
    ALC_TRY(read_head(&reader, KEYS_COUNT, out));
    ALC_TRY(read_common(arena, &reader, out));
    return read_end(&reader);
}

alc_status alc_manifest_decode_native(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                                      struct alc_manifest *out, struct alc_error *error)
{
    struct alc_reader reader;
    alc_reader_init(&reader, bytes, size, error);
    ALC_TRY(read_head(&reader, KEYS_COUNT + 1, out));
    ALC_TRY(read_common(arena, &reader, out));
    ALC_TRY(read_native(&reader, out));
    return read_end(&reader);
}

/* -- with settings of services -- */

static alc_status read_services(struct alc_reader *reader, struct alc_manifest *out)
{
    size_t count;
    uint32_t key;
    int64_t previous = -1;
    ALC_TRY(read_uint_between(reader, KEY_SERVICES, KEY_SERVICES, &key));
    ALC_TRY(alc_cbor_read_map(reader, ALC_SERVICES, &count));
    for (size_t i = 0; i < count; i++) {
        uint64_t service;
        ALC_TRY(alc_cbor_read_key(reader, &previous, &service));
        if (service >= ALC_SERVICES) {
            return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
        }
        struct alc_string *settings = &out->services[service];
        ALC_TRY(alc_cbor_read_bytes(reader, &settings->bytes, &settings->size));
        if (settings->size == 0) {
            return alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
        }
    }
    return count != 0 ? ALC_OK : alc_reader_fail(reader, ALC_E_BAD_MANIFEST);
}

static alc_status decode_services(struct alc_arena *arena, const struct alc_string *bytes,
                                  bool has_native, struct alc_manifest *out,
                                  struct alc_error *error)
{
    const size_t least = KEYS_COUNT + (has_native ? 1u : 0u);
    struct alc_reader reader;
    size_t count;
    *out = (struct alc_manifest){0};
    alc_reader_init(&reader, bytes->bytes, bytes->size, error);
    ALC_TRY(alc_cbor_read_map(&reader, least + 1, &count));
    if (count < least) {
        return alc_reader_fail(&reader, ALC_E_BAD_MANIFEST);
    }
    ALC_TRY(read_common(arena, &reader, out));
    if (has_native) {
        ALC_TRY(read_native(&reader, out));
    }
    if (count > least) {
        ALC_TRY(read_services(&reader, out));
    }
    return read_end(&reader);
}

alc_status alc_manifest_decode_services(struct alc_arena *arena, const uint8_t *bytes, size_t size,
                                        struct alc_manifest *out, struct alc_error *error)
{
    return decode_services(arena, &(struct alc_string){bytes, size}, false, out, error);
}

alc_status alc_manifest_decode_native_services(struct alc_arena *arena, const uint8_t *bytes,
                                               size_t size, struct alc_manifest *out,
                                               struct alc_error *error)
{
    return decode_services(arena, &(struct alc_string){bytes, size}, true, out, error);
}
