/* SPDX-License-Identifier: Apache-2.0
 *
 * poll_oneoff over standard input, a file and clocks; the stream through standard input and output.
 */
#include "check.h"

static __wasi_subscription_t on_fd(uint64_t userdata, uint8_t tag, __wasi_fd_t fd)
{
    __wasi_subscription_t sub = {.userdata = userdata};
    sub.u.tag = tag;
    sub.u.u.fd_read.file_descriptor = fd;
    return sub;
}

static __wasi_subscription_t on_clock(uint64_t userdata, uint64_t timeout)
{
    __wasi_subscription_t sub = {.userdata = userdata};
    sub.u.tag = __WASI_EVENTTYPE_CLOCK;
    sub.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    sub.u.u.clock.timeout = timeout;
    return sub;
}

int main(void)
{
    __wasi_event_t events[8];
    __wasi_size_t count = 0;
    __wasi_subscription_t subs[4] = {on_fd(1, __WASI_EVENTTYPE_FD_READ, 0),
                                     on_clock(2, UINT64_C(20000000000))};
    OK(__wasi_poll_oneoff(subs, events, 2, &count));
    CHECK(count == 1 && events[0].userdata == 1 && events[0].error == 0);
    CHECK(events[0].type == __WASI_EVENTTYPE_FD_READ);
    char text[64];
    size_t size = read_text(0, text, sizeof text);
    CHECK(size == 6 && strcmp(text, "input\n") == 0);
    subs[0] = on_fd(3, __WASI_EVENTTYPE_FD_WRITE, 1);
    subs[1] = on_fd(4, __WASI_EVENTTYPE_FD_READ, 99);
    OK(__wasi_poll_oneoff(subs, events, 2, &count));
    CHECK(count == 2 && events[0].userdata == 4 && events[0].error == __WASI_ERRNO_BADF);
    CHECK(events[1].userdata == 3 && events[1].error == 0);
    __wasi_fd_t fd = open_at(ROOT, "hello.txt", 0, FILE_RIGHTS);
    subs[0] = on_fd(5, __WASI_EVENTTYPE_FD_READ, fd);
    OK(__wasi_poll_oneoff(subs, events, 1, &count));
    CHECK(count == 1 && events[0].fd_readwrite.nbytes == 6);
    /* Three clocks: only those that are through. */
    subs[0] = on_clock(6, UINT64_C(30000000000));
    subs[1] = on_clock(7, 1000000);
    subs[2] = on_clock(8, 1000000);
    OK(__wasi_poll_oneoff(subs, events, 3, &count));
    CHECK(count >= 1 && count <= 2 && events[0].userdata == 7);
    EXPECT(__wasi_poll_oneoff(subs, events, 0, &count), __WASI_ERRNO_INVAL);
    write_text(1, "output\n");
    return 0;
}
