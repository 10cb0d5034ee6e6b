/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages and files for the sub-commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

void cli_usage_error(const struct cli_arguments *arguments, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char words[CLI_WORDS_SIZE];
    fprintf(stderr, "alcove %s: ", cli_command_words(arguments->command, words));
    vfprintf(stderr, format, list);
    fprintf(stderr, "\nTry 'alcove %s --help'.\n", words);
    va_end(list);
    exit(CLI_USAGE);
}

void cli_die(int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "alcove: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    exit(code);
}

int cli_report_error(const char *subject, const struct alc_error *error)
{
    fprintf(stderr, "alcove: %s: %s", subject, alc_status_text(error->status));
    if (error->offset != ALC_NO_OFFSET) {
        fprintf(stderr, " at 0x%llx", (unsigned long long)error->offset);
    }
    if (error->detail[0] != '\0') {
        fprintf(stderr, " (%s)", error->detail);
    }
    fprintf(stderr, "\n");
    return alc_status_exit_code(error->status);
}

struct cli_file cli_read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) < 0) {
        cli_die(CLI_USAGE, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(stat.st_mode)) {
        cli_die(CLI_USAGE, "%s: not a regular file", path);
    }
    struct cli_file file = {.bytes = (const uint8_t *)"", .size = (size_t)stat.st_size};
    if (file.size != 0) {
        /* A private copy, not the file's pages: the file may be cut or changed while it is used. */
        uint8_t *bytes =
            mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (bytes == MAP_FAILED) {
            cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
        }
        size_t done = 0;
        while (done < file.size) {
            ssize_t count = read(fd, bytes + done, file.size - done);
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count <= 0) {
                cli_die(CLI_FAILED, "%s: %s", path, count < 0 ? strerror(errno) : "was cut");
            }
            done += (size_t)count;
        }
        file.bytes = bytes;
    }
    close(fd);
    return file;
}

void cli_unmap(struct cli_file *file)
{
    if (file->size != 0) {
        munmap((void *)(uintptr_t)file->bytes, file->size);
    }
    *file = (struct cli_file){0};
}

bool cli_try_write_file(const char *path, const void *bytes, size_t size, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    return file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0;
}

void cli_write_file(const char *path, const void *bytes, size_t size, unsigned mode)
{
    if (!cli_try_write_file(path, bytes, size, mode)) {
        cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
    }
}

void *cli_allocate(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        cli_die(CLI_FAILED, "out of memory");
    }
    return memory;
}

void cli_print_hex(FILE *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fprintf(out, "%02x", bytes[i]);
    }
}
