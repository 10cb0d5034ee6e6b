/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints what stands beneath a directory, one line for each name: type, size, time, path, and a
 * checksum of a file's contents or the error that reading it gives, or the target of a link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_file(const char *path)
{
    static unsigned char bytes[50000];
    uint32_t sum = 1;
    ssize_t count;
    int fd = open(path, O_RDONLY);
    while ((count = fd < 0 ? -1 : read(fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            sum = sum * 31 + bytes[i];
        }
    }
    if (count < 0) {
        printf(" %s\n", strerror(errno));
    } else {
        printf(" %08" PRIx32 "\n", sum);
    }
    close(fd);
}

static void print_name(const char *path, const struct stat *stat)
{
    char target[1000];
    if (S_ISLNK(stat->st_mode)) {
        ssize_t size = readlink(path, target, sizeof target);
        printf("l %s %.*s\n", path, (int)size, target);
    } else if (S_ISDIR(stat->st_mode)) {
        printf("d %lld %s\n", (long long)stat->st_mtim.tv_sec, path);
    } else {
        printf("f %lld %lld %d %s", (long long)stat->st_size, (long long)stat->st_mtim.tv_sec,
               (int)stat->st_nlink, path);
        print_file(path);
    }
}

static void walk(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    if (directory == NULL) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        char inner[2000];
        struct stat stat;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &stat) != 0) {
            printf("%s: %s\n", inner, strerror(errno));
            continue;
        }
        print_name(inner, &stat);
        if (S_ISDIR(stat.st_mode)) {
            walk(inner);
        }
    }
    closedir(directory);
}

/* walk DIRECTORY [NEW_FILE|-]: writes the new file first, or says so and waits for a line. */
int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "-") == 0) {
        puts("ready");
        fflush(stdout);
        (void)getchar();
    } else if (argc > 2) {
        FILE *file = fopen(argv[2], "w");
        if (file == NULL || fputs("new\n", file) < 0 || fclose(file) != 0) {
            printf("%s: %s\n", argv[2], strerror(errno));
        }
    }
    walk(argv[1]);
    return 0;
}
