/* SPDX-License-Identifier: Apache-2.0
 *
 * The host boundary from both sides. Input: a byte that names a call, a byte that says who lies,
 * then numbers. A lying host: the call's arguments and what the host writes over the completion,
 * the control page and the payload come from the input. A lying enclave: the request slots and the
 * payload do. The driver's checks (tests/hostile) turn every disclosure or stray write into a
 * crash.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostcall/hostcall_host.h"
#include "hostile/driver.h"

enum {
    CALLS_PER_INPUT = 4,
    INPUT_MAX = 4096,
    SERVE_FIRST = 1,
    LIE_IN_PAYLOAD = 2,
    LIE_IN_CONTROL = 4,
    INSIDE_LIES = 8
};

static struct hostile_driver driver;
static uint8_t how;

static void take_bytes(void *to, size_t size)
{
    size_t taken = driver.data_size < size ? driver.data_size : size;
    if (taken != 0) {
        memcpy(to, driver.data, taken);
    }
    driver.data += taken;
    driver.data_size -= taken;
}

static void lie(struct hostile_driver *of)
{
    struct alc_ring_control *control = &of->server.channel->control;
    if ((how & SERVE_FIRST) != 0) {
        hostile_serve(of);
    }
    if ((how & LIE_IN_PAYLOAD) != 0) {
        take_bytes(of->server.channel->payload, (size_t)(hostile_number(of) & 0xff));
    }
    if ((how & LIE_IN_CONTROL) != 0) {
        uint64_t *words = (uint64_t *)(void *)control;
        words[hostile_number(of) % (sizeof *control / sizeof *words)] = hostile_number(of);
    } else {
        uint64_t index = (of->server.completion_tail - 1) & (ALC_RING_SLOTS - 1);
        take_bytes(&control->completions[index].args, 5 * sizeof(uint64_t));
        uint64_t result = 0;
        take_bytes(&result, 2);
        control->completions[index].result = (int16_t)result;
    }
}

static void drive_requests(void)
{
    struct alc_ring_control *control = &driver.server.channel->control;
    take_bytes(driver.server.channel->payload, 64);
    while (driver.data_size != 0) {
        uint64_t index = driver.server.request_head & (ALC_RING_SLOTS - 1);
        take_bytes(&control->requests[index], sizeof control->requests[index]);
        control->request_tail = driver.server.request_head + 1;
        if (alc_hostcall_serve(&driver.server) != ALC_OK) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    if (driver.region == NULL) {
        hostile_init(&driver);
    }
    hostile_restart(&driver);
    driver.seed = 1;
    driver.answer = lie;
    /* The input may not hold the secret itself, or the host would seem to have learnt it. */
    static uint8_t copy[INPUT_MAX];
    driver.data = copy;
    driver.data_size = size - 2 < INPUT_MAX ? size - 2 : INPUT_MAX;
    for (size_t i = 0; i < driver.data_size; i++) {
        copy[i] = data[i + 2] == HOSTILE_SECRET ? 0 : data[i + 2];
    }
    how = data[1];
    if ((how & INSIDE_LIES) != 0) {
        drive_requests();
        return 0;
    }
    for (size_t i = 0; i < CALLS_PER_INPUT && driver.data_size != 0; i++) {
        (void)hostile_drive(&driver, (data[0] + i) % hostile_rows_count);
        if (driver.failed_check != NULL) {
            fprintf(stderr, "%s\n", driver.failed_check);
            abort();
        }
    }
    return 0;
}
