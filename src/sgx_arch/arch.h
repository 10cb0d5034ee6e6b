/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processor and SGX fix: structures, bits, instruction leaves and error codes (Intel SDM
 * volume 3D, chapters 35 to 40). Used by the code inside enclaves, the loader outside and the
 * emulator, so that the three cannot disagree. Layouts only: nothing here trusts or checks
 * anything.
 */
#ifndef ALC_SGX_ARCH_ARCH_H
#define ALC_SGX_ARCH_ARCH_H

#include "base/compiler.h"

enum {
    ALC_SGX_PAGE_SIZE = 4096,
    ALC_SGX_CHUNK_SIZE = 256, /* what one EEXTEND measures */
    ALC_SGX_KEY_SIZE = 16,
    ALC_SGX_HASH_SIZE = 32,
    ALC_SGX_CONFIG_ID_SIZE = 64,
    ALC_SGX_RSA_SIZE = 384, /* RSA-3072 */
};

/* -- ENCLU (user) and ENCLS (kernel) leaves, in EAX -- */
enum alc_sgx_enclu {
    ALC_SGX_EREPORT = 0,
    ALC_SGX_EGETKEY = 1,
    ALC_SGX_EENTER = 2,
    ALC_SGX_ERESUME = 3,
    ALC_SGX_EEXIT = 4,
    ALC_SGX_EACCEPT = 5,
    ALC_SGX_EMODPE = 6,
    ALC_SGX_EACCEPTCOPY = 7,
    ALC_SGX_EDECCSSA = 9,
};
enum alc_sgx_encls {
    ALC_SGX_ECREATE = 0,
    ALC_SGX_EADD = 1,
    ALC_SGX_EINIT = 2,
    ALC_SGX_EREMOVE = 3,
    ALC_SGX_EEXTEND = 6,
    ALC_SGX_EBLOCK = 9,
    ALC_SGX_ETRACK = 12,
    ALC_SGX_EAUG = 13,
    ALC_SGX_EMODPR = 14,
    ALC_SGX_EMODT = 15,
};

/* -- error codes in RAX -- */
enum alc_sgx_error {
    ALC_SGX_SUCCESS = 0,
    ALC_SGX_INVALID_SIG_STRUCT = 1,
    ALC_SGX_INVALID_ATTRIBUTE = 2,
    ALC_SGX_INVALID_MEASUREMENT = 4,
    ALC_SGX_EPC_PAGE_CONFLICT = 7,
    ALC_SGX_INVALID_SIGNATURE = 8,
    ALC_SGX_NOT_TRACKED = 11,
    ALC_SGX_CHILD_PRESENT = 13,
    ALC_SGX_ENCLAVE_ACTIVE = 14,
    ALC_SGX_INVALID_EINITTOKEN = 16,
    ALC_SGX_PAGE_ATTRIBUTES_MISMATCH = 19,
    ALC_SGX_PAGE_NOT_MODIFIABLE = 20,
    ALC_SGX_INVALID_CPUSVN = 32,
    ALC_SGX_INVALID_ISVSVN = 64,
    ALC_SGX_UNMASKED_EVENT = 128,
    ALC_SGX_INVALID_KEYNAME = 256,
};

/* -- attributes, MISCSELECT, XFRM -- */
#define ALC_SGX_ATTRIBUTE_INIT UINT64_C(0x1)
#define ALC_SGX_ATTRIBUTE_DEBUG UINT64_C(0x2)
#define ALC_SGX_ATTRIBUTE_MODE64 UINT64_C(0x4)
#define ALC_SGX_ATTRIBUTE_PROVISION UINT64_C(0x10)
#define ALC_SGX_ATTRIBUTE_EINITTOKEN UINT64_C(0x20)
#define ALC_SGX_ATTRIBUTE_CET UINT64_C(0x40)
#define ALC_SGX_ATTRIBUTE_KSS UINT64_C(0x80)
#define ALC_SGX_ATTRIBUTE_AEXNOTIFY UINT64_C(0x400)
#define ALC_SGX_ATTRIBUTES_KNOWN                                                                   \
    (ALC_SGX_ATTRIBUTE_INIT | ALC_SGX_ATTRIBUTE_DEBUG | ALC_SGX_ATTRIBUTE_MODE64 |                 \
     ALC_SGX_ATTRIBUTE_PROVISION | ALC_SGX_ATTRIBUTE_EINITTOKEN | ALC_SGX_ATTRIBUTE_CET |          \
     ALC_SGX_ATTRIBUTE_KSS | ALC_SGX_ATTRIBUTE_AEXNOTIFY)

#define ALC_SGX_MISC_EXINFO UINT32_C(0x1)

