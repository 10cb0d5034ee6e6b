/* SPDX-License-Identifier: Apache-2.0
 *
 * What a round with the key broker costs the broker: authentication, attestation with an SGX quote
 * that is verified with its collateral, one resource. Once without HTTP, step by step; once over
 * HTTP on loopback, with the broker in a process of its own whose processor time is counted.
 *
 *   kbs_bench DIRECTORY [ROUNDS]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit/attest/platform_make.h"

#include "broker/client.h"
#include "kbs/kbs.h"
#include "keys/keys.h"

enum { MEMORY_SIZE = 1 << 20, ANSWER_MAX = 1 << 17, STEPS = 3 };

static struct platform platform;
static struct alc_collateral collateral;
static uint8_t memory[MEMORY_SIZE];

static const char rules[] = "{\"rules\":[{\"resource\":\"repo/key/1\",\"tee\":[\"sgx\"],"
                            "\"claims\":{\"isv_svn\":{\"min\":3},\"debug\":false}}]}";

static void check(bool is_good, const char *what)
{
    if (!is_good) {
        fprintf(stderr, "kbs_bench: %s failed\n", what);
        exit(1);
    }
}

static int64_t clock_s(void)
{
    return PLATFORM_NOW;
}

static double cpu_seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The platform's quote for other report data, signed anew. */
static alc_status quote_for(void *context, const uint8_t report_data[64], struct alc_writer *out)
{
    enum { REPORT_DATA_AT = 48 + 320, SIGNED = 432, SIGNATURE_AT = 436 };
    (void)context;
    memcpy(platform.quote + REPORT_DATA_AT, report_data, 64);
    sign_raw(platform.attestation_key, platform.quote, SIGNED, platform.quote + SIGNATURE_AT);
    alc_write_bytes(out, platform.quote, platform.appraisal.evidence.size);
    return ALC_OK;
}

static const struct alc_attester attester = {.evidence = quote_for};

static struct alc_kbs *open_broker(const char *folder)
{
    char path[400];
    struct alc_kbs *kbs;
    struct alc_error error;
    snprintf(path, sizeof path, "%s/kbs_bench.db", folder);
    unlink(path);
    const struct alc_kbs_options options = {
        .store_path = path,
        .root_sha256 = platform.root_sha256,
        .collateral = {.items = &collateral, .count = 1},
        .has_loopback_admin = true,
        .now_s = clock_s,
    };
    alc_error_clear(&error);
    check(alc_kbs_open(&options, &kbs, &error) == ALC_OK, "opening");
    check(alc_kbs_set_policy(kbs, rules, sizeof rules - 1, &error) == ALC_OK, "the policy");
    struct alc_kbs_response response;
    alc_kbs_handle(kbs,
                   &(struct alc_kbs_request){.method = ALC_KBS_POST,
                                             .path = "/kbs/v0/resource/repo/key/1",
                                             .peer = "",
                                             .is_loopback = true,
                                             .body = "0123456789abcdef0123456789abcdef",
                                             .body_size = 32},
                   &response);
    check(response.http_status == 200, "storing");
    unlink(path); /* gone when the process is */
    return kbs;
}

/* How a request gets to the broker and an answer back. */
struct way {
    void (*carry)(struct way *way, size_t step, const struct alc_broker_request *request,
                  struct alc_broker_answer *out);
    struct alc_kbs *kbs;
    struct alc_kbs_response response;
    double seconds[STEPS];
    int fd;
    char answer[ANSWER_MAX];
    char session[40];
};

static void run_round(struct way *way)
{
    static const char name[] = "repo/key/1";
    const struct alc_text resource = {(const uint8_t *)name, sizeof name - 1};
    struct alc_broker_client client;
    struct alc_text secret = {NULL, 0};
    static const struct alc_broker_client_options client_options = {
        .tee = ALC_BROKER_SGX, .attester = &attester, .random = &alc_keys_random};
    alc_broker_client_init(&client, &client_options);
    check(alc_broker_client_ask(&client, &resource) == ALC_OK, "asking");
    for (size_t step = 0; !alc_broker_client_is_done(&client); step++) {
        struct alc_arena arena;
        struct alc_broker_request request;
        struct alc_broker_answer answer;
        alc_arena_init(&arena, memory, sizeof memory);
        check(alc_broker_client_request(&client, &arena, &request) == ALC_OK, "a request");
        way->carry(way, step, &request, &answer);
        if (alc_broker_client_answer(&client, &arena, &answer, &secret, NULL) != ALC_OK) {
            fprintf(stderr, "%.*s\n", (int)client.reason_size, client.reason);
            check(false, "an answer");
        }
    }
    check(secret.size == 32, "the secret");
}

/* -- without HTTP -- */

