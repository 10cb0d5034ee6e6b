/* SPDX-License-Identifier: Apache-2.0
 *
 * Handles, streams, listings, waiting, clocks, sockets and pages of os_linux.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "os_linux_fixture.h"

static void test_only_granted_handles(void **state)
{
    struct fixture *fixture = *state;
    struct alc_os_stat info;
    /* The process has descriptors 0 to 2; the table does not. */
    for (int32_t handle = -3; handle < ROOT; handle++) {
        assert_int_equal(fixture->os->stat(fixture->context, handle, &info),
                         -ALC_OS_BAD_DESCRIPTOR);
    }
    assert_int_equal(fixture->os->stat(fixture->context, INT32_MAX, &info), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(fixture->os->stat(fixture->context, INT32_MIN, &info), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(fixture->os->stat(fixture->context, ROOT, &info), 0);
    assert_int_equal(alc_os_linux_grant(fixture->system, ROOT, 0, 0), -ALC_OS_EXISTS);
    assert_int_equal(alc_os_linux_grant(fixture->system, 1, 1000000, 0), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_os_linux_grant(fixture->system, 1, 1, 0), 1);
    assert_int_equal(fixture->os->close(fixture->context, 1), 0);
    assert_int_equal(fixture->os->close(fixture->context, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(fcntl(1, F_GETFD) >= 0, 1); /* not owned: still open */
}

/* A log that the caller opened for appending, shared with whoever else has it open. */
static void test_borrowed_streams_keep_their_flags(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    uint8_t text[] = "new";
    uint8_t held[8] = {0};
    const struct alc_span span = {text, 3};
    int fd = memfd_create("log", MFD_CLOEXEC);
    assert_int_equal(write(fd, "old", 3), 3);
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    int before = fcntl(fd, F_GETFL);
    assert_int_equal(alc_os_linux_grant(fixture->system, 1, fd, 0), 1);
    assert_int_equal(os->set_flags(fixture->context, 1, 0), -ALC_OS_NOT_PERMITTED);
    assert_int_equal(os->set_flags(fixture->context, 1, ALC_OS_OPEN_APPEND | ALC_OS_OPEN_NONBLOCK),
                     -ALC_OS_NOT_PERMITTED);
    assert_int_equal(os->set_flags(fixture->context, 1, ALC_OS_OPEN_APPEND), 0);
    assert_int_equal(os->set_size(fixture->context, 1, 0), -ALC_OS_NOT_PERMITTED);
    assert_int_equal(os->write_at(fixture->context, 1, &span, 1, 0), 3);
    assert_int_equal(pread(fd, held, sizeof held, 0), 6);
    assert_memory_equal(held, "oldnew", 6);
    assert_int_equal(fcntl(fd, F_GETFL), before);
    assert_int_equal(os->close(fixture->context, 1), 0);
    close(fd);
}

static void test_handles_limit(void **state)
{
    struct fixture *fixture = *state;
    struct alc_os_linux_options options = {.handles_limit = ROOT + 3};
    struct alc_os_linux *small;
    assert_int_equal(alc_os_linux_new(&options, &small), ALC_OK);
    const struct alc_os *os = alc_os_linux_get_os(small);
    assert_int_equal(alc_os_linux_grant_directory(small, ROOT, fixture->base, 0), ROOT);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(
            os->operations->open_at(os->context, ROOT, BYTES("mount"), ALC_OS_OPEN_READ), ROOT + i);
    }
    assert_int_equal(os->operations->open_at(os->context, ROOT, BYTES("mount"), ALC_OS_OPEN_READ),
                     -ALC_OS_TOO_MANY_OPEN);
    assert_int_equal(os->operations->close(os->context, ROOT + 1), 0);
    assert_int_equal(os->operations->open_at(os->context, ROOT, BYTES("mount"), ALC_OS_OPEN_READ),
                     ROOT + 1);
    assert_int_equal(alc_os_linux_grant(small, ROOT + 3, 0, 0), -ALC_OS_BAD_DESCRIPTOR);
    alc_os_linux_free(small);
}

static void test_memory_handles(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    uint8_t first[4];
    uint8_t second[10];
    uint8_t outcome[8];
    size_t outcome_size;
    struct alc_span spans[] = {{first, sizeof first}, {second, sizeof second}};
    assert_int_equal(alc_os_linux_grant_bytes(fixture->system, ALC_OS_MODULE, "0123456789", 10),
                     ALC_OS_MODULE);
    assert_int_equal(os->read(fixture->context, ALC_OS_MODULE, spans, 2), 10);
    assert_memory_equal(first, "0123", 4);
    assert_memory_equal(second, "456789", 6);
    assert_int_equal(os->read(fixture->context, ALC_OS_MODULE, spans, 2), 0);
    assert_int_equal(os->seek(fixture->context, ALC_OS_MODULE, -3, ALC_OS_SEEK_END), 7);
    assert_int_equal(os->read(fixture->context, ALC_OS_MODULE, spans, 1), 3);
    assert_int_equal(os->seek(fixture->context, ALC_OS_MODULE, -11, ALC_OS_SEEK_CUR),
                     -ALC_OS_INVALID);
    assert_int_equal(os->read_at(fixture->context, ALC_OS_MODULE, spans, 1, 8), 2);
    assert_int_equal(os->read_at(fixture->context, ALC_OS_MODULE, spans, 1, UINT64_MAX),
                     -ALC_OS_INVALID);
    assert_int_equal(os->write(fixture->context, ALC_OS_MODULE, spans, 1), -ALC_OS_BAD_DESCRIPTOR);
    assert_int_equal(alc_os_linux_grant_buffer(fixture->system, ALC_OS_OUTCOME, outcome,
                                               sizeof outcome, &outcome_size),
                     ALC_OS_OUTCOME);
    assert_int_equal(os->write(fixture->context, ALC_OS_OUTCOME, spans, 1), 4);
    assert_int_equal(os->write(fixture->context, ALC_OS_OUTCOME, spans, 2), 4);
    assert_int_equal(os->write(fixture->context, ALC_OS_OUTCOME, spans, 1), -ALC_OS_NO_SPACE);
    assert_int_equal(outcome_size, 8);
    assert_int_equal(os->read(fixture->context, ALC_OS_OUTCOME, spans, 1), -ALC_OS_BAD_DESCRIPTOR);
}

static void test_files(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    uint8_t text[] = "hello world";
    struct alc_span spans[] = {{text, 5}, {text + 5, 6}};
    struct alc_os_stat info;
    int32_t handle = (int32_t)open_named(fixture, "f",
                                         ALC_OS_OPEN_READ | ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    assert_int_equal(os->write(fixture->context, handle, spans, 2), 11);
    assert_int_equal(os->write_at(fixture->context, handle, spans, 1, 6), 5);
    assert_int_equal(os->seek(fixture->context, handle, 0, ALC_OS_SEEK_SET), 0);
    assert_int_equal(os->seek(fixture->context, handle, 0, 3), -ALC_OS_INVALID);
    memset(text, 0, sizeof text);
    assert_int_equal(os->read(fixture->context, handle, spans, 2), 11);
    assert_string_equal((char *)text, "hello hello");
    assert_int_equal(os->set_size(fixture->context, handle, 100), 0);
    assert_int_equal(os->allocate(fixture->context, handle, 50, 100), 0);
    assert_int_equal(os->advise(fixture->context, handle, 0, 0, 3), 0);
    assert_int_equal(os->advise(fixture->context, handle, 0, 0, 6), -ALC_OS_INVALID);
    assert_int_equal(os->sync(fixture->context, handle, 1), 0);
    assert_int_equal(os->set_times(fixture->context, handle, 1, 2, ALC_OS_TIME_MODIFY), 0);
    assert_int_equal(
        os->set_times(fixture->context, handle, 1, 2, ALC_OS_TIME_MODIFY | ALC_OS_TIME_MODIFY_NOW),
        -ALC_OS_INVALID);
    assert_int_equal(os->stat(fixture->context, handle, &info), 0);
    assert_int_equal(info.size, 150);
    assert_int_equal(info.type, ALC_OS_TYPE_REGULAR_FILE);
    assert_int_equal(info.modify_time_ns, 2);
    assert_int_equal(os->get_flags(fixture->context, handle), 0);
    assert_int_equal(os->set_flags(fixture->context, handle, ALC_OS_OPEN_APPEND), 0);
    assert_int_equal(os->get_flags(fixture->context, handle), ALC_OS_OPEN_APPEND);
    assert_int_equal(os->set_flags(fixture->context, handle, ALC_OS_OPEN_SYNC),
                     -ALC_OS_NOT_SUPPORTED);
    assert_int_equal(os->set_flags(fixture->context, handle, ALC_OS_OPEN_READ), -ALC_OS_INVALID);
    assert_int_equal(os->open_at(fixture->context, ROOT, BYTES("f"),
                                 ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE | ALC_OS_OPEN_EXCLUSIVE),
                     -ALC_OS_EXISTS);
}

static void test_closed_pipe(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    struct alc_span span = {.bytes = (uint8_t *)"x", .size = 1};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(alc_os_linux_grant(fixture->system, 1, ends[1], ALC_OS_LINUX_OWNED), 1);
    assert_int_equal(fixture->os->seek(fixture->context, 1, 0, ALC_OS_SEEK_CUR), -ALC_OS_NO_SEEK);
    close(ends[0]);
    assert_int_equal(fixture->os->write(fixture->context, 1, &span, 1), -ALC_OS_PIPE);
}

/* -- listings -- */

/* Reads one entry behind *cookie; its name, or NULL at the end. */
static const char *next_entry(struct fixture *fixture, int32_t dir, uint64_t *cookie)
{
    static char name[256];
    uint8_t buf[sizeof(struct alc_os_directory_entry) + 255];
    struct alc_os_directory_entry entry;
    size_t size = sizeof buf;
    int64_t result = fixture->os->read_directory(fixture->context, dir, *cookie, buf, size);
    assert_true(result >= 0);
    if (result == 0) {
        return NULL;
    }
    memcpy(&entry, buf, sizeof entry);
    memcpy(name, buf + sizeof entry, entry.name_size);
    name[entry.name_size] = '\0';
    *cookie = entry.next;
    return name;
}

static void test_listing_stays_put(void **state)
{
    enum { FILES = 300 };
    struct fixture *fixture = *state;
    bool seen[FILES] = {false};
    char name[32];
    unsigned dots = 0;
    uint64_t cookie = 0;
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "mount/f%d", i);
        write_outside(fixture, name, "");
    }
    unsigned count = 0;
    for (const char *found; (found = next_entry(fixture, ROOT, &cookie)) != NULL; count++) {
        int number;
        if (sscanf(found, "f%d", &number) == 1) {
            assert_false(seen[number]);
            seen[number] = true;
        } else {
            dots += found[0] == '.';
        }
        /* Somebody keeps changing the directory, also removing what was just told. */
        snprintf(name, sizeof name, "mount/new%u", count);
        write_outside(fixture, name, "");
        if (found[0] == 'f') {
            snprintf(name, sizeof name, "mount/%.20s", found);
            assert_int_equal(unlink(outside_path(fixture, name)), 0);
        }
    }
    assert_int_equal(dots, 2);
    assert_int_equal(count, FILES + 2);
    /* The same cookie goes on at the same place, and 0 begins anew. */
    cookie = 3;
    char third[256];
    snprintf(third, sizeof third, "%s", next_entry(fixture, ROOT, &cookie));
    cookie = 3;
    assert_string_equal(third, next_entry(fixture, ROOT, &cookie));
    cookie = 0;
    assert_non_null(next_entry(fixture, ROOT, &cookie));
    cookie = UINT64_MAX;
    assert_null(next_entry(fixture, ROOT, &cookie));
}

static void test_listing_sizes(void **state)
{
    struct fixture *fixture = *state;
    uint8_t buf[4096];
    const struct alc_os_operations *os = fixture->os;
    write_outside(fixture, "mount/name", "");
    /* `.`, `..` and `name`, packed. */
    int64_t whole = os->read_directory(fixture->context, ROOT, 0, buf, sizeof buf);
    assert_int_equal(whole, 3 * sizeof(struct alc_os_directory_entry) + 1 + 2 + 4);
    int64_t cut = os->read_directory(fixture->context, ROOT, 0, buf, (size_t)whole - 1);
    assert_true(cut > 0 && cut < whole);
    assert_int_equal(os->read_directory(fixture->context, ROOT, 0, buf, 24), -ALC_OS_OVERFLOW);
    int32_t file = (int32_t)open_named(fixture, "name", ALC_OS_OPEN_READ);
    assert_int_equal(os->read_directory(fixture->context, file, 0, buf, sizeof buf),
                     -ALC_OS_NOT_DIRECTORY);
}

/* -- waiting -- */

static void *write_later(void *argument)
{
    int *fd = argument;
    usleep(30000);
    assert_int_equal(write(*fd, "abc", 3), 3);
    return NULL;
}

static void test_poll(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    int ends[2];
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(alc_os_linux_grant(fixture->system, 0, ends[0], ALC_OS_LINUX_OWNED), 0);
    struct alc_os_poll polls[2] = {{.handle = 0, .wanted = ALC_OS_POLL_READ},
                                   {.handle = 77, .wanted = ALC_OS_POLL_READ}};
    int64_t start = os->clock_read(fixture->context, ALC_OS_CLOCK_MONOTONIC, 0);
    assert_int_equal(os->poll(fixture->context, polls, 1, 20000000), 0);
    assert_int_equal(os->poll(fixture->context, NULL, 0, 20000000), 0);
    int64_t passed = os->clock_read(fixture->context, ALC_OS_CLOCK_MONOTONIC, 0) - start;
    assert_true(passed >= 40000000);
    assert_int_equal(os->poll(fixture->context, polls, 2, ALC_OS_NO_TIMEOUT), 1);
    assert_int_equal(polls[0].ready, 0);
    assert_int_equal(polls[1].ready, ALC_OS_POLL_INVALID);
    assert_int_equal(pthread_create(&thread, NULL, write_later, &ends[1]), 0);
    assert_int_equal(os->poll(fixture->context, polls, 1, ALC_OS_NO_TIMEOUT), 1);
    pthread_join(thread, NULL);
    assert_int_equal(polls[0].ready & ALC_OS_POLL_READ, ALC_OS_POLL_READ);
    assert_int_equal(polls[0].available, 3);
    assert_int_equal(os->poll(fixture->context, polls, 2, 0), 2);
    close(ends[1]);
    assert_int_equal(os->poll(fixture->context, polls, 1, 0), 1);
    assert_int_equal(polls[0].ready & ALC_OS_POLL_HANGUP, ALC_OS_POLL_HANGUP);
    assert_int_equal(os->poll(fixture->context, polls, ALC_LIMIT_WASI_SUBSCRIPTIONS + 1, 0),
                     -ALC_OS_INVALID);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void test_poll_repeats_after_signals(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    struct sigaction action = {.sa_handler = ignore_signal};
    sigaction(SIGUSR1, &action, NULL);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++) {
            usleep(5000);
            kill(parent, SIGUSR1);
        }
        _exit(0);
    }
    int64_t start = os->clock_read(fixture->context, ALC_OS_CLOCK_MONOTONIC, 0);
    assert_int_equal(os->poll(fixture->context, NULL, 0, 100000000), 0);
    int64_t passed = os->clock_read(fixture->context, ALC_OS_CLOCK_MONOTONIC, 0) - start;
    assert_true(passed >= 100000000);
    waitpid(child, NULL, 0);
}

