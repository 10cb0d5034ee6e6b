/* SPDX-License-Identifier: Apache-2.0
 *
 * ENCLU leaves that enclave code executes. Operands are addresses chosen by the enclave: each is
 * checked against the page map as the processor does, and read and written through the emulator's
 * own view.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "sgx_emu/emu_internal.h"

enum { PAGE_SIZE = ALC_SGX_PAGE_SIZE };

enum { FLAG_CF = 1 << 0, FLAG_PF = 1 << 2, FLAG_AF = 1 << 4, FLAG_ZF = 1 << 6, FLAG_SF = 1 << 7 };
enum { FLAG_OF = 1 << 11 };
static const greg_t STATUS_FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;

static struct emu_leaf_result fault(uint16_t vector, uint64_t addr)
{
    return (struct emu_leaf_result){
        .faults = true,
        .vector = vector,
        .error_code = vector == ALC_SGX_VECTOR_PF ? ALC_SGX_PF_USER | ALC_SGX_PF_SGX : 0,
        .fault_addr = addr,
    };
}

/* Leaves with an error code: RAX and ZF say it. */
static struct emu_leaf_result answer(greg_t *registers, enum alc_sgx_error error)
{
    registers[REG_RAX] = error;
    registers[REG_EFL] =
        (registers[REG_EFL] & ~STATUS_FLAGS) | (error == ALC_SGX_SUCCESS ? 0 : FLAG_ZF);
    return (struct emu_leaf_result){0};
}

/* -- EREPORT, EGETKEY -- */

static struct emu_leaf_result report(struct alc_sgx_context *context, const greg_t *registers)
{
    uint16_t vector;
    uint64_t addr;
    const uint8_t *target = emu_operand(context, (uint64_t)registers[REG_RBX], 512, 512,
                                        ALC_SGX_PAGE_READ, &vector, &addr);
    if (target == NULL) {
        return fault(vector, addr);
    }
    const uint8_t *data = emu_operand(context, (uint64_t)registers[REG_RCX], 64, 128,
                                      ALC_SGX_PAGE_READ, &vector, &addr);
    if (data == NULL) {
        return fault(vector, addr);
    }
    uint8_t *out = emu_operand(context, (uint64_t)registers[REG_RDX], ALC_SGX_REPORT_SIZE, 512,
                               ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE, &vector, &addr);
    if (out == NULL) {
        return fault(vector, addr);
    }
    struct alc_sgx_target_info target_info;
    uint8_t report_data[64];
    alc_copy(&target_info, target, sizeof target_info);
    alc_copy(report_data, data, sizeof report_data);
    uint8_t any = target_info.reserved_49;
    for (size_t i = 0; i < sizeof target_info.reserved_56; i++) {
        any |= target_info.reserved_56[i];
    }
    for (size_t i = 0; i < sizeof target_info.reserved_128; i++) {
        any |= target_info.reserved_128[i];
    }
    if (any != 0) {
        return fault(ALC_SGX_VECTOR_GP, 0);
    }
    struct alc_sgx_report made;
    emu_make_report(context, &target_info, report_data, &made);
    alc_copy(out, &made, ALC_SGX_REPORT_SIZE);
    return (struct emu_leaf_result){0};
}

static struct emu_leaf_result get_key(struct alc_sgx_context *context, greg_t *registers)
{
    uint16_t vector;
    uint64_t addr;
    const uint8_t *bytes = emu_operand(context, (uint64_t)registers[REG_RBX], 512, 512,
                                       ALC_SGX_PAGE_READ, &vector, &addr);
    if (bytes == NULL) {
        return fault(vector, addr);
    }
    uint8_t *out = emu_operand(context, (uint64_t)registers[REG_RCX], ALC_SGX_KEY_SIZE, 16,
                               ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE, &vector, &addr);
    if (out == NULL) {
        return fault(vector, addr);
    }
    struct alc_sgx_key_request request;
    uint8_t key[ALC_SGX_KEY_SIZE];
    bool faults;
    alc_copy(&request, bytes, sizeof request);
    enum alc_sgx_error error = emu_make_key(context, &request, key, &faults);
    if (faults) {
        return fault(ALC_SGX_VECTOR_GP, 0);
    }
    if (error == ALC_SGX_SUCCESS) {
        alc_copy(out, key, sizeof key);
    }
    return answer(registers, error);
}

/* -- EACCEPT, EMODPE, EACCEPTCOPY -- */

