/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries to open what does not lie in the directory it was given (/data): by "..", by an absolute
 * path, and by the symbolic links that the test put there. Prints each answer; ends with 1 if
 * anything outside could be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    const char *const paths[] = {
        "/data/../secret",      "/data/sub/../../secret", "/secret",    "/etc/passwd",
        "/data/link_to_secret", "/data/absolute_link",    "/data/loop", "/data/dirlink/secret",
    };
    int escaped = 0;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int fd = open(paths[i], O_RDONLY);
        printf("%s: %s\n", paths[i], fd < 0 ? "refused" : "OPENED");
        if (fd >= 0) {
            close(fd);
            escaped = 1;
        }
    }
    int fd = open("/data/inner_link", O_RDONLY);
    printf("/data/inner_link: %s\n", fd < 0 ? strerror(errno) : "opened");
    return escaped;
}
