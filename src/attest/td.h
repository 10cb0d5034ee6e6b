/* SPDX-License-Identifier: Apache-2.0
 *
 * What a TDX module says about a trust domain, as it lies in a quote: numbers are little-endian.
 * Layouts: Intel's TDX DCAP quote formats (sgx_quote_4.h, sgx_quote_5.h); attributes: TDX Module
 * ABI specification (348551), table of TD attributes.
 */
#ifndef ALC_ATTEST_TD_H
#define ALC_ATTEST_TD_H

#include "base/compiler.h"

enum { ALC_TD_MEASUREMENT_SIZE = 48, ALC_TD_SVN_SIZE = 16, ALC_TD_RTMRS = 4 };

#define ALC_TD_ATTRIBUTE_DEBUG UINT64_C(0x1)
#define ALC_TD_ATTRIBUTE_PROFILING UINT64_C(0x70) /* HGS+, performance, PMT: the host watches */
#define ALC_TD_ATTRIBUTE_SERVTD_EXT (UINT64_C(1) << 17)
#define ALC_TD_ATTRIBUTE_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define ALC_TD_ATTRIBUTE_MIGRATABLE (UINT64_C(1) << 29)
#define ALC_TD_ATTRIBUTE_PKS (UINT64_C(1) << 30)
#define ALC_TD_ATTRIBUTE_KEY_LOCKER (UINT64_C(1) << 31)
#define ALC_TD_ATTRIBUTE_PERFMON (UINT64_C(1) << 63)
/* Bits 1 to 3, 7 to 15, 23 to 26 and 32 to 61: a verifier must refuse them. */
#define ALC_TD_ATTRIBUTES_RESERVED UINT64_C(0x3fffffff0780ff8e)

/* Bytes only, so that it has no padding. A quote has the first 584 (TDX 1.0), 648 (TDX 1.5) or all
 * of them (1.5 with extensions). */
struct alc_td_report {
    uint8_t tee_tcb_svn[ALC_TD_SVN_SIZE]; /* at launch: module's SVN, its version, … */
    uint8_t mrseam[ALC_TD_MEASUREMENT_SIZE];
    uint8_t mrsignerseam[ALC_TD_MEASUREMENT_SIZE]; /* zeros: Intel's module */
    uint8_t seam_attributes[8];
    uint8_t attributes[8];
    uint8_t xfam[8];
    uint8_t mrtd[ALC_TD_MEASUREMENT_SIZE];
    uint8_t mrconfigid[ALC_TD_MEASUREMENT_SIZE];
    uint8_t mrowner[ALC_TD_MEASUREMENT_SIZE];
    uint8_t mrownerconfig[ALC_TD_MEASUREMENT_SIZE];
    uint8_t rtmrs[ALC_TD_RTMRS][ALC_TD_MEASUREMENT_SIZE];
    uint8_t report_data[64];
    /* -- TDX 1.5; zeros before -- */
    uint8_t tee_tcb_svn2[ALC_TD_SVN_SIZE];        /* now: a module can be updated under a domain */
    uint8_t mrservicetd[ALC_TD_MEASUREMENT_SIZE]; /* of the service domains bound to it; with
                                                     SERVTD_EXT of those at its creation */
    /* -- with extensions; zeros without -- */
    uint8_t vm_id;
    uint8_t td_id[32];
    uint8_t device_info[ALC_TD_MEASUREMENT_SIZE];
    uint8_t first_service_td_hash[ALC_TD_MEASUREMENT_SIZE]; /* at the domain's creation; so: */
    uint8_t first_service_td_attributes[8];
    uint8_t first_cpu_svn[16];
    uint8_t first_tee_tcb_svn[ALC_TD_SVN_SIZE];
    uint8_t first_fmspc[12];
    uint8_t service_td_hash[ALC_TD_MEASUREMENT_SIZE]; /* now */
    uint8_t service_td_attributes[8];
};
enum { ALC_TD_REPORT_10_SIZE = 584, ALC_TD_REPORT_15_SIZE = 648, ALC_TD_REPORT_15EX_SIZE = 885 };
_Static_assert(offsetof(struct alc_td_report, attributes) == 120, "sgx_quote_4.h");
_Static_assert(offsetof(struct alc_td_report, mrtd) == 136, "sgx_quote_4.h");
_Static_assert(offsetof(struct alc_td_report, rtmrs) == 328, "sgx_quote_4.h");
_Static_assert(offsetof(struct alc_td_report, tee_tcb_svn2) == ALC_TD_REPORT_10_SIZE,
               "sgx_quote_5.h");
_Static_assert(offsetof(struct alc_td_report, vm_id) == ALC_TD_REPORT_15_SIZE, "sgx_quote_5.h");
_Static_assert(offsetof(struct alc_td_report, service_td_hash) == 829, "sgx_quote_5.h");
_Static_assert(sizeof(struct alc_td_report) == ALC_TD_REPORT_15EX_SIZE, "sgx_quote_5.h");

#endif