static void *read_handle_one(void *argument)
{
    struct fixture *fixture = argument;
    uint8_t byte;
    struct alc_span span = {.bytes = &byte, .size = 1};
    int64_t result = fixture->os->read(fixture->context, 0, &span, 1);
    return (void *)(intptr_t)result;
}

static void test_close_waits_for_users(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    pthread_t thread;
    void *result;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(alc_os_linux_grant(fixture->system, 0, ends[0], ALC_OS_LINUX_OWNED), 0);
    assert_int_equal(pthread_create(&thread, NULL, read_handle_one, fixture), 0);
    usleep(30000);
    assert_int_equal(fixture->os->close(fixture->context, 0), 0);
    assert_true(fcntl(ends[0], F_GETFD) >= 0); /* the reader still has it */
    assert_int_equal(alc_os_linux_grant(fixture->system, 0, ends[1], 0), -ALC_OS_EXISTS);
    assert_int_equal(write(ends[1], "x", 1), 1);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 1);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    close(ends[1]);
}

static void test_clocks(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t clock = 0; clock < 4; clock++) {
        assert_true(fixture->os->clock_read(fixture->context, clock, 0) > 0);
        assert_true(fixture->os->clock_read(fixture->context, clock, 1) > 0);
    }
    assert_int_equal(fixture->os->clock_read(fixture->context, 4, 0), -ALC_OS_INVALID);
    assert_int_equal(fixture->os->yield(fixture->context), 0);
}

