/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that `alcove verify` is given. All of them are small; what is larger than it can be is
 * refused before it is read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attest/evidence_file.h"
#include "base/limits.h"
#include "cli_attest/judgement.h"

/* RFC 8949, 3.1; no quote and no report begins with it. */
enum { CBOR_MAJOR_TAG = 6 };
enum { MEMORY_SIZE = 8 << 20, COLLATERAL_SIZE_MAX = 1 << 20, PATH_SIZE = 4096 };

struct alc_arena *judgement_arena(void)
{
    static struct alc_arena arena;
    if (arena.base == NULL) {
        alc_arena_init(&arena, cli_allocate(MEMORY_SIZE), MEMORY_SIZE);
    }
    return &arena;
}

static struct alc_text read_bounded(const char *path, size_t size_max)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
        (uint64_t)status.st_size > size_max) {
        cli_die(CLI_USAGE, "%s: %llu bytes, at most %zu", path, (unsigned long long)status.st_size,
                size_max);
    }
    const struct cli_file file = cli_read_file(path);
    return (struct alc_text){file.bytes, file.size};
}

/* A reader over a file, whose errors go to `error`. */
static struct alc_reader open_reader(const struct alc_text *text, struct alc_error *error)
{
    struct alc_reader reader;
    alc_error_clear(error);
    alc_reader_init(&reader, text->bytes, text->size, error);
    return reader;
}

/* Ends the process unless `status` is good. */
static void demand(const char *path, alc_status status, struct alc_error *error)
{
    if (status != ALC_OK) {
        (void)alc_fail(error, status, ALC_NO_OFFSET); /* unless it was said already */
        (void)cli_report_error(path, error);
        exit(CLI_USAGE);
    }
}

static void read_object(struct judgement *judgement, const char *path, const struct alc_text *text)
{
    static struct alc_pcs_collateral pcs;
    static struct alc_kds_collateral kds;
    const struct alc_text *evidence = &judgement->appraisal.evidence;
    struct alc_error error;
    struct alc_reader reader = open_reader(text, &error);
    if (alc_snp_is_report(evidence->bytes, evidence->size)) {
        demand(path, alc_kds_collateral_read(judgement_arena(), &reader, &kds), &error);
        judgement->appraisal.collateral = (struct alc_collateral){.kds = &kds};
    } else {
        demand(path, alc_pcs_collateral_read(judgement_arena(), &reader, &pcs), &error);
        judgement->appraisal.collateral = (struct alc_collateral){.pcs = &pcs};
    }
}

/* Evidence with the claims that it binds, and perhaps collateral. */
static void read_tagged(struct judgement *judgement, const char *path, const struct alc_text *bytes)
{
    struct alc_error error;
    struct alc_evidence_file file;
    struct alc_reader reader = open_reader(bytes, &error);
    demand(path, alc_evidence_file_read(&reader, &file), &error);
    if (file.tagged.tag != ALC_EVIDENCE_TAG_QUOTE && file.tagged.tag != ALC_EVIDENCE_TAG_SEV_SNP) {
        cli_die(CLI_REFUSED,
                "%s: evidence of kind %llu, which nobody but its own machine can judge", path,
                (unsigned long long)file.tagged.tag);
    }
    judgement->appraisal.evidence = file.tagged.evidence;
    judgement->appraisal.claims_buffer = file.tagged.claims;
    if (file.collateral.size != 0) {
        read_object(judgement, path, &file.collateral);
    }
}

void judgement_read_evidence(struct judgement *judgement, const char *path)
{
    const struct alc_text file = read_bounded(path, ALC_EVIDENCE_FILE_SIZE_MAX);
    judgement->evidence_path = path;
    judgement->evidence_size = file.size;
    if (file.size > 0 && file.bytes[0] >> 5 == CBOR_MAJOR_TAG) {
        read_tagged(judgement, path, &file);
    } else {
        judgement->appraisal.evidence = file;
    }
}

void judgement_read_policy(struct judgement *judgement, const char *path)
{
    struct alc_error error;
    const struct alc_text text = read_bounded(path, ALC_LIMIT_POLICY_SIZE);
    struct alc_reader reader = open_reader(&text, &error);
    judgement->policy_path = path;
    demand(path, alc_policy_read(judgement_arena(), &reader, &judgement->policy), &error);
}

/* -- a folder -- */

