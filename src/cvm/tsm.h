/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports of a confidential virtual machine through the kernel's configfs-tsm (Linux 6.7,
 * Documentation/ABI/testing/configfs-tsm): a directory for each request, whose files are its
 * parts. The kernel is the guest's own and trusted; the report comes from the platform and is the
 * verifier's to judge.
 */
#ifndef ALC_CVM_TSM_H
#define ALC_CVM_TSM_H

#include "base/status.h"
#include "base/writer.h"

enum { ALC_TSM_DATA_SIZE = 64, ALC_TSM_NAME_SIZE_MAX = 32, ALC_TSM_WORD_SIZE_MAX = 32 };
/* Of a report; the kernel's own bound is 32 KiB. */
enum { ALC_TSM_REPORT_SIZE_MAX = 64 << 10 };
enum { ALC_TSM_NO_PRIVILEGE = -1 };

/* The directory of requests, as functions, so that tests can have one. Names are those of a request
 * and of an attribute of it. ALC_E_NOT_FOUND: it is not there; ALC_E_BAD_ARGUMENT: it exists
 * already, or a value was refused; ALC_E_IO_FAILED. */
struct alc_tsm_files {
    alc_status (*make)(void *context, const char *request);
    alc_status (*remove)(void *context, const char *request);
    alc_status (*write)(void *context, const char *request, const char *attribute,
                        const uint8_t *bytes, size_t size);
    /* At most `max` bytes: ALC_E_IO_FAILED when there are more. */
    alc_status (*read)(void *context, const char *request, const char *attribute, uint8_t *bytes,
                       size_t max, size_t *out_size);
    void *context;
};

#define ALC_TSM_FOLDER "/sys/kernel/config/tsm/report"
/* Over a folder of the file system; `folder` is borrowed. */
void alc_tsm_files_init(struct alc_tsm_files *files, const char *folder);

/* Who makes the reports. */
enum alc_tsm_provider {
    ALC_TSM_TDX,     /* "tdx_guest": quotes of TDX */
    ALC_TSM_SEV_SNP, /* "sev_guest": reports of SEV-SNP */
    ALC_TSM_OTHER,
};

/* ALC_E_NOT_SUPPORTED when there is no such directory; ALC_E_IO_FAILED when it does not do what it
 * should. */
ALC_MUST_CHECK alc_status alc_tsm_find_provider(const struct alc_tsm_files *files,
                                                enum alc_tsm_provider *out);

struct alc_tsm_request {
    const uint8_t *data; /* ALC_TSM_DATA_SIZE bytes */
    int privilege;       /* 0 to 3 (SEV-SNP's VMPL), or ALC_TSM_NO_PRIVILEGE: the kernel's choice */
};

/* Appends the report to `out` and what the platform gave with it (SEV-SNP: a table of certificates)
 * to `out_auxiliary`, unless that is NULL. Nobody else had a part in the request: its generation is
 * that of the writes made here, or another request is tried. Statuses as above; ALC_E_OUT_OF_MEMORY
 * when a writer is too small. Nothing stays in the directory. */
ALC_MUST_CHECK alc_status alc_tsm_report(const struct alc_tsm_files *files,
                                         const struct alc_tsm_request *request,
                                         struct alc_writer *out, struct alc_writer *out_auxiliary);

#endif
