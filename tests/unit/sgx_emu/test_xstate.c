/* SPDX-License-Identifier: Apache-2.0
 *
 * Vector state between signal frames, SSA frames and the processor: what is carried over, what is
 * refused, and what counts as clean.
 */
#include "unit/sgx_emu/fixture.h"

enum { MXCSR_OFFSET = 24, XMM_OFFSET = 160, XSTATE_BV_OFFSET = 512, XCOMP_BV_OFFSET = 520 };
enum { AREA_SIZE = 4096 };

static uint8_t area[AREA_SIZE] __attribute__((aligned(64)));
static uint8_t ssa[AREA_SIZE] __attribute__((aligned(64)));
static uint8_t image[XSTATE_SIZE] __attribute__((aligned(64)));

/* A frame whose state is initial, as the kernel writes it. */
static ucontext_t fresh_frame(void)
{
    ucontext_t frame = {0};
    memset(area, 0, sizeof area);
    area[0] = 0x7F;
    area[1] = 0x03;
    area[MXCSR_OFFSET] = 0x80;
    area[MXCSR_OFFSET + 1] = 0x1F;
    area[XSTATE_BV_OFFSET] = 3;
    frame.uc_mcontext.fpregs = (fpregset_t)(void *)area;
    return frame;
}

static int probe(void **state)
{
    (void)state;
    emu_xstate_probe();
    return 0;
}

static void test_only_xfrm_is_saved(void **state)
{
    (void)state;
    ucontext_t frame = fresh_frame();
    area[XMM_OFFSET] = 0x5A;
    area[464] = 0x11; /* the kernel's own words */
    area[576] = 0x77; /* AVX */
    area[XSTATE_BV_OFFSET] = 7;
    memset(ssa, 0xEE, sizeof ssa);
    emu_xstate_save(&frame, ALC_SGX_XFRM_LEGACY, ssa);
    assert_int_equal(ssa[XMM_OFFSET], 0x5A);
    assert_int_equal(ssa[464], 0);
    assert_int_equal(ssa[XSTATE_BV_OFFSET], 3);
    assert_int_equal(ssa[576], 0xEE);
    assert_true(emu_xstate_load(ssa, ALC_SGX_XFRM_LEGACY, image));
    assert_int_equal(image[XMM_OFFSET], 0x5A);
}

static void test_frames_that_would_fault_are_refused(void **state)
{
    (void)state;
    ucontext_t frame = fresh_frame();
    static const struct {
        uint32_t offset;
        uint8_t value;
    } rows[] = {{XSTATE_BV_OFFSET, 7},       {XSTATE_BV_OFFSET + 7, 0x80},  {XCOMP_BV_OFFSET, 1},
                {XCOMP_BV_OFFSET + 7, 0x80}, {XCOMP_BV_OFFSET + 8 + 47, 1}, {MXCSR_OFFSET + 2, 1}};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(rows); i++) {
        emu_xstate_save(&frame, ALC_SGX_XFRM_LEGACY, ssa);
        assert_true(emu_xstate_load(ssa, ALC_SGX_XFRM_LEGACY, image));
        ssa[rows[i].offset] = rows[i].value;
        assert_false(emu_xstate_load(ssa, ALC_SGX_XFRM_LEGACY, image));
    }
}

static void test_clean_means_initial(void **state)
{
    (void)state;
    ucontext_t frame = fresh_frame();
    assert_true(emu_xstate_is_clean(&frame));
    static const uint16_t places[] = {0, 4, MXCSR_OFFSET + 1, 32, 150, XMM_OFFSET, 415};
    for (size_t i = 0; i < ALC_ARRAY_COUNT(places); i++) {
        frame = fresh_frame();
        area[places[i]] ^= 1 << 6;
        assert_false(emu_xstate_is_clean(&frame));
        emu_xstate_clear(&frame);
        assert_true(emu_xstate_is_clean(&frame));
    }
    frame = fresh_frame();
    area[MXCSR_OFFSET] |= 0x3F; /* exception flags say nothing about data */
    assert_true(emu_xstate_is_clean(&frame));
}

static void test_state_outside_xfrm_is_noticed(void **state)
{
    (void)state;
    ucontext_t frame = fresh_frame();
    if ((emu_xstate_features() & ALC_SGX_XFRM_AVX) == 0) {
        print_message("no AVX here\n");
        return;
    }
    area[576] = 1;
    assert_true(emu_xstate_is_within(&frame, ALC_SGX_XFRM_LEGACY)); /* not in use */
    area[XSTATE_BV_OFFSET] = 7;
    assert_false(emu_xstate_is_within(&frame, ALC_SGX_XFRM_LEGACY));
    assert_true(emu_xstate_is_within(&frame, ALC_SGX_XFRM_LEGACY | ALC_SGX_XFRM_AVX));
    area[576] = 0; /* some processors say "in use" of zeros */
    assert_true(emu_xstate_is_within(&frame, ALC_SGX_XFRM_LEGACY));
    assert_int_equal(emu_xstate_size(ALC_SGX_XFRM_LEGACY), 576);
    assert_int_equal(emu_xstate_size(ALC_SGX_XFRM_LEGACY | ALC_SGX_XFRM_AVX), 832);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_only_xfrm_is_saved, probe),
        cmocka_unit_test_setup(test_frames_that_would_fault_are_refused, probe),
        cmocka_unit_test_setup(test_clean_means_initial, probe),
        cmocka_unit_test_setup(test_state_outside_xfrm_is_noticed, probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
