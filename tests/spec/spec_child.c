/* SPDX-License-Identifier: Apache-2.0
 *
 * Forks, gives the child the stream and an anonymous file for its report, and waits.
 */
#include "spec/spec_child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os_linux/os_linux.h"
#include "spec/spec_core.h"
#include "spec/spec_drive.h"
#include "spec/spec_native.h"

enum { CHILD_DONE = 0, CHILD_FAILED = 1, MESSAGE_SIZE = 160 };

/* Outside the enclave address space is plenty; a crash of the guest must not eat the machine. */
static const struct alc_spec_sizes outside_sizes = {
    .stream_max = 64u << 20,
    .modules_max = UINT64_C(2) << 30,
    .types_max = 256u << 20,
    .memory_reserve_max = UINT64_C(1) << 30,
    .engine = &alc_spec_interpreter,
};

alc_status spec_place_outside(struct alc_os *os, const void *context, struct alc_error *error)
{
    (void)context;
    (void)error;
    return alc_spec_drive(os, &outside_sizes);
}

alc_status spec_place_native(struct alc_os *os, const void *context, struct alc_error *error)
{
    (void)context;
    (void)error;
    struct alc_spec_sizes sizes = outside_sizes;
    sizes.engine = spec_native_engine();
    return sizes.engine == NULL ? ALC_E_NOT_SUPPORTED : alc_spec_drive(os, &sizes);
}

static void say(int fd, alc_status status, const struct alc_error *error)
{
    char text[MESSAGE_SIZE];
    int size = snprintf(text, sizeof text, "%s %s", alc_status_text(status),
                        error->status == ALC_OK ? "" : error->detail);
    if (size > 0 && write(fd, text, strlen(text)) < 0) {
        _exit(CHILD_FAILED);
    }
}

static _Noreturn void be_child(const struct spec_batch *batch, int report_fd, int why_fd)
{
    struct alc_os_linux *system;
    struct alc_error error;
    alc_error_clear(&error);
    alarm(batch->timeout_s);
    alc_status status = alc_os_linux_new(NULL, &system);
    if (status == ALC_OK &&
        (alc_os_linux_grant_bytes(system, ALC_OS_MODULE, batch->stream, batch->stream_size) < 0 ||
         alc_os_linux_grant(system, ALC_OS_OUTCOME, report_fd, 0) < 0)) {
        status = ALC_E_IO_FAILED;
    }
    if (status == ALC_OK) {
        struct alc_os os = *alc_os_linux_get_os(system);
        status = batch->place(&os, batch->context, &error);
    }
    if (status != ALC_OK) {
        say(why_fd, status, &error);
    }
    _exit(status == ALC_OK ? CHILD_DONE : CHILD_FAILED);
}

static void take_file(int fd, struct spec_buffer *out)
{
    uint8_t chunk[65536];
    ssize_t got;
    if (lseek(fd, 0, SEEK_SET) != 0) {
        return;
    }
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        spec_buffer_add(out, chunk, (size_t)got);
    }
}

static void describe(int status, int why_fd, const struct spec_batch *batch, char *why)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        snprintf(why, SPEC_WHY_MAX, "took longer than %u s", batch->timeout_s);
    } else if (WIFSIGNALED(status)) {
        snprintf(why, SPEC_WHY_MAX, "crashed: %s", strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != CHILD_DONE) {
        struct spec_buffer text = {0};
        take_file(why_fd, &text);
        snprintf(why, SPEC_WHY_MAX, "ended with status %d: %.*s", WEXITSTATUS(status),
                 (int)(text.size < MESSAGE_SIZE ? text.size : MESSAGE_SIZE), text.bytes);
        spec_buffer_fini(&text);
    }
}

static int anonymous_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "spec: memfd_create: %s\n", strerror(errno));
        exit(1);
    }
    return fd;
}

void spec_child_run(const struct spec_batch *batch, struct spec_buffer *report,
                    char why[SPEC_WHY_MAX])
{
    int report_fd = anonymous_file("report");
    int why_fd = anonymous_file("why");
    why[0] = '\0';
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        be_child(batch, report_fd, why_fd);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        snprintf(why, SPEC_WHY_MAX, "no child process: %s", strerror(errno));
    } else {
        describe(status, why_fd, batch, why);
        take_file(report_fd, report);
    }
    close(report_fd);
    close(why_fd);
}
