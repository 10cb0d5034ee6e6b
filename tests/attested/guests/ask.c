/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program learns of the peers of its sockets, for tests/attested/asking.py:
 *
 *   ask listen | ask connect     prints the peer's verdict and claims, then echoes one byte
 *   ask badly                    tries what must be refused, on a connected socket that is attested
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attest.h"

enum { SOCKET = 3, CLOSED = 77 };
/* Of WASI, which are not those of C's errno.h in all libraries. */
enum { TOO_BIG = 1, BAD_DESCRIPTOR = 8, FAULT = 21, INVALID = 28, NOT_SOCKET = 57, OVERFLOW = 61 };

static uint8_t answer[1 << 21]; /* larger than any input may be */
static uint32_t size;

static int show(int fd)
{
    int result = attest_peer_verdict(fd, answer, sizeof answer, &size);
    printf("verdict %d %.*s\n", result, result == 0 ? (int)size : 0, (const char *)answer);
    int claims_result = attest_peer_claims(fd, answer, sizeof answer, &size);
    printf("claims %d ", claims_result);
    for (uint32_t i = 0; claims_result == 0 && i < size; i++) {
        printf("%02x", answer[i]);
    }
    puts("");
    return result;
}

static int listen_once(void)
{
    char byte;
    int fd = accept(SOCKET, NULL, NULL);
    int result = show(fd);
    while (result != 13 && read(fd, &byte, 1) == 1) {
        write(fd, &byte, 1);
    }
    close(fd);
    return 0;
}

static int connected(void)
{
    char byte = 'x';
    show(SOCKET);
    return write(SOCKET, &byte, 1) == 1 && read(SOCKET, &byte, 1) == 1 ? 0 : 1;
}

/* Ends when one is not refused as it has to be; prints which. */
#define MUST(call, wanted)                                                                         \
    do {                                                                                           \
        int got = (call);                                                                          \
        if (got != (wanted)) {                                                                     \
            printf("%s: %d\n", #call, got);                                                        \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int verify_with(const void *evidence, uint32_t evidence_size, uint32_t policy_size,
                       uint32_t nonce_size, int64_t now_s)
{
    return attest_verify(evidence, evidence_size, "", 0, answer, policy_size, answer, nonce_size,
                         now_s, answer, sizeof answer, &size);
}

static int badly(void)
{
    void *nowhere = (void *)(uintptr_t)0xfffffff0;
    uint32_t whole;
    MUST(attest_peer_verdict(SOCKET, answer, sizeof answer, &whole), 0);
    MUST(attest_peer_verdict(SOCKET, answer, 10, &size), OVERFLOW);
    MUST(size == whole, 1);
    MUST(attest_peer_claims(SOCKET, answer, 3, &size), OVERFLOW);
    MUST(attest_peer_claims(SOCKET, nowhere, 100, &size), FAULT);
    MUST(attest_peer_claims(SOCKET, answer, 100, nowhere), FAULT);
    MUST(attest_peer_claims(STDOUT_FILENO, answer, sizeof answer, &size), NOT_SOCKET);
    MUST(attest_peer_verdict(CLOSED, answer, sizeof answer, &size), BAD_DESCRIPTOR);
    MUST(attest_peer_verdict(-1, answer, sizeof answer, &size), BAD_DESCRIPTOR);
    MUST(accept(SOCKET, NULL, NULL), -1); /* it is connected, and no listener */
    MUST(errno == ENOTCAPABLE, 1);
    MUST(verify_with(nowhere, 100, 0, 0, 0), FAULT);
    MUST(verify_with(answer, (1 << 20) + 1, 0, 0, 0), TOO_BIG);
    MUST(verify_with(answer, 10, (1 << 16) + 1, 0, 0), TOO_BIG);
    MUST(verify_with(answer, 10, 0, 65, 0), TOO_BIG);
    MUST(verify_with(answer, 10, 0, 64, -1), INVALID);
    MUST(attest_verify(answer, 10, "", 0, "", 0, "", 0, 0, answer, 3, &size), OVERFLOW);
    MUST(attest_verify(answer, 10, "", 0, "", 0, "", 0, 0, nowhere, 100, &size), FAULT);
    MUST(close(SOCKET), 0);
    MUST(attest_peer_verdict(SOCKET, answer, sizeof answer, &size), BAD_DESCRIPTOR);
    puts("refused");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "listen") == 0) {
        return listen_once();
    }
    return argc == 2 && strcmp(argv[1], "connect") == 0 ? connected() : badly();
}
