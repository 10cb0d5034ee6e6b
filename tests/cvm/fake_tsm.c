/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into alcove: the kernel's configfs-tsm as plain files in the folder TSM_FOLDER. A new
 * request has its attributes at once, writing its data makes another generation, and removing it
 * takes all away; the report is that of TSM_REPORT with the data in it, and what the platform has
 * besides, if anything, is TSM_AUXILIARY.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/kernel/config/tsm/report"
enum { REPORT_MAX = 1 << 16, DATA_OFFSET = 0x50 };

int mkdir(const char *path, mode_t mode);
int rmdir(const char *path);
int open(const char *path, int flags, ...);

static const char *moved(const char *path, char buf[PATH_MAX])
{
    if (strncmp(path, ROOT, sizeof ROOT - 1) != 0) {
        return path;
    }
    snprintf(buf, PATH_MAX, "%s%s", getenv("TSM_FOLDER"), path + sizeof ROOT - 1);
    return buf;
}

static void put(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        abort();
    }
}

/* What the platform has besides the report: TSM_AUXILIARY, if that is given. */
static void put_auxiliary(const char *folder)
{
    static char bytes[REPORT_MAX];
    const char *path = getenv("TSM_AUXILIARY");
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    if (file != NULL) {
        put(folder, "auxblob", bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
    }
}

int mkdir(const char *path, mode_t mode)
{
    char buf[PATH_MAX];
    int (*real)(const char *, mode_t) = (int (*)(const char *, mode_t))dlsym(RTLD_NEXT, "mkdir");
    int result = real(moved(path, buf), mode);
    if (result == 0 && moved(path, buf) == buf) {
        const char *provider = getenv("TSM_PROVIDER");
        put(buf, "provider", provider, strlen(provider));
        put(buf, "generation", "0\n", 2);
        put(buf, "inblob", "", 0);
        put_auxiliary(buf);
    }
    return result;
}

int rmdir(const char *path)
{
    static const char *const names[] = {"provider", "generation", "inblob", "outblob", "auxblob"};
    char buf[PATH_MAX];
    char file[PATH_MAX + 20];
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "rmdir");
    for (size_t i = 0; moved(path, buf) == buf && i < sizeof names / sizeof names[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", buf, names[i]);
        unlink(file);
    }
    return real(moved(path, buf));
}

/* The report is made when somebody wants to read it. */
static void make_report(char *path)
{
    static char report[REPORT_MAX];
    char inblob[PATH_MAX];
    FILE *file = fopen(getenv("TSM_REPORT"), "rb");
    size_t size = file == NULL ? 0 : fread(report, 1, sizeof report, file);
    *strrchr(path, '/') = '\0';
    snprintf(inblob, sizeof inblob, "%s/inblob", path);
    FILE *data = fopen(inblob, "rb");
    if (file == NULL || data == NULL || fread(report + DATA_OFFSET, 1, 64, data) != 64) {
        abort();
    }
    fclose(file);
    fclose(data);
    put(path, "outblob", report, size);
    put(path, "generation", "1\n", 2);
}

int open(const char *path, int flags, ...)
{
    char buf[PATH_MAX];
    char folder[PATH_MAX];
    mode_t mode = 0;
    va_list list;
    va_start(list, flags);
    if ((flags & O_CREAT) != 0) {
        mode = va_arg(list, mode_t);
    }
    va_end(list);
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    const char *target = moved(path, buf);
    if (target == buf && strstr(buf, "/outblob") != NULL) {
        snprintf(folder, sizeof folder, "%s", buf);
        make_report(folder);
    }
    return real(target, flags, mode);
}
