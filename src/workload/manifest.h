/* SPDX-License-Identifier: Apache-2.0
 *
 * The workload manifest: what is to run and how, in deterministic CBOR. Its SHA-256 is the workload
 * id. The host writes it, the enclave reads it; it is hostile input there.
 *
 *   manifest = { 0: version (1), 1: bstr .size 32 (SHA-256 of the module),
 *                2: [* bstr] arguments, the program's name first,
 *                3: [* bstr] environment, each "KEY=value",
 *                4: [* [bstr guest path, uint flags]] mounts, handle ALC_OS_FIRST_MOUNT + index,
 *                5: uint, sockets, handles behind those of the mounts; they listen, but for those
 *                   that attested/settings.h says are connected,
 *                6: { ? 0: fuel, ? 1: memory bytes, ? 2: timeout ns } limits,
 *                ? 7: [bstr .size 32 (native_sha256 of the image), uint flags,
 *                      ? bstr .size 32 (of the key whose voucher is asked for)] compiled code,
 *                ? 8: { + service => bstr } settings of services, each encoded as the service has
 * it }
 *
 * A manifest with key 7 is for compiled code: what the program is called (key 1) and which code
 * stands for it. One with key 8 is for those who have services (services/).
 */
#ifndef ALC_WORKLOAD_MANIFEST_H
#define ALC_WORKLOAD_MANIFEST_H

#include "base/arena.h"
#include "base/sha256.h"

/* Counted bytes, borrowed. */
struct alc_string {
    const uint8_t *bytes;
    size_t size;
};

enum alc_mount_flags {
    ALC_MOUNT_READ_ONLY = 1 << 0,
    /* The directory holds a sealed store (seal/): refused by whoever cannot open it. */
    ALC_MOUNT_SEALED = 1 << 1,
    /* The mount is a directory in memory, empty at first and forgotten at the end. */
    ALC_MOUNT_MEMORY = 1 << 2,
    /* The mount is a file, an archive with a digest (archive/). Its hash tree is granted behind the
     * sockets, those of all archives in the order of the mounts. */
    ALC_MOUNT_ARCHIVE = 1 << 3,
    ALC_MOUNT_ALL = (1 << 4) - 1,
};

/* Whose settings a manifest can carry. */
enum alc_service {
    ALC_SERVICE_MOUNTS,           /* mounts/settings.h */
    ALC_SERVICE_MOUNT_KEY,        /* broker_keys/broker_keys.h */
    ALC_SERVICE_ATTESTED_SOCKETS, /* attested/settings.h */
    ALC_SERVICE_TRANSFER_KEY,     /* as ALC_SERVICE_MOUNT_KEY; mounts/upkeep.h */
    ALC_SERVICES,
};

struct alc_mount {
    struct alc_string guest_path;
    uint32_t flags;
};

enum alc_native_manifest_flags {
    /* The manifest vouches for the code, so that it may run without being confined. */
    ALC_NATIVE_VOUCHED = 1 << 0,
    /* The image must have a voucher by the key that the manifest names (voucher/voucher.h); then
     * the same. Not together with the other. */
    ALC_NATIVE_VOUCHED_BY_KEY = 1 << 1,
};

/* A limit of 0 means: not set. */
struct alc_workload_limits {
    uint64_t fuel;
    uint64_t memory_size; /* bytes that each linear memory may grow to */
    uint64_t timeout_ns; /* kept by whoever holds the stop flag; here only so that it is measured */
};

struct alc_manifest {
    uint8_t module_sha256[ALC_SHA256_SIZE];
    struct alc_string *arguments;
    size_t arguments_count;
    struct alc_string *environment;
    size_t environment_count;
    struct alc_mount *mounts;
    size_t mounts_count;
    uint32_t sockets_count;
    struct alc_workload_limits limits;
    /* Compiled code, if has_native. */
    bool has_native;
    uint8_t native_sha256[ALC_SHA256_SIZE];      /* struct alc_native_image */
    uint32_t native_flags;                       /* enum alc_native_manifest_flags */
    uint8_t voucher_key_sha256[ALC_SHA256_SIZE]; /* with ALC_NATIVE_VOUCHED_BY_KEY */
    struct alc_string services[ALC_SERVICES];    /* settings; empty: none */
};

/* Writes the manifest; *out_size is the size needed, also when `size` was too small (then the
 * result is ALC_E_BAD_MANIFEST). */
ALC_MUST_CHECK alc_status alc_manifest_encode(const struct alc_manifest *manifest, uint8_t *bytes,
                                              size_t size, size_t *out_size);
/* Arrays come from `arena`, strings are borrowed from `bytes`. Refuses anything that encoding the
 * result again would not reproduce. */
ALC_MUST_CHECK alc_status alc_manifest_decode(struct alc_arena *arena, const uint8_t *bytes,
                                              size_t size, struct alc_manifest *out,
                                              struct alc_error *error);
/* The same for a manifest with compiled code; each refuses what is the other's. */
ALC_MUST_CHECK alc_status alc_manifest_decode_native(struct alc_arena *arena, const uint8_t *bytes,
                                                     size_t size, struct alc_manifest *out,
                                                     struct alc_error *error);
/* The same two for manifests that may have settings of services, which the others refuse. */
ALC_MUST_CHECK alc_status alc_manifest_decode_services(struct alc_arena *arena,
                                                       const uint8_t *bytes, size_t size,
                                                       struct alc_manifest *out,
                                                       struct alc_error *error);
ALC_MUST_CHECK alc_status alc_manifest_decode_native_services(struct alc_arena *arena,
                                                              const uint8_t *bytes, size_t size,
                                                              struct alc_manifest *out,
                                                              struct alc_error *error);

#endif