#define ALC_SGX_XFRM_LEGACY UINT64_C(0x3) /* x87 and SSE: always on */
#define ALC_SGX_XFRM_AVX UINT64_C(0x4)
#define ALC_SGX_XFRM_AVX512 UINT64_C(0xE0)

/* The flags word goes first in memory, XFRM second, wherever ATTRIBUTES appear. */
struct alc_sgx_attributes {
    uint64_t flags;
    uint64_t xfrm;
};

/* -- SECS: the enclave's control page -- */
struct alc_sgx_secs {
    uint64_t size;           /* bytes, a power of two */
    uint64_t base;           /* naturally aligned */
    uint32_t ssa_frame_size; /* pages */
    uint32_t miscselect;
    uint8_t reserved_24[24];
    struct alc_sgx_attributes attributes;
    uint8_t mrenclave[32];
    uint8_t reserved_96[32];
    uint8_t mrsigner[32];
    uint8_t reserved_160[32];
    uint64_t config_id[8];
    uint16_t isv_product_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t reserved_262[3834];
};
_Static_assert(sizeof(struct alc_sgx_secs) == 4096, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, attributes) == 48, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, mrenclave) == 64, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, mrsigner) == 128, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, config_id) == 192, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, isv_product_id) == 256, "SDM 35.7");
_Static_assert(offsetof(struct alc_sgx_secs, config_svn) == 260, "SDM 35.7");

/* -- TCS: one way in -- */
#define ALC_SGX_TCS_DBGOPTIN UINT64_C(0x1)
enum { ALC_SGX_TCS_LIMIT = 0xFFF }; /* FSLIMIT, GSLIMIT of a 64-bit enclave */

struct alc_sgx_tcs {
    uint64_t stage; /* the processor's own */
    uint64_t flags;
    uint64_t ssa_offset; /* of SSA frame 0, from the enclave's base */
    uint32_t current_ssa;
    uint32_t ssa_count;
    uint64_t entry_offset;
    uint64_t async_exit_pointer; /* the processor's own */
    uint64_t fs_offset;
    uint64_t gs_offset;
    uint32_t fs_limit;
    uint32_t gs_limit;
    uint64_t cet_ssa_offset;
    uint64_t previous_ssp;
    uint8_t reserved_88[4008];
};
_Static_assert(sizeof(struct alc_sgx_tcs) == 4096, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, ssa_offset) == 16, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, current_ssa) == 24, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, entry_offset) == 32, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, fs_offset) == 48, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, fs_limit) == 64, "SDM 35.8");
_Static_assert(offsetof(struct alc_sgx_tcs, reserved_88) == 88, "SDM 35.8");

/* -- SECINFO: what a page is -- */
#define ALC_SGX_PAGE_READ UINT64_C(0x1)
#define ALC_SGX_PAGE_WRITE UINT64_C(0x2)
#define ALC_SGX_PAGE_EXECUTE UINT64_C(0x4)
#define ALC_SGX_PAGE_PERMISSIONS UINT64_C(0x7)
#define ALC_SGX_PAGE_PENDING UINT64_C(0x8)
#define ALC_SGX_PAGE_MODIFIED UINT64_C(0x10)
#define ALC_SGX_PAGE_RESTRICTED UINT64_C(0x20)
#define ALC_SGX_PAGE_TYPE_MASK UINT64_C(0xFF00)
enum alc_sgx_page_type {
    ALC_SGX_PAGE_SECS = 0,
    ALC_SGX_PAGE_TCS = 1,
    ALC_SGX_PAGE_REGULAR = 2,
    ALC_SGX_PAGE_VERSIONS = 3,
    ALC_SGX_PAGE_TRIMMED = 4,
};
#define ALC_SGX_SECINFO_TYPE(type) ((uint64_t)(type) << 8)

struct alc_sgx_secinfo {
    uint64_t flags;
    uint64_t reserved[7];
} ALC_ALIGNED(64);
_Static_assert(sizeof(struct alc_sgx_secinfo) == 64, "SDM 35.11");

/* -- SSA frame: XSAVE area at the bottom, then at the very end EXINFO and the registers -- */
struct alc_sgx_exinfo {
    uint64_t fault_addr; /* MADDR */
    uint32_t error_code;
    uint32_t reserved;
};
_Static_assert(sizeof(struct alc_sgx_exinfo) == 16, "SDM 35.9.2");