static void test_sockets(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    enum { ONE_END = ALC_OS_FIRST_MOUNT + 1, OTHER_END };
    int ends[2];
    uint8_t text[8] = "abcdefg";
    uint8_t got[4] = {0};
    uint32_t out_flags = 0;
    struct alc_span all = {text, sizeof text};
    struct alc_span part = {got, sizeof got};
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    assert_int_equal(alc_os_linux_grant(fixture->system, ONE_END, ends[0], ALC_OS_LINUX_OWNED),
                     ONE_END);
    assert_int_equal(alc_os_linux_grant(fixture->system, OTHER_END, ends[1], ALC_OS_LINUX_OWNED),
                     OTHER_END);
    struct alc_os_stat info;
    assert_int_equal(os->stat(fixture->context, ONE_END, &info), 0);
    assert_int_equal(info.type, ALC_OS_TYPE_SOCKET_DGRAM);
    assert_int_equal(os->send(fixture->context, ONE_END, &all, 1), 8);
    assert_int_equal(os->recv(fixture->context, OTHER_END, &part, 1, ALC_OS_RECV_PEEK, &out_flags),
                     4);
    assert_int_equal(out_flags, ALC_OS_RECV_TRUNCATED);
    assert_int_equal(os->recv(fixture->context, OTHER_END, &part, 1, 0, &out_flags), 4);
    assert_memory_equal(got, "abcd", 4);
    assert_int_equal(os->recv(fixture->context, OTHER_END, &part, 1, 1u << 9, &out_flags),
                     -ALC_OS_INVALID);
    assert_int_equal(os->shutdown(fixture->context, ONE_END, 0), -ALC_OS_INVALID);
    assert_int_equal(os->shutdown(fixture->context, ONE_END, ALC_OS_SHUTDOWN_WRITE), 0);
    assert_int_equal(os->send(fixture->context, ONE_END, &all, 1), -ALC_OS_PIPE);
    assert_int_equal(os->accept(fixture->context, ONE_END, 0), -ALC_OS_NOT_SUPPORTED);
}

