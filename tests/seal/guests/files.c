/* SPDX-License-Identifier: Apache-2.0
 *
 * A program with files, for tests/seal/sealed.py: fills the directory /data, or looks whether
 * everything in it is as it was left. Plain WASI; it does not know that the directory is sealed.
 *
 *   files fill      writes everything, with fsync; prints "filled"
 *   files check     reads everything; prints "good", or "EIO name" for what cannot be read
 *   files count     counts up in /data/counter, with fsync, until it is killed; prints each number
 *   files number    prints the number in /data/counter
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 40, LARGE_SIZE = 3000000 };

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static size_t size_of(int file)
{
    return file == 0 ? LARGE_SIZE : (size_t)file * 1234;
}

static void name_of(int file, char name[64])
{
    snprintf(name, 64, "/data/%sfile with a name %d", file % 2 == 0 ? "inner/" : "", file);
}

static unsigned char byte_of(int file, size_t at)
{
    return (unsigned char)(file * 31 + (int)(at * 7) + (int)(at >> 9));
}

static void fill_file(int file)
{
    static unsigned char bytes[LARGE_SIZE];
    char name[64];
    name_of(file, name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        die(name);
    }
    for (size_t at = 0; at < size_of(file); at++) {
        bytes[at] = byte_of(file, at);
    }
    for (size_t at = 0; at < size_of(file);) {
        ssize_t count = write(fd, bytes + at, size_of(file) - at);
        if (count <= 0) {
            die("write");
        }
        at += (size_t)count;
    }
    if (fsync(fd) != 0 || close(fd) != 0) {
        die("fsync");
    }
}

static void fill(void)
{
    char name[64];
    if (mkdir("/data/inner", 0700) != 0) {
        die("mkdir");
    }
    for (int file = 0; file < FILES; file++) {
        fill_file(file);
    }
    /* What was renamed, removed and cut is so afterwards. */
    name_of(FILES - 1, name);
    if (rename(name, "/data/renamed") != 0 || rename("/data/renamed", name) != 0 ||
        mkdir("/data/empty", 0700) != 0 || rmdir("/data/empty") != 0 ||
        symlink("inner", "/data/link") != 0) {
        die("names");
    }
    int fd = open("/data/gone", O_RDWR | O_CREAT, 0600);
    char byte = 0;
    if (fd < 0 || unlink("/data/gone") != 0 || write(fd, "x", 1) != 1 ||
        lseek(fd, 0, SEEK_SET) != 0 || read(fd, &byte, 1) != 1 || byte != 'x' ||
        ftruncate(fd, 100000) != 0 || close(fd) != 0) {
        die("a file without a name");
    }
    printf("filled\n");
}

/* 0: as it was left; 1: cannot be read; anything else ends the program. */
static int check_file(int file)
{
    static unsigned char bytes[LARGE_SIZE];
    char name[64];
    name_of(file, name);
    int fd = open(name, O_RDONLY);
    size_t at = 0;
    while (fd >= 0 && at < size_of(file)) {
        ssize_t count = read(fd, bytes + at, size_of(file) - at);
        if (count < 0 && errno == EIO) {
            close(fd);
            fd = -1;
        } else if (count <= 0) {
            die("read");
        } else {
            at += (size_t)count;
        }
    }
    if (fd < 0) {
        if (errno != EIO) {
            die(name);
        }
        printf("EIO %d\n", file);
        return 1;
    }
    close(fd);
    for (at = 0; at < size_of(file); at++) {
        if (bytes[at] != byte_of(file, at)) {
            printf("WRONG %d at %zu\n", file, at);
            exit(2);
        }
    }
    return 0;
}

static void check(void)
{
    int bad = 0;
    for (int file = 0; file < FILES; file++) {
        bad += check_file(file);
    }
    if (bad != 0) {
        return;
    }
    DIR *directory = opendir("/data/link/.");
    int entries = 0;
    while (directory != NULL && readdir(directory) != NULL) {
        entries++;
    }
    if (directory == NULL || closedir(directory) != 0 || entries != FILES / 2 + 2) {
        printf("%d entries\n", entries);
        exit(2);
    }
    printf("good\n");
}

static long read_number(int fd)
{
    char text[32] = {0};
    ssize_t count = pread(fd, text, sizeof text - 1, 0);
    if (count < 0) {
        die("counter");
    }
    return strtol(text, NULL, 10);
}

static void count_up(void)
{
    int fd = open("/data/counter", O_RDWR | O_CREAT, 0600);
    long number = fd < 0 ? 0 : read_number(fd);
    while (fd >= 0) {
        char text[32];
        int size = snprintf(text, sizeof text, "%ld\n", ++number);
        if (pwrite(fd, text, (size_t)size, 0) != size || fsync(fd) != 0) {
            die("counter");
        }
        printf("%ld\n", number);
        fflush(stdout);
    }
    die("counter");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : getenv("WHAT");
    if (what == NULL) {
        return 1;
    }
    if (strcmp(what, "fill") == 0) {
        fill();
    } else if (strcmp(what, "check") == 0) {
        check();
    } else if (strcmp(what, "count") == 0) {
        count_up();
    } else {
        int fd = open("/data/counter", O_RDONLY);
        printf("%ld\n", fd < 0 ? 0 : read_number(fd));
    }
    return 0;
}