struct alc_sgx_gprs {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags;
    uint64_t rip;
    uint64_t outside_rsp; /* URSP, URBP: the host's, to be given back by EEXIT */
    uint64_t outside_rbp;
    uint32_t exit_info;
    uint8_t reserved_164[3];
    uint8_t aex_notify;
    uint64_t fs_base;
    uint64_t gs_base;
};
_Static_assert(sizeof(struct alc_sgx_gprs) == 184, "SDM 35.9.1");
_Static_assert(offsetof(struct alc_sgx_gprs, rflags) == 128, "SDM 35.9.1");
_Static_assert(offsetof(struct alc_sgx_gprs, outside_rsp) == 144, "SDM 35.9.1");
_Static_assert(offsetof(struct alc_sgx_gprs, exit_info) == 160, "SDM 35.9.1");
_Static_assert(offsetof(struct alc_sgx_gprs, aex_notify) == 167, "SDM 35.9.1");
_Static_assert(offsetof(struct alc_sgx_gprs, fs_base) == 168, "SDM 35.9.1");

/* Distances of the two from the end of a frame. */
enum { ALC_SGX_SSA_GPRS_FROM_END = 184, ALC_SGX_SSA_EXINFO_FROM_END = 184 + 16 };

#define ALC_SGX_EXIT_INFO_VECTOR(exit_info) ((exit_info) & 0xFFu)
#define ALC_SGX_EXIT_INFO_TYPE(exit_info) (((exit_info) >> 8) & 0x7u)
#define ALC_SGX_EXIT_INFO_VALID UINT32_C(0x80000000)
enum { ALC_SGX_EXIT_TYPE_HARDWARE = 3, ALC_SGX_EXIT_TYPE_SOFTWARE = 6 };
enum alc_sgx_vector {
    ALC_SGX_VECTOR_DE = 0,
    ALC_SGX_VECTOR_DB = 1,
    ALC_SGX_VECTOR_BP = 3,
    ALC_SGX_VECTOR_BR = 5,
    ALC_SGX_VECTOR_UD = 6,
    ALC_SGX_VECTOR_GP = 13,
    ALC_SGX_VECTOR_PF = 14,
    ALC_SGX_VECTOR_MF = 16,
    ALC_SGX_VECTOR_AC = 17,
    ALC_SGX_VECTOR_XM = 19,
};
/* Page fault error code bits. */
enum {
    ALC_SGX_PF_PRESENT = 1 << 0,
    ALC_SGX_PF_WRITE = 1 << 1,
    ALC_SGX_PF_USER = 1 << 2,
    ALC_SGX_PF_FETCH = 1 << 4,
    ALC_SGX_PF_SGX = 1 << 15, /* the EPCM refused */
};

/* -- SIGSTRUCT: the signer's word about an enclave -- */
struct alc_sgx_sigstruct {
    /* signed */
    uint8_t header[16];
    uint32_t vendor; /* 0, or 0x8086 */
    uint32_t date;   /* BCD yyyymmdd */
    uint8_t header2[16];
    uint32_t software_defined;
    uint8_t reserved_44[84];
    /* the key */
    uint8_t modulus[ALC_SGX_RSA_SIZE]; /* little-endian, as all big numbers here */
    uint32_t exponent;                 /* 3 */
    uint8_t signature[ALC_SGX_RSA_SIZE];
    /* signed */
    uint32_t miscselect;
    uint32_t miscmask;
    uint8_t cet_attributes;
    uint8_t cet_attributes_mask;
    uint8_t reserved_910[2];
    uint8_t isv_family_id[16];
    struct alc_sgx_attributes attributes;
    struct alc_sgx_attributes attributes_mask;
    uint8_t enclave_hash[32];
    uint8_t reserved_992[16];
    uint8_t isv_extended_product_id[16];
    uint16_t isv_product_id;
    uint16_t isv_svn;
    /* derived, so that the processor need not divide */
    uint8_t reserved_1028[12];
    uint8_t q1[ALC_SGX_RSA_SIZE];
    uint8_t q2[ALC_SGX_RSA_SIZE];
} __attribute__((packed));
_Static_assert(sizeof(struct alc_sgx_sigstruct) == 1808, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, modulus) == 128, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, exponent) == 512, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, miscselect) == 900, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, isv_family_id) == 912, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, attributes) == 928, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, enclave_hash) == 960, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, isv_product_id) == 1024, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, q1) == 1040, "SDM 35.14");
_Static_assert(offsetof(struct alc_sgx_sigstruct, q2) == 1424, "SDM 35.14");

/* The two signed pieces: [0, SIGNED_HEAD_SIZE) and [SIGNED_BODY_OFFSET, + SIGNED_BODY_SIZE). */
enum {
    ALC_SGX_SIGNED_HEAD_SIZE = 128,
    ALC_SGX_SIGNED_BODY_OFFSET = 900,
    ALC_SGX_SIGNED_BODY_SIZE = 128,
};
#define ALC_SGX_SIGSTRUCT_HEADER {0x06, 0, 0, 0, 0xE1, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0}
#define ALC_SGX_SIGSTRUCT_HEADER2 {0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0, 0, 0, 0x01, 0, 0, 0}
#define ALC_SGX_VENDOR_INTEL UINT32_C(0x8086)