__attribute__((no_sanitize("undefined"))) /* that looks for a mark in front of functions */
static void
test_pages_and_random(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_os_operations *os = fixture->os;
    size_t size = (size_t)1 << 32;
    uint8_t random[2][32] = {{0}};
    uint8_t *pages = os->pages_reserve(fixture->context, size);
    assert_non_null(pages);
    assert_int_equal((uintptr_t)pages % 4096, 0);
    assert_int_equal(os->pages_commit(fixture->context, pages + size / 2, 8192), 0);
    assert_int_equal(pages[size / 2 + 8191], 0);
    pages[size / 2] = 1;
    static const uint8_t code[] = {0xB8, 0x2A, 0x05, 0x00, 0x00, 0xC3}; /* mov eax, 1322; ret */
    uint32_t (*function)(void);
    memcpy(pages + size / 2, code, sizeof code);
    assert_int_equal(os->pages_execute(fixture->context, pages + size / 2, 4096), 0);
    memcpy(&function, &(void *){pages + size / 2}, sizeof function);
    assert_int_equal(function(), 1322);
    os->pages_release(fixture->context, pages, size);
    assert_int_equal(os->random(fixture->context, random[0], 32), 0);
    assert_int_equal(os->random(fixture->context, random[1], 32), 0);
    assert_memory_not_equal(random[0], random[1], 32);
}

#define ONE_WAY(test) {#test, test, setup_kernel, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE_WAY(test_only_granted_handles),
        ONE_WAY(test_borrowed_streams_keep_their_flags),
        ONE_WAY(test_handles_limit),
        ONE_WAY(test_memory_handles),
        ONE_WAY(test_files),
        ONE_WAY(test_closed_pipe),
        ONE_WAY(test_listing_stays_put),
        ONE_WAY(test_listing_sizes),
        ONE_WAY(test_poll),
        ONE_WAY(test_poll_repeats_after_signals),
        ONE_WAY(test_close_waits_for_users),
        ONE_WAY(test_clocks),
        ONE_WAY(test_sockets),
        ONE_WAY(test_pages_and_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
