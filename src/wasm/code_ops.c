/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables behind ops.h, made from the rows of ops.def. Two rows of one code do not compile.
 */
#include "wasm/ops.h"

/* clang-format off */
enum {
    L_V = ALC_LETTER_NONE, L_I = ALC_LETTER_I, L_L = ALC_LETTER_L, L_F = ALC_LETTER_F,
    L_D = ALC_LETTER_D, L_S = ALC_LETTER_S, L_A = ALC_LETTER_A,
};
#define SIGNATURE(a, b, c, r) (uint16_t)((a) | (b) << 3 | (c) << 6 | (r) << 9)
#define SIG0(r) SIGNATURE(0, 0, 0, L_##r)
#define SIG1(a, r) SIGNATURE(L_##a, 0, 0, L_##r)
#define SIG2(a, b, r) SIGNATURE(L_##a, L_##b, 0, L_##r)
#define SIG3(a, b, c, r) SIGNATURE(L_##a, L_##b, L_##c, L_##r)
enum {
    SIG_CTRL = ALC_SIGNATURE_CTRL,
    SIG_V_V = 0, SIG_V_I = SIG0(I), SIG_V_L = SIG0(L), SIG_V_F = SIG0(F), SIG_V_D = SIG0(D),
    SIG_V_S = SIG0(S), SIG_V_A = SIG0(A), SIG_A_A = SIG1(A, A), SIG_A_I = SIG1(A, I),
    SIG_A_L = SIG1(A, L), SIG_A_F = SIG1(A, F), SIG_A_D = SIG1(A, D), SIG_A_S = SIG1(A, S),
    SIG_I_I = SIG1(I, I), SIG_I_L = SIG1(I, L), SIG_I_F = SIG1(I, F), SIG_I_D = SIG1(I, D),
    SIG_I_S = SIG1(I, S), SIG_L_I = SIG1(L, I), SIG_L_L = SIG1(L, L), SIG_L_F = SIG1(L, F),
    SIG_L_D = SIG1(L, D), SIG_L_S = SIG1(L, S), SIG_F_I = SIG1(F, I), SIG_F_L = SIG1(F, L),
    SIG_F_F = SIG1(F, F), SIG_F_D = SIG1(F, D), SIG_F_S = SIG1(F, S), SIG_D_I = SIG1(D, I),
    SIG_D_L = SIG1(D, L), SIG_D_F = SIG1(D, F), SIG_D_D = SIG1(D, D), SIG_D_S = SIG1(D, S),
    SIG_S_I = SIG1(S, I), SIG_S_L = SIG1(S, L), SIG_S_F = SIG1(S, F), SIG_S_D = SIG1(S, D),
    SIG_S_S = SIG1(S, S), SIG_II_I = SIG2(I, I, I), SIG_LL_I = SIG2(L, L, I),
    SIG_LL_L = SIG2(L, L, L), SIG_FF_I = SIG2(F, F, I), SIG_DD_I = SIG2(D, D, I),
    SIG_FF_F = SIG2(F, F, F), SIG_DD_D = SIG2(D, D, D), SIG_SS_S = SIG2(S, S, S),
    SIG_SI_S = SIG2(S, I, S), SIG_SL_S = SIG2(S, L, S), SIG_SF_S = SIG2(S, F, S),
    SIG_SD_S = SIG2(S, D, S), SIG_AS_S = SIG2(A, S, S), SIG_AS_V = SIG2(A, S, V),
    SIG_AI_V = SIG2(A, I, V), SIG_AL_V = SIG2(A, L, V), SIG_AF_V = SIG2(A, F, V),
    SIG_AD_V = SIG2(A, D, V), SIG_AI_I = SIG2(A, I, I), SIG_AL_L = SIG2(A, L, L),
    SIG_SSS_S = SIG3(S, S, S, S), SIG_AII_V = SIG3(A, I, I, V), SIG_AIA_V = SIG3(A, I, A, V),
    SIG_AII_I = SIG3(A, I, I, I), SIG_ALL_L = SIG3(A, L, L, L), SIG_AIL_I = SIG3(A, I, L, I),
    SIG_ALL_I = SIG3(A, L, L, I),
};

const struct alc_op_info alc_op_infos[ALC_OP_COUNT] = {
    [ALC_OP_ILLEGAL] = {.signature = ALC_SIGNATURE_CTRL},
#define OP(code, ident, text, imm, sig, feat) \
    [ALC_OP_##ident] = {SIG_##sig, ALC_IMM_##imm, ALC_FEATURE_##feat},
#include "wasm/ops.def"
#undef OP
};

/* Where the numbers behind each prefix start in the map, and how many there may be. */
enum { MAP_FB = 256, FB_COUNT = 32, MAP_FC = MAP_FB + FB_COUNT, FC_COUNT = 32,
       MAP_FD = MAP_FC + FC_COUNT, FD_COUNT = 0x120, MAP_FE = MAP_FD + FD_COUNT, FE_COUNT = 0x60,
       MAP_COUNT = MAP_FE + FE_COUNT };
#define MAP_INDEX(code) \
    ((code) < 0x100 ? (code) : (code) >> 12 == 0xfd ? MAP_FD + ((code) & 0xfff) : \
     (code) >> 8 == 0xfb ? MAP_FB + ((code) & 0xff) : \
     (code) >> 8 == 0xfc ? MAP_FC + ((code) & 0xff) : \
     (code) >> 8 == 0xfd ? MAP_FD + ((code) & 0xff) : MAP_FE + ((code) & 0xff))

/* One byte for each number: behind a prefix it counts from the prefix's first row, which has number
 * 0; without prefix it is the instruction itself. */
#define MAP_BASE(code) \
    ((code) < 0x100 ? 0 : (code) >> 12 == 0xfd ? ALC_OP_V128_LOAD : \
     (code) >> 8 == 0xfb ? ALC_OP_STRUCT_NEW : \
     (code) >> 8 == 0xfc ? ALC_OP_I32_TRUNC_SAT_F32_S : \
     (code) >> 8 == 0xfd ? ALC_OP_V128_LOAD : ALC_OP_MEMORY_ATOMIC_NOTIFY)

const uint8_t alc_op_map[MAP_COUNT] = {
#define OP(code, ident, text, imm, sig, feat) [MAP_INDEX(code)] = ALC_OP_##ident - MAP_BASE(code),
#include "wasm/ops.def"
#undef OP
};

/* What a byte cannot hold does not compile. */
#define OP(code, ident, text, imm, sig, feat) \
    _Static_assert(ALC_OP_##ident - MAP_BASE(code) < 256, "rows of a prefix stand together");
#include "wasm/ops.def"
#undef OP
/* clang-format on */

enum alc_op alc_op_find_prefixed(uint8_t prefix, uint32_t number)
{
    static const struct {
        uint16_t first;
        uint16_t count;
        uint16_t base;
    } prefixes[4] = {{MAP_FB, FB_COUNT, MAP_BASE(0xfb00)},
                     {MAP_FC, FC_COUNT, MAP_BASE(0xfc00)},
                     {MAP_FD, FD_COUNT, MAP_BASE(0xfd00)},
                     {MAP_FE, FE_COUNT, MAP_BASE(0xfe00)}};
    ALC_ASSERT(alc_op_is_prefix(prefix));
    unsigned which = prefix - 0xfbu;
    if (number >= prefixes[which].count) {
        return ALC_OP_ILLEGAL;
    }
    uint32_t entry = alc_op_map[prefixes[which].first + number];
    return entry == 0 && number != 0 ? ALC_OP_ILLEGAL : (enum alc_op)(prefixes[which].base + entry);
}
