/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of writes and reads that makes a report.
 */
#include "cvm/tsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"

enum { TRIES = 3 };

/* A name that nobody else has; the generation tells when somebody has it all the same. */
static alc_status make_request(const struct alc_tsm_files *files, char name[ALC_TSM_NAME_SIZE_MAX])
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
        return ALC_E_IO_FAILED;
    }
    snprintf(name, ALC_TSM_NAME_SIZE_MAX, "alcove-%016llx", (unsigned long long)number);
    alc_status status = files->make(files->context, name);
    return status == ALC_E_NOT_FOUND ? ALC_E_NOT_SUPPORTED : status;
}

/* A word on a line of its own. */
static alc_status read_word(const struct alc_tsm_files *files, const char *name,
                            const char *attribute, char out[ALC_TSM_WORD_SIZE_MAX])
{
    size_t size;
    ALC_TRY(files->read(files->context, name, attribute, (uint8_t *)out, ALC_TSM_WORD_SIZE_MAX - 1,
                        &size));
    out[size] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return ALC_OK;
}

static alc_status read_generation(const struct alc_tsm_files *files, const char *name,
                                  uint64_t *out)
{
    char word[ALC_TSM_WORD_SIZE_MAX];
    char *end;
    ALC_TRY(read_word(files, name, "generation", word));
    *out = strtoull(word, &end, 10);
    return end != word && *end == '\0' ? ALC_OK : ALC_E_IO_FAILED;
}

static alc_status read_provider(const struct alc_tsm_files *files, const char *name,
                                enum alc_tsm_provider *out)
{
    char word[ALC_TSM_WORD_SIZE_MAX];
    ALC_TRY(read_word(files, name, "provider", word));
    *out = strcmp(word, "tdx_guest") == 0   ? ALC_TSM_TDX
           : strcmp(word, "sev_guest") == 0 ? ALC_TSM_SEV_SNP
                                            : ALC_TSM_OTHER;
    return ALC_OK;
}

/* Attributes that must be there are, or the directory is not what it seems. */
static alc_status demand_attribute(alc_status status)
{
    return status == ALC_E_NOT_FOUND || status == ALC_E_BAD_ARGUMENT ? ALC_E_IO_FAILED : status;
}

alc_status alc_tsm_find_provider(const struct alc_tsm_files *files, enum alc_tsm_provider *out)
{
    char name[ALC_TSM_NAME_SIZE_MAX];
    ALC_TRY(demand_attribute(make_request(files, name)));
    alc_status status = demand_attribute(read_provider(files, name, out));
    alc_status removed = files->remove(files->context, name);
    return status != ALC_OK ? status : demand_attribute(removed);
}

/* What the request gave. */
struct result {
    uint8_t bytes[ALC_TSM_REPORT_SIZE_MAX];
    size_t size;
    uint8_t auxiliary[ALC_TSM_REPORT_SIZE_MAX];
    size_t auxiliary_size;
};

/* *out_is_own: the generation counted our writes and no others. */
static alc_status fill(const struct alc_tsm_files *files, const char *name,
                       const struct alc_tsm_request *request, struct result *out, bool *out_is_own)
{
    uint64_t before;
    uint64_t after;
    uint64_t writes = 1;
    ALC_TRY(read_generation(files, name, &before));
    if (request->privilege != ALC_TSM_NO_PRIVILEGE) {
        const uint8_t digit = (uint8_t)('0' + request->privilege);
        ALC_TRY(files->write(files->context, name, "privlevel", &digit, 1));
        writes++;
    }
    ALC_TRY(files->write(files->context, name, "inblob", request->data, ALC_TSM_DATA_SIZE));
    ALC_TRY(
        files->read(files->context, name, "outblob", out->bytes, sizeof out->bytes, &out->size));
    alc_status status = files->read(files->context, name, "auxblob", out->auxiliary,
                                    sizeof out->auxiliary, &out->auxiliary_size);
    if (status == ALC_E_NOT_FOUND) { /* not every platform has something to add */
        out->auxiliary_size = 0;
        status = ALC_OK;
    }
    ALC_TRY(status);
    ALC_TRY(read_generation(files, name, &after));
    *out_is_own = after - before == writes;
    return out->size != 0 ? ALC_OK : ALC_E_IO_FAILED;
}

static alc_status try_once(const struct alc_tsm_files *files, const struct alc_tsm_request *request,
                           struct result *out, bool *out_is_own)
{
    char name[ALC_TSM_NAME_SIZE_MAX];
    *out_is_own = false;
    ALC_TRY(make_request(files, name));
    alc_status status = fill(files, name, request, out, out_is_own);
    alc_status removed = files->remove(files->context, name);
    return status != ALC_OK ? status : removed;
}

static alc_status append(struct alc_writer *writer, const uint8_t *bytes, size_t size)
{
    alc_write_bytes(writer, bytes, size);
    return writer->overflowed ? ALC_E_OUT_OF_MEMORY : ALC_OK;
}

alc_status alc_tsm_report(const struct alc_tsm_files *files, const struct alc_tsm_request *request,
                          struct alc_writer *out, struct alc_writer *out_auxiliary)
{
    struct result *result = malloc(sizeof *result);
    alc_status status = result == NULL ? ALC_E_OUT_OF_MEMORY : ALC_OK;
    bool is_own = false;
    ALC_ASSERT(request->privilege >= ALC_TSM_NO_PRIVILEGE && request->privilege <= 3);
    for (int i = 0; i < TRIES && status == ALC_OK && !is_own; i++) {
        status = demand_attribute(try_once(files, request, result, &is_own));
    }
    if (status == ALC_OK && !is_own) {
        status = ALC_E_IO_FAILED;
    }
    if (status == ALC_OK) {
        status = append(out, result->bytes, result->size);
    }
    if (status == ALC_OK && out_auxiliary != NULL) {
        status = append(out_auxiliary, result->auxiliary, result->auxiliary_size);
    }
    free(result);
    return status;
}
