/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, waiting for them, random bytes, yielding.
 */
#include "check.h"

static __wasi_timestamp_t now(__wasi_clockid_t id)
{
    __wasi_timestamp_t time = 0;
    OK(__wasi_clock_time_get(id, 1, &time));
    return time;
}

static void wait_for(__wasi_clockid_t id, __wasi_timestamp_t timeout, __wasi_subclockflags_t flags)
{
    __wasi_subscription_t sub = {.userdata = 99};
    sub.u.tag = __WASI_EVENTTYPE_CLOCK;
    sub.u.u.clock.id = id;
    sub.u.u.clock.timeout = timeout;
    sub.u.u.clock.flags = flags;
    __wasi_event_t event;
    __wasi_size_t count = 0;
    OK(__wasi_poll_oneoff(&sub, &event, 1, &count));
    CHECK(count == 1 && event.userdata == 99 && event.error == 0);
    CHECK(event.type == __WASI_EVENTTYPE_CLOCK);
}

int main(void)
{
    const __wasi_timestamp_t ms = 1000000;
    for (uint32_t id = 0; id < 2; id++) {
        __wasi_timestamp_t resolution = 0;
        OK(__wasi_clock_res_get((__wasi_clockid_t){id}, &resolution));
        CHECK(resolution > 0 && resolution <= 1000 * ms);
        __wasi_timestamp_t start = now((__wasi_clockid_t){id});
        wait_for((__wasi_clockid_t){id}, 20 * ms, 0);
        CHECK(now((__wasi_clockid_t){id}) >= start + 20 * ms);
        wait_for((__wasi_clockid_t){id}, start + 40 * ms,
                 __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
        CHECK(now((__wasi_clockid_t){id}) >= start + 40 * ms);
    }
    CHECK(now(__WASI_CLOCKID_REALTIME) > UINT64_C(1700000000000) * ms);
    __wasi_timestamp_t last = 0;
    for (int i = 0; i < 1000; i++) {
        __wasi_timestamp_t time = now(__WASI_CLOCKID_MONOTONIC);
        CHECK(time >= last);
        last = time;
    }
    __wasi_timestamp_t ignored = 0;
    EXPECT(__wasi_clock_time_get((__wasi_clockid_t){4}, 0, &ignored), __WASI_ERRNO_INVAL);
    OK(__wasi_sched_yield());
    static uint8_t random[3][100000];
    OK(__wasi_random_get(random[0], sizeof random[0]));
    OK(__wasi_random_get(random[1], sizeof random[1]));
    CHECK(memcmp(random[0], random[1], sizeof random[0]) != 0);
    CHECK(memcmp(random[0], random[2], sizeof random[0]) != 0);
    OK(__wasi_random_get(random[0], 0));
    return 0;
}
