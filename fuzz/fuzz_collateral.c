/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral in JSON as an adversary sends it: the object of all, TCB info and identities for SGX
 * and TDX, and any value; the first byte chooses. Nothing is read beyond the input, and errors lie
 * within it.
 */
#include <stdlib.h>

#include "attest/collateral.h"
#include "attest/tcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum target { COLLATERAL, TCB_INFO, TDX_TCB_INFO, QE_IDENTITY, TD_QE_IDENTITY, VALUE, TARGETS };

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static alc_status fuzz_tcb_info(struct alc_reader *reader, bool is_tdx)
{
    static const struct alc_pck pck = {.pce_svn = 13, .components = {11, 11, 2, 2, 255, 1}};
    static const uint8_t launch[ALC_TD_SVN_SIZE] = {4, 1, 2};
    static const uint8_t now[ALC_TD_SVN_SIZE] = {6, 3, 2};
    const struct alc_platform_svns svns = {&pck, is_tdx ? launch : NULL, is_tdx ? now : NULL};
    struct alc_tcb_info info;
    ALC_TRY(alc_tcb_info_read(reader, &svns, &info));
    demand(!alc_tcb_match_is_known(&info.launch) || info.launch.level.status < ALC_TCB_STATUSES);
    demand(info.launch.names_module == is_tdx && !(info.now.has_level && !is_tdx));
    return ALC_OK;
}

static alc_status fuzz_one(enum target target, struct alc_arena *arena, struct alc_reader *reader)
{
    struct alc_pcs_collateral collateral;
    struct alc_qe_identity identity;
    switch (target) {
    case COLLATERAL:
        return alc_pcs_collateral_read(arena, reader, &collateral);
    case TCB_INFO:
    case TDX_TCB_INFO:
        return fuzz_tcb_info(reader, target == TDX_TCB_INFO);
    case QE_IDENTITY:
    case TD_QE_IDENTITY:
        return alc_qe_identity_read(reader, target == TD_QE_IDENTITY, 6, &identity);
    case VALUE:
    case TARGETS:
        break;
    }
    return alc_json_skip(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t memory[1 << 17];
    struct alc_arena arena;
    struct alc_reader reader;
    struct alc_error error;
    if (size == 0) {
        return 0;
    }
    alc_arena_init(&arena, memory, sizeof memory);
    alc_error_clear(&error);
    alc_reader_init(&reader, bytes + 1, size - 1, &error);
    (void)!fuzz_one((enum target)(bytes[0] % TARGETS), &arena, &reader);
    demand(error.status == ALC_OK || error.offset <= size);
    return 0;
}