struct folder {
    const char *path;
    struct alc_pcs_collateral *pcs;
    struct alc_kds_collateral *kds;
    bool has_pcs;
    bool has_kds;
};

static alc_status read_tcb(struct alc_reader *reader, struct folder *folder)
{
    folder->has_pcs = true;
    return alc_pcs_read_tcb(reader, folder->pcs);
}

static alc_status read_qe_identity(struct alc_reader *reader, struct folder *folder)
{
    return alc_pcs_read_qe_identity(reader, folder->pcs);
}

static alc_status read_tcb_chain(struct alc_reader *reader, struct folder *folder)
{
    return alc_pcs_read_chain(judgement_arena(), reader, &folder->pcs->tcb_info_chain);
}

static alc_status read_qe_identity_chain(struct alc_reader *reader, struct folder *folder)
{
    return alc_pcs_read_chain(judgement_arena(), reader, &folder->pcs->qe_identity_chain);
}

static alc_status read_root_list(struct alc_reader *reader, struct folder *folder)
{
    return alc_pcs_read_list(judgement_arena(), reader, &folder->pcs->root_list);
}

static alc_status read_pck_list(struct alc_reader *reader, struct folder *folder)
{
    return alc_pcs_read_list(judgement_arena(), reader, &folder->pcs->pck_list);
}

static struct alc_text all_of(const struct alc_reader *reader)
{
    return (struct alc_text){reader->bytes, reader->size};
}

static alc_status read_endorsement_key(struct alc_reader *reader, struct folder *folder)
{
    if (folder->has_kds) {
        return alc_reader_fail(reader, ALC_E_BAD_COLLATERAL); /* VCEK and VLEK */
    }
    folder->has_kds = true;
    folder->kds->endorsement_key = all_of(reader);
    return ALC_OK;
}

static alc_status read_kds_chain(struct alc_reader *reader, struct folder *folder)
{
    folder->kds->chain = all_of(reader);
    return ALC_OK;
}

static alc_status read_kds_list(struct alc_reader *reader, struct folder *folder)
{
    folder->kds->revocation_list = all_of(reader);
    return ALC_OK;
}

/* Names are those of the services: the last word of an endpoint's path, or a header's name. */
static const struct {
    const char *name;
    alc_status (*read)(struct alc_reader *reader, struct folder *folder);
} folder_files[] = {
    {"tcb", read_tcb},
    {"TCB-Info-Issuer-Chain", read_tcb_chain},
    {"identity", read_qe_identity},
    {"SGX-Enclave-Identity-Issuer-Chain", read_qe_identity_chain},
    {"rootcacrl", read_root_list},
    {"pckcrl", read_pck_list},
    {"vcek", read_endorsement_key},
    {"vlek", read_endorsement_key},
    {"cert_chain", read_kds_chain},
    {"crl", read_kds_list},
};

static void read_folder(struct folder *folder)
{
    for (size_t i = 0; i < ALC_ARRAY_COUNT(folder_files); i++) {
        char path[PATH_SIZE];
        struct stat status;
        struct alc_error error;
        int size = snprintf(path, sizeof path, "%s/%s", folder->path, folder_files[i].name);
        if (size < 0 || (size_t)size >= sizeof path) {
            cli_die(CLI_USAGE, "%s: the path is too long", folder->path);
        }
        if (stat(path, &status) < 0 && errno == ENOENT) {
            continue;
        }
        const struct alc_text text = read_bounded(path, COLLATERAL_SIZE_MAX);
        struct alc_reader reader = open_reader(&text, &error);
        demand(path, folder_files[i].read(&reader, folder), &error);
    }
    if (!folder->has_pcs && !folder->has_kds) {
        cli_die(CLI_USAGE, "%s: has neither tcb (Intel's) nor vcek or vlek (AMD's)", folder->path);
    }
}

void judgement_read_collateral(struct judgement *judgement, const char *path)
{
    static struct alc_pcs_collateral pcs;
    static struct alc_kds_collateral kds;
    struct folder folder = {.path = path, .pcs = &pcs, .kds = &kds};
    struct stat status;
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
        const struct alc_text text = read_bounded(path, COLLATERAL_SIZE_MAX);
        read_object(judgement, path, &text);
        return;
    }
    read_folder(&folder);
    judgement->appraisal.collateral.pcs = folder.has_pcs ? &pcs : NULL;
    judgement->appraisal.collateral.kds = folder.has_kds ? &kds : NULL;
}
