/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are wiped: whatever memory the broker and its libraries give back, no secret is in it,
 * nor the key for tokens. So this program has its own free and realloc, which look at each block;
 * realloc moves always. Stored over HTTP and directly, changed, given away, deleted, read at
 * another start.
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "unit/kbs/world.h"

enum { LARGE = 100000, MARK_SIZE = 24 };

static const char mark[] = "a-secret-to-be-forgotten";
static const char key_mark[] = "-----BEGIN PRIVATE KEY--";
static char body[LARGE];
static atomic_int found;
static atomic_int looks;

void __libc_free(void *block);

static void look(void *block)
{
    if (block != NULL && atomic_load(&looks) != 0) {
        const size_t size = malloc_usable_size(block);
        if (memmem(block, size, mark, MARK_SIZE) != NULL ||
            memmem(block, size, key_mark, MARK_SIZE) != NULL) {
            atomic_fetch_add(&found, 1);
        }
    }
}

void free(void *block)
{
    look(block);
    __libc_free(block);
}

void *realloc(void *block, size_t size)
{
    void *moved = malloc(size);
    if (block != NULL && moved != NULL) {
        const size_t old_size = malloc_usable_size(block);
        memcpy(moved, block, old_size < size ? old_size : size);
        free(block);
    }
    return moved;
}

static void expect_nothing(const char *what)
{
    if (atomic_exchange(&found, 0) != 0) {
        fail_msg("%s: a secret was in memory that was given back", what);
    }
}

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = mark[i % MARK_SIZE];
    }
    const int result = setup(state);
    atomic_store(&found, 0);
    atomic_store(&looks, 1);
    return result;
}

static int tear_down(void **state)
{
    atomic_store(&looks, 0);
    return teardown(state);
}

static void put_body(size_t size)
{
    struct alc_kbs_response response;
    ask_broker(&(struct alc_kbs_request){.method = ALC_KBS_POST,
                                         .path = "/kbs/v0/resource/repo/key/1",
                                         .bearer = admin_token(admin_key, ES256, FOR_LONG),
                                         .body = body,
                                         .body_size = size},
               &response);
    assert_int_equal(response.http_status, 200);
    free(response.body);
}

/* Without anything found the test would pass if it could find nothing. */
static void test_itself(void **state)
{
    (void)state;
    char *copy = malloc(100);
    memcpy(copy, body, 100);
    copy = realloc(copy, 200);
    assert_int_equal(atomic_exchange(&found, 0), 1);
    free(copy);
    assert_int_equal(atomic_exchange(&found, 0), 1);
}

static void test_directly(void **state)
{
    (void)state;
    for (size_t size = 32; size <= LARGE; size *= 5) {
        put_body(size);
        expect_nothing("put");
        struct run run = get(ALC_BROKER_SGX, "repo/key/1");
        assert_int_equal(run.status, ALC_OK);
        free(run.response.body);
        expect_nothing("get");
    }
    put_body(40);
    expect_nothing("put something shorter");
    assert_int_equal(administer(ALC_KBS_DELETE, "/kbs/v0/resource/repo/key/1",
                                admin_token(admin_key, ES256, FOR_LONG), ""),
                     200);
    expect_nothing("delete");
    alc_kbs_close(kbs);
    expect_nothing("close");
    open_kbs(true);
    expect_nothing("open");
}

static void exchange(uint16_t port, const void *bytes, size_t size)
{
    static char answer[4096];
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const void *)&address, sizeof address), 0);
    for (size_t done = 0; done < size;) {
        const ssize_t count = send(fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        assert_true(count > 0);
        done += (size_t)count;
    }
    assert_true(recv(fd, answer, sizeof answer, 0) > 12);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    close(fd);
}

static void test_over_http(void **state)
{
    static char request[LARGE + 2000];
    const struct alc_kbs_listener listener = {.address = "127.0.0.1", .threads = 1};
    struct alc_kbs_server *server;
    uint16_t port;
    (void)state;
    assert_int_equal(alc_kbs_serve(kbs, &listener, &server, &port, NULL), ALC_OK);
    for (size_t size = 1000; size <= LARGE; size *= 10) {
        const int head =
            snprintf(request, sizeof request,
                     "POST /kbs/v0/resource/repo/key/1 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n"
                     "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n",
                     admin_token(admin_key, ES256, FOR_LONG), size);
        memcpy(request + head, body, size);
        exchange(port, request, (size_t)head + size);
    }
    alc_kbs_stop(server);
    expect_nothing("put over HTTP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_over_http, set_up, tear_down),
    };
    world_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_free();
    return failed;
}
