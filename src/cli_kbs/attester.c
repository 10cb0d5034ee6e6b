/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence from another program's standard output.
 */
#include "cli_kbs/attester.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/message.h"

extern char **environ;

static void write_hex(const uint8_t *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

/* False when it cannot be started. */
static bool start(const char *program, char *digits, int fds[2], pid_t *out_pid)
{
    char *arguments[] = {(char *)(uintptr_t)program, digits, NULL};
    posix_spawn_file_actions_t actions;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    const int result = posix_spawnp(out_pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (result != 0) {
        close(fds[0]);
    }
    return result == 0;
}

static bool take_output(int fd, struct alc_writer *out)
{
    uint8_t buf[4096];
    size_t left = ALC_BROKER_EVIDENCE_MAX;
    for (;;) {
        const ssize_t size = read(fd, buf, sizeof buf);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0 || (size_t)size > left) {
            return size == 0;
        }
        alc_write_bytes(out, buf, (size_t)size);
        left -= (size_t)size;
    }
}

static alc_status run(void *context, const uint8_t report_data[ALC_EVIDENCE_REPORT_DATA_SIZE],
                      struct alc_writer *out)
{
    char digits[2 * ALC_EVIDENCE_REPORT_DATA_SIZE + 1];
    int fds[2];
    int exit_status = -1;
    pid_t pid;
    write_hex(report_data, ALC_EVIDENCE_REPORT_DATA_SIZE, digits);
    if (!start(context, digits, fds, &pid)) {
        return ALC_E_IO_FAILED;
    }
    const bool is_whole = take_output(fds[0], out);
    close(fds[0]);
    while (waitpid(pid, &exit_status, 0) < 0 && errno == EINTR) {
    }
    return is_whole && exit_status == 0 ? ALC_OK : ALC_E_IO_FAILED;
}

struct alc_attester kbs_attester_of_program(const char *program)
{
    return (struct alc_attester){.evidence = run, .context = (void *)(uintptr_t)program};
}