/* -- REPORT and what goes into it -- */
struct alc_sgx_report_body {
    uint8_t cpu_svn[16];
    uint32_t miscselect;
    uint8_t cet_attributes;
    uint8_t reserved_21[11];
    uint8_t isv_extended_product_id[16];
    struct alc_sgx_attributes attributes;
    uint8_t mrenclave[32];
    uint8_t reserved_96[32];
    uint8_t mrsigner[32];
    uint8_t reserved_160[32];
    uint8_t config_id[64];
    uint16_t isv_product_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t reserved_262[42];
    uint8_t isv_family_id[16];
    uint8_t report_data[64];
};
_Static_assert(sizeof(struct alc_sgx_report_body) == 384, "SDM 35.15");
_Static_assert(offsetof(struct alc_sgx_report_body, isv_extended_product_id) == 32, "SDM 35.15");
_Static_assert(offsetof(struct alc_sgx_report_body, mrenclave) == 64, "SDM 35.15");
_Static_assert(offsetof(struct alc_sgx_report_body, config_id) == 192, "SDM 35.15");
_Static_assert(offsetof(struct alc_sgx_report_body, isv_family_id) == 304, "SDM 35.15");
_Static_assert(offsetof(struct alc_sgx_report_body, report_data) == 320, "SDM 35.15");

struct alc_sgx_report {
    struct alc_sgx_report_body body; /* what the MAC covers */
    uint8_t key_id[32];
    uint8_t mac[16]; /* AES-CMAC under the target's report key */
} ALC_ALIGNED(512);
enum { ALC_SGX_REPORT_SIZE = 432 };
_Static_assert(offsetof(struct alc_sgx_report, mac) == 416, "SDM 35.15");

struct alc_sgx_report_data {
    uint8_t bytes[64];
} ALC_ALIGNED(128);

struct alc_sgx_target_info {
    uint8_t measurement[32];
    struct alc_sgx_attributes attributes;
    uint8_t cet_attributes;
    uint8_t reserved_49;
    uint16_t config_svn;
    uint32_t miscselect;
    uint8_t reserved_56[8];
    uint8_t config_id[64];
    uint8_t reserved_128[384];
} ALC_ALIGNED(512);
_Static_assert(sizeof(struct alc_sgx_target_info) == 512, "SDM 35.16");
_Static_assert(offsetof(struct alc_sgx_target_info, miscselect) == 52, "SDM 35.16");
_Static_assert(offsetof(struct alc_sgx_target_info, config_id) == 64, "SDM 35.16");

/* -- EGETKEY -- */
enum alc_sgx_key_name {
    ALC_SGX_KEY_EINITTOKEN = 0,
    ALC_SGX_KEY_PROVISION = 1,
    ALC_SGX_KEY_PROVISION_SEAL = 2,
    ALC_SGX_KEY_REPORT = 3,
    ALC_SGX_KEY_SEAL = 4,
};
enum alc_sgx_key_policy {
    ALC_SGX_POLICY_MRENCLAVE = 1,
    ALC_SGX_POLICY_MRSIGNER = 2,
    ALC_SGX_POLICY_NOISVPRODID = 4,
    ALC_SGX_POLICY_CONFIGID = 8,
    ALC_SGX_POLICY_ISVFAMILYID = 16,
    ALC_SGX_POLICY_ISVEXTPRODID = 32,
    ALC_SGX_POLICY_ALL = 63,
};
struct alc_sgx_key_request {
    uint16_t name;
    uint16_t policy;
    uint16_t isv_svn;
    uint8_t cet_attributes_mask;
    uint8_t reserved_7;
    uint8_t cpu_svn[16];
    struct alc_sgx_attributes attributes_mask;
    uint8_t key_id[32];
    uint32_t misc_mask;
    uint16_t config_svn;
    uint8_t reserved_78[434];
} ALC_ALIGNED(512);
_Static_assert(sizeof(struct alc_sgx_key_request) == 512, "SDM 35.18");
_Static_assert(offsetof(struct alc_sgx_key_request, attributes_mask) == 24, "SDM 35.18");
_Static_assert(offsetof(struct alc_sgx_key_request, key_id) == 40, "SDM 35.18");
_Static_assert(offsetof(struct alc_sgx_key_request, misc_mask) == 72, "SDM 35.18");
_Static_assert(offsetof(struct alc_sgx_key_request, config_svn) == 76, "SDM 35.18");

struct alc_sgx_key {
    uint8_t bytes[ALC_SGX_KEY_SIZE];
} ALC_ALIGNED(16);

#endif