static void carry_directly(struct way *way, size_t step, const struct alc_broker_request *request,
                           struct alc_broker_answer *out)
{
    char path[300];
    char session[40];
    snprintf(path, sizeof path, "%.*s", (int)request->path.size, request->path.bytes);
    snprintf(session, sizeof session, "%.*s", (int)request->session.size, request->session.bytes);
    free(way->response.body);
    const double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    alc_kbs_handle(
        way->kbs,
        &(struct alc_kbs_request){.method = request->is_post ? ALC_KBS_POST : ALC_KBS_GET,
                                  .path = path,
                                  .session = session,
                                  .peer = "127.0.0.1",
                                  .body = (const char *)request->body.bytes,
                                  .body_size = request->body.size},
        &way->response);
    way->seconds[step] += cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    *out = (struct alc_broker_answer){
        .http_status = way->response.http_status,
        .session = {(const uint8_t *)way->response.session, strlen(way->response.session)},
        .body = {(const uint8_t *)way->response.body, way->response.body_size},
    };
}

static void bench_steps(const char *folder, int rounds)
{
    static struct way way = {.carry = carry_directly};
    static const char *const names[STEPS] = {"auth", "attest", "resource"};
    double sum = 0;
    way.kbs = open_broker(folder);
    for (int i = 0; i < rounds; i++) {
        run_round(&way);
    }
    for (size_t step = 0; step < STEPS; step++) {
        printf("%-9s %8.1f us of processor time\n", names[step], way.seconds[step] / rounds * 1e6);
        sum += way.seconds[step];
    }
    printf("round     %8.1f us: %.0f rounds a second and processor, without HTTP\n",
           sum / rounds * 1e6, rounds / sum);
    free(way.response.body);
    alc_kbs_close(way.kbs);
}

/* -- over HTTP -- */

static uint16_t read_port(int fd)
{
    uint16_t port = 0;
    check(read(fd, &port, sizeof port) == sizeof port, "the broker's start");
    return port;
}

/* Until it is killed. */
static void serve(const char *folder, int fd)
{
    struct alc_kbs_server *server;
    struct alc_error error;
    uint16_t port;
    alc_error_clear(&error);
    const struct alc_kbs_listener listener = {.address = "127.0.0.1", .threads = 1};
    check(alc_kbs_serve(open_broker(folder), &listener, &server, &port, &error) == ALC_OK,
          "serving");
    check(write(fd, &port, sizeof port) == sizeof port, "telling the port");
    for (;;) {
        pause();
    }
}

static size_t receive(struct way *way, const char **out_body)
{
    size_t size = 0;
    for (;;) {
        const ssize_t count = recv(way->fd, way->answer + size, ANSWER_MAX - 1 - size, 0);
        check(count > 0, "receiving");
        size += (size_t)count;
        way->answer[size] = '\0';
        const char *end = strstr(way->answer, "\r\n\r\n");
        const char *length = end != NULL ? strcasestr(way->answer, "content-length:") : NULL;
        if (length != NULL) {
            const size_t body_size = strtoul(length + 15, NULL, 10);
            if (size >= (size_t)(end + 4 - way->answer) + body_size) {
                *out_body = end + 4;
                return body_size;
            }
        }
    }
}

static void carry_over_http(struct way *way, size_t step, const struct alc_broker_request *request,
                            struct alc_broker_answer *out)
{
    static char text[ANSWER_MAX];
    const char *body;
    (void)step;
    const int size = snprintf(
        text, sizeof text,
        "%s %.*s HTTP/1.1\r\nHost: b\r\nCookie: %s=%.*s\r\nContent-Length: %zu\r\n\r\n%.*s",
        request->is_post ? "POST" : "GET", (int)request->path.size, request->path.bytes,
        ALC_BROKER_COOKIE, (int)request->session.size, request->session.bytes, request->body.size,
        (int)request->body.size, request->body.bytes);
    check(send(way->fd, text, (size_t)size, 0) == size, "sending");
    const size_t body_size = receive(way, &body);
    const char *cookie = strstr(way->answer, ALC_BROKER_COOKIE "=");
    if (cookie != NULL && cookie < body) {
        snprintf(way->session, sizeof way->session, "%.32s", cookie + sizeof ALC_BROKER_COOKIE);
    }
    *out = (struct alc_broker_answer){
        .http_status = (unsigned)strtoul(way->answer + 9, NULL, 10),
        .session = {(const uint8_t *)way->session, strlen(way->session)},
        .body = {(const uint8_t *)body, body_size},
    };
}

static void bench_http(const char *folder, int rounds)
{
    static struct way way = {.carry = carry_over_http};
    const int on = 1;
    int fds[2];
    struct rusage usage;
    check(pipe(fds) == 0, "a pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        serve(folder, fds[1]);
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(read_port(fds[0]))};
    way.fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(way.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    check(connect(way.fd, (const void *)&address, sizeof address) == 0, "connecting");
    for (int i = 0; i < rounds; i++) {
        run_round(&way);
    }
    kill(pid, SIGKILL);
    check(wait4(pid, NULL, 0, &usage) == pid, "waiting");
    const double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    printf("over HTTP %8.1f us: %.0f rounds a second and processor\n", seconds / rounds * 1e6,
           rounds / seconds);
    close(way.fd);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2000;
    if (argc < 2 || rounds < 1) {
        fprintf(stderr, "usage: kbs_bench DIRECTORY [ROUNDS]\n");
        return 2;
    }
    platform_make(&platform, &platform_options_default);
    collateral = (struct alc_collateral){.pcs = &platform.collateral};
    bench_steps(argv[1], rounds);
    bench_http(argv[1], rounds);
    platform_free(&platform);
    return 0;
}
