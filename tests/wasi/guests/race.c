/* SPDX-License-Identifier: Apache-2.0
 *
 * While the host keeps exchanging the directory `flip` with a link that leads out, the program
 * opens, describes and creates through it: it must always get what is inside, or an error.
 */
#include "check.h"

int main(void)
{
    __wasi_timestamp_t start = 0;
    __wasi_timestamp_t now = 0;
    int opened = 0;
    int refused = 0;
    OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &start));
    do {
        __wasi_fd_t fd = 0;
        int error = __wasi_path_open(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "flip/secret", 0,
                                     __WASI_RIGHTS_FD_READ, 0, 0, &fd);
        refused += error != 0;
        if (error == 0) {
            char text[16];
            read_text(fd, text, sizeof text);
            CHECK(strcmp(text, "inside\n") == 0);
            OK(__wasi_fd_close(fd));
            opened++;
        }
        if (__wasi_path_create_directory(ROOT, "flip/mark") == 0) {
            OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &now));
        }
        (void)!__wasi_path_remove_directory(ROOT, "flip/mark");
        OK(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &now));
    } while (now - start < UINT64_C(1500000000));
    /* Both must have been met, or there was no race. */
    CHECK(opened > 10 && refused > 10);
    return 0;
}
