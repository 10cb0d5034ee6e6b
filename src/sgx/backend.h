/* SPDX-License-Identifier: Apache-2.0
 *
 * What the loader asks of a machine: the kernel's SGX interface (uapi asm/sgx.h) and the vDSO's
 * enter function, as a table. Implementations: hardware.c (ioctls on /dev/sgx_enclave) and
 * sgx_emu/.
 *
 * Conventions
 *   - Result: 0, or minus an errno of the kernel, unless said otherwise.
 *   - Offsets and lengths: bytes from the enclave's base, multiples of the page size.
 *   - Context: one enclave. Building (create to map) is done by one thread; enter and the calls
 *     for dynamic pages may come from several at once, enter only with different TCSs.
 */
#ifndef ALC_SGX_BACKEND_H
#define ALC_SGX_BACKEND_H

#include "base/status.h"
#include "sgx_arch/arch.h"

struct alc_sgx_context; /* each backend's own */

/* struct sgx_enclave_run of the kernel. */
struct alc_sgx_run {
    uint64_t tcs;      /* address */
    uint32_t function; /* leaf that ended the call: EEXIT, or EENTER/ERESUME after an exception */
    uint16_t exception_vector;
    uint16_t exception_error_code;
    uint64_t exception_addr;
    uint64_t user_handler;
    uint64_t user_data;
    uint8_t reserved[216]; /* zero, or -EINVAL */
};
_Static_assert(sizeof(struct alc_sgx_run) == 256, "uapi asm/sgx.h");
_Static_assert(offsetof(struct alc_sgx_run, function) == 8, "uapi asm/sgx.h");
_Static_assert(offsetof(struct alc_sgx_run, exception_addr) == 16, "uapi asm/sgx.h");
_Static_assert(offsetof(struct alc_sgx_run, reserved) == 40, "uapi asm/sgx.h");

/* Called on the stack of `enter` after EEXIT or an exception. <= 0 is returned by `enter`; EENTER
 * or ERESUME enter again. `rsp` is the stack pointer that the enclave left. */
typedef int alc_sgx_exit_handler(long rdi, long rsi, long rdx, long rsp, long r8, long r9,
                                 struct alc_sgx_run *run);

struct alc_sgx_add_pages {
    const void *src; /* page-aligned; from memory that may be made executable */
    uint64_t offset;
    uint64_t length;
    const struct alc_sgx_secinfo *secinfo; /* no permissions for a TCS */
    bool measure;
};

enum alc_sgx_capabilities {
    ALC_SGX_CAN_EDMM = 1 << 0,    /* EAUG, EMODPR, EMODT */
    ALC_SGX_CAN_PROTECT = 1 << 1, /* the processor really protects: not an emulator */
    ALC_SGX_CAN_EXINFO = 1 << 2,  /* MISCSELECT.EXINFO */
    ALC_SGX_CAN_KSS = 1 << 3,     /* ATTRIBUTES.KSS: CONFIGID */
};

struct alc_sgx_backend {
    const char *name;    /* "sgx", "emulated" */
    const void *options; /* the backend's own, read by open */
    /* A new context without an enclave, and what can be done with it (enum alc_sgx_capabilities).
     * ALC_E_NOT_SUPPORTED with the reason in `error` when this machine cannot. */
    alc_status (*open)(const struct alc_sgx_backend *backend, struct alc_sgx_context **out,
                       uint32_t *capabilities, struct alc_error *error);
    /* SGX_IOC_ENCLAVE_CREATE. The range [secs->base, + size) is reserved by the caller (PROT_NONE)
     * and stays reserved until after `close`. */
    int (*create)(struct alc_sgx_context *context, const struct alc_sgx_secs *secs);
    /* SGX_IOC_ENCLAVE_ADD_PAGES, whole: continues when interrupted. */
    int (*add_pages)(struct alc_sgx_context *context, const struct alc_sgx_add_pages *pages);
    /* SGX_IOC_ENCLAVE_INIT. *einit_error is what EINIT said (enum alc_sgx_error) where that is
     * known, 0 otherwise. */
    int (*init)(struct alc_sgx_context *context, const struct alc_sgx_sigstruct *sigstruct,
                uint32_t *einit_error);
    /* mmap(MAP_SHARED | MAP_FIXED) of part of the range; `protection` is PROT_*, at most what the
     * pages were added with. Unadded pages may be mapped, too: touching one adds it (EAUG). */
    int (*map)(struct alc_sgx_context *context, uint64_t offset, uint64_t length, int protection);
    /* SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, _MODIFY_TYPES, _REMOVE_PAGES. *result is the leaf's
     * error code. The enclave has to EACCEPT the first two. */
    int (*restrict_permissions)(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                                uint64_t permissions, uint64_t *result);
    int (*modify_types)(struct alc_sgx_context *context, uint64_t offset, uint64_t length,
                        enum alc_sgx_page_type type, uint64_t *result);
    int (*remove_pages)(struct alc_sgx_context *context, uint64_t offset, uint64_t length);
    /* __vdso_sgx_enter_enclave, with the difference that it can be called from C: whatever the
     * enclave does to registers, the caller's are as the ABI wants them. `leaf` is EENTER or
     * ERESUME. 0, what the handler returned, -EINVAL for a bad `run` or leaf, -EFAULT for an
     * exception when there is no handler. */
    int (*enter)(struct alc_sgx_context *context, uint64_t rdi, uint64_t rsi, uint64_t rdx,
                 uint32_t leaf, uint64_t r8, uint64_t r9, struct alc_sgx_run *run);
    /* Ends the enclave and frees the context. Nobody may be inside. */
    void (*close)(struct alc_sgx_context *context);
};

/* The kernel's driver (hardware.c). Compiled, never run on hardware. */
extern const struct alc_sgx_backend alc_sgx_hardware;

#endif