/* The SECINFO operand and the page operand; a page that is not there is asked of the kernel. */
static struct emu_leaf_result page_operands(struct alc_sgx_context *context,
                                            const greg_t *registers, uint64_t *flags,
                                            uint64_t *page)
{
    uint16_t vector;
    uint64_t addr;
    struct alc_sgx_secinfo secinfo;
    const uint8_t *bytes = emu_operand(context, (uint64_t)registers[REG_RBX], sizeof secinfo,
                                       sizeof secinfo, ALC_SGX_PAGE_READ, &vector, &addr);
    if (bytes == NULL) {
        return fault(vector, addr);
    }
    alc_copy(&secinfo, bytes, sizeof secinfo);
    uint64_t any = 0;
    for (size_t i = 0; i < ALC_ARRAY_COUNT(secinfo.reserved); i++) {
        any |= secinfo.reserved[i];
    }
    uint64_t target = (uint64_t)registers[REG_RCX];
    uint64_t offset = target - context->secs.base;
    bool writes_without_reading =
        (secinfo.flags & ALC_SGX_PAGE_WRITE) != 0 && (secinfo.flags & ALC_SGX_PAGE_READ) == 0;
    if (any != 0 || writes_without_reading || offset % PAGE_SIZE != 0 ||
        offset >= context->secs.size) {
        return fault(ALC_SGX_VECTOR_GP, 0);
    }
    *flags = secinfo.flags;
    *page = offset / PAGE_SIZE;
    if (emu_augment(context, *page)) {
        context->statistics.interrupts++; /* the fault that made the kernel add it, and ERESUME */
    }
    if (context->epcm[*page] == 0) {
        return fault(ALC_SGX_VECTOR_PF, target);
    }
    return (struct emu_leaf_result){0};
}

static struct emu_leaf_result accept(struct alc_sgx_context *context, greg_t *registers)
{
    uint64_t flags;
    uint64_t page;
    struct emu_leaf_result result = page_operands(context, registers, &flags, &page);
    if (result.faults) {
        return result;
    }
    uint16_t entry = context->epcm[page];
    uint64_t state = entry & (EPCM_PERMISSIONS | EPCM_STATE);
    uint64_t actual = state | ALC_SGX_SECINFO_TYPE(epcm_type(entry));
    if (flags != actual || (entry & EPCM_STATE) == 0 || (entry & EPCM_BUSY) != 0) {
        return answer(registers, ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    }
    context->epcm[page] = (uint16_t)(entry & ~EPCM_STATE);
    return answer(registers, ALC_SGX_SUCCESS);
}

static bool is_plain(uint16_t entry)
{
    return (entry & EPCM_VALID) != 0 && epcm_type(entry) == ALC_SGX_PAGE_REGULAR &&
           (entry & (EPCM_PENDING | EPCM_MODIFIED)) == 0;
}

static struct emu_leaf_result extend(struct alc_sgx_context *context, greg_t *registers)
{
    uint64_t flags;
    uint64_t page;
    struct emu_leaf_result result = page_operands(context, registers, &flags, &page);
    if (result.faults) {
        return result;
    }
    if (!is_plain(context->epcm[page])) {
        return fault(ALC_SGX_VECTOR_PF, (uint64_t)registers[REG_RCX]);
    }
    context->epcm[page] |= (uint16_t)(flags & EPCM_PERMISSIONS);
    emu_flush(context);
    return (struct emu_leaf_result){0};
}

static struct emu_leaf_result accept_copy(struct alc_sgx_context *context, greg_t *registers)
{
    uint64_t flags;
    uint64_t page;
    uint16_t vector;
    uint64_t addr;
    struct emu_leaf_result result = page_operands(context, registers, &flags, &page);
    if (result.faults) {
        return result;
    }
    const uint8_t *from = emu_operand(context, (uint64_t)registers[REG_RDX], PAGE_SIZE, PAGE_SIZE,
                                      ALC_SGX_PAGE_READ, &vector, &addr);
    if (from == NULL) {
        return fault(vector, addr);
    }
    const uint64_t regular = ALC_SGX_SECINFO_TYPE(ALC_SGX_PAGE_REGULAR);
    if ((flags & ~ALC_SGX_PAGE_PERMISSIONS) != regular) {
        return fault(ALC_SGX_VECTOR_GP, 0);
    }
    uint16_t fresh =
        epcm_entry(ALC_SGX_PAGE_REGULAR, ALC_SGX_PAGE_READ | ALC_SGX_PAGE_WRITE | EPCM_PENDING);
    if ((context->epcm[page] & ~EPCM_LIMIT) != fresh) {
        return answer(registers, ALC_SGX_PAGE_ATTRIBUTES_MISMATCH);
    }
    alc_copy(context->memory + page * PAGE_SIZE, from, PAGE_SIZE);
    context->epcm[page] = epcm_entry(ALC_SGX_PAGE_REGULAR, flags & ALC_SGX_PAGE_PERMISSIONS) |
                          (context->epcm[page] & EPCM_LIMIT);
    return answer(registers, ALC_SGX_SUCCESS);
}

struct emu_leaf_result emu_run_leaf(struct alc_sgx_context *context, greg_t *registers)
{
    switch ((uint32_t)registers[REG_RAX]) {
    case ALC_SGX_EREPORT:
        return report(context, registers);
    case ALC_SGX_EGETKEY:
        return get_key(context, registers);
    case ALC_SGX_EEXIT:
        return (struct emu_leaf_result){.is_exit = true};
    case ALC_SGX_EACCEPT:
        return accept(context, registers);
    case ALC_SGX_EMODPE:
        return extend(context, registers);
    case ALC_SGX_EACCEPTCOPY:
        return accept_copy(context, registers);
    default: /* EENTER and ERESUME are for the outside, the rest does not exist here */
        return fault(ALC_SGX_VECTOR_GP, 0);
    }
}
