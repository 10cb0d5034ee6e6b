/* SPDX-License-Identifier: Apache-2.0
 *
 * Works in the directory named by its argument: makes, writes, seeks, appends, cuts, renames,
 * links, lists and removes, and prints what it finds. The native program prints the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root;

static const char *path(const char *name)
{
    static char buffers[4][512];
    static unsigned next;
    char *buffer = buffers[next++ % 4];
    snprintf(buffer, sizeof buffers[0], "%s/%s", root, name);
    return buffer;
}

static void report(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *name)
{
    char *names[64];
    size_t count = 0;
    DIR *directory = opendir(path(name));
    if (directory == NULL) {
        report("opendir", -1);
        return;
    }
    for (struct dirent *entry; count < 64 && (entry = readdir(directory)) != NULL;) {
        names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    qsort(names, count, sizeof names[0], compare);
    printf("entries of %s:", name);
    for (size_t i = 0; i < count; i++) {
        printf(" %s", names[i]);
        free(names[i]);
    }
    printf("\n");
}

static void show(const char *name)
{
    char text[128];
    struct stat info;
    FILE *file = fopen(path(name), "rb");
    if (file == NULL || stat(path(name), &info) != 0) {
        report(name, -1);
        return;
    }
    size_t size = fread(text, 1, sizeof text, file);
    printf("%s: %lld bytes, %s: %.*s\n", name, (long long)info.st_size,
           S_ISREG(info.st_mode) ? "file" : "other", (int)size, text);
    fclose(file);
}

static void write_files(void)
{
    FILE *file = fopen(path("one"), "wb");
    if (file == NULL) {
        report("one", -1);
        exit(1);
    }
    fprintf(file, "first line\nsecond line\n");
    fseek(file, 0, SEEK_SET);
    fprintf(file, "FIRST");
    fclose(file);
    show("one");
    int fd = open(path("one"), O_WRONLY | O_APPEND);
    report("append", (int)write(fd, "third", 5));
    report("truncate", ftruncate(fd, 20));
    report("close", close(fd));
    show("one");
    fd = open(path("one"), O_RDWR);
    char middle[6] = "";
    report("pread", (int)pread(fd, middle, 5, 6));
    printf("middle: [%s] position %lld\n", middle, (long long)lseek(fd, 0, SEEK_CUR));
    close(fd);
    report("exclusive", open(path("one"), O_CREAT | O_EXCL | O_WRONLY, 0600));
}

static void change_names(void)
{
    report("mkdir", mkdir(path("sub"), 0700));
    report("mkdir again", mkdir(path("sub"), 0700));
    report("rename", rename(path("one"), path("sub/two")));
    report("open the old name", open(path("one"), O_RDONLY));
    show("sub/two");
    report("link", link(path("sub/two"), path("three")));
    report("symlink", symlink("sub/two", path("four")));
    show("four");
    list("sub");
    list(".");
    report("rmdir of a full directory", rmdir(path("sub")));
    report("unlink of a directory", unlink(path("sub")) < 0 ? 0 : -1);
    report("unlink", unlink(path("sub/two")));
    show("three");
    report("unlink", unlink(path("three")));
    report("unlink", unlink(path("four")));
    report("rmdir", rmdir(path("sub")));
    list(".");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    root = argv[1];
    write_files();
    change_names();
    return 0;
}
