/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel with one end inside the emulated enclave, built as images are, and one outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <openssl/rand.h>

#include "channel/channel.h"
#include "sgx/loader.h"
#include "sgx_emu/emu.h"
#include "tests/inside/channel_calls.h"

#define NOW_S INT64_C(1751328000)

extern const uint8_t inside_channel_image[];
extern const uint64_t inside_channel_image_size;
extern const struct alc_sgx_sigstruct inside_channel_sigstruct;

static struct alc_sgx_enclave *enclave;
static struct channel_page *page;

static alc_status fill(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return RAND_bytes(buf, (int)buf_size) == 1 ? ALC_OK : ALC_E_IO_FAILED;
}
static const struct alc_random source = {.fill = fill};

static void call(enum channel_ecall ecall)
{
    const struct alc_sgx_call request = {
        .ecall = ecall, .region = page, .region_size = sizeof *page};
    uint64_t value = 1;
    assert_int_equal(alc_sgx_call(enclave, &request, &value, NULL), ALC_OK);
    assert_int_equal(value, 0);
}

static void meet(struct alc_channel *channel)
{
    for (bool moved = true; moved;) {
        size_t size = alc_channel_transmit(channel, page->in + page->in_size,
                                           sizeof page->in - page->in_size);
        page->in_size += size;
        call(CHANNEL_PUMP);
        moved = size != 0 || page->out_size != 0;
        assert_int_equal(alc_channel_receive(channel, page->out, page->out_size), page->out_size);
    }
}

static void test_echo(void **state)
{
    (void)state;
    static uint8_t memory[512 * 1024];
    static const struct alc_channel_demand anybody = {.accepts_unattested = true};
    const struct alc_channel_options options = {
        .role = ALC_CHANNEL_CLIENT, .demand = &anybody, .random = &source, .now_s = NOW_S};
    struct alc_arena arena;
    struct alc_channel *channel;
    struct alc_error error;
    alc_error_clear(&error);
    assert_int_equal(alc_sgx_load(alc_sgx_emu_backend(), inside_channel_image,
                                  inside_channel_image_size, &inside_channel_sigstruct, NULL,
                                  &enclave, &error),
                     ALC_OK);
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    call(CHANNEL_START);
    assert_int_equal(page->status, ALC_OK);
    alc_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(alc_channel_open(&arena, &options, &channel), ALC_OK);
    meet(channel);
    assert_int_equal(alc_channel_state(channel), ALC_CHANNEL_OPEN);
    assert_int_equal(page->state, ALC_CHANNEL_OPEN);
    for (size_t size = 1; size < 2048; size = size * 3 + 1) {
        uint8_t sent[2048];
        uint8_t back[2048];
        memset(sent, (int)size, size);
        assert_int_equal(alc_channel_write(channel, sent, size), size);
        meet(channel);
        assert_int_equal(alc_channel_read(channel, back, sizeof back), size);
        assert_memory_equal(back, sent, size);
    }
    alc_channel_fini(channel);
    call(CHANNEL_END);
    alc_sgx_close(enclave);
    munmap(page, sizeof *page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_echo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
