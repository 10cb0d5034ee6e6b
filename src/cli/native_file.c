/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the compiler's program, and keeps what it made.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "cli/native_file.h"
#include "native/image.h"
#include "native/image_format.h"

bool cli_find_beside(const char *name, char *path, size_t path_size)
{
    ssize_t size = readlink("/proc/self/exe", path, path_size);
    if (size <= 0 || (size_t)size >= path_size) {
        return false;
    }
    path[size] = '\0';
    char *end = strrchr(path, '/') + 1;
    size_t room = path_size - (size_t)(end - path);
    return (size_t)snprintf(end, room, "%s", name) < room && access(path, X_OK) == 0;
}

void cli_hand_over(const struct cli_arguments *arguments, const char *name)
{
    char path[PATH_MAX];
    if (cli_find_beside(name, path, sizeof path)) {
        execv(path, arguments->argv);
        cli_die(CLI_FAILED, "%s: %s", path, strerror(errno));
    }
}

void cli_write_file_whole(const char *path, const void *bytes, size_t size, unsigned mode)
{
    char temporary[PATH_MAX];
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        cli_write_file(path, bytes, size, mode); /* a device or a pipe stays what it is */
        return;
    }
    int written = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (written < 0 || (size_t)written >= sizeof temporary) {
        cli_die(CLI_FAILED, "%s: %s", path, strerror(ENAMETOOLONG));
    }
    if (!cli_try_write_file(temporary, bytes, size, mode) || rename(temporary, path) != 0) {
        int error = errno;
        unlink(temporary);
        cli_die(CLI_FAILED, "%s: %s", path, strerror(error));
    }
}

bool cli_find_cache(const char *folder, char *path, size_t path_size, bool is_made)
{
    const char *base = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool has_base = base != NULL && base[0] == '/';
    if (!has_base && (home == NULL || home[0] != '/')) {
        return false;
    }
    int size = snprintf(path, path_size, "%s%s/alcove/%s", has_base ? base : home,
                        has_base ? "" : "/.cache", folder);
    if (size < 0 || (size_t)size >= path_size) {
        return false;
    }
    for (char *slash = strchr(path + 1, '/'); is_made && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* what is missing in the end, mkdir of the last one tells */
        *slash = '/';
    }
    return !is_made || mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Named by all that decides what stands in it: module, interface, options, and which compiler. */
static bool name_entry(const struct cli_file *module, const struct cli_native_wish *wish,
                       bool is_made, char *path, size_t path_size)
{
    uint8_t digest[ALC_SHA256_SIZE];
    char compiler[PATH_MAX];
    struct stat built;
    if (!cli_find_beside("alcove-compiler", compiler, sizeof compiler) ||
        stat(compiler, &built) != 0 || !cli_find_cache("native", path, path_size, is_made) ||
        EVP_Digest(module->bytes, module->size, digest, NULL, EVP_sha256(), NULL) != 1) {
        return false;
    }
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof digest && size + 4 < path_size; i++) {
        size +=
            (size_t)snprintf(path + size, path_size - size, "%s%02x", i == 0 ? "/" : "", digest[i]);
    }
    return (size_t)snprintf(path + size, path_size - size, "-%u-%u-%llx-%llx.alc",
                            ALC_NATIVE_ABI_VERSION, wish->options,
                            (unsigned long long)built.st_size,
                            (unsigned long long)built.st_mtim.tv_sec * 1000000000 +
                                (unsigned long long)built.st_mtim.tv_nsec) < path_size - size;
}

/* Whether a file is an image of the module. */
static bool is_of(const struct cli_file *file, const struct cli_file *module)
{
    struct alc_native_image image;
    struct alc_error error;
    alc_error_clear(&error);
    return alc_native_image_read(file->bytes, file->size, &image, &error) == ALC_OK &&
           image.module_size == module->size &&
           alc_equal(image.module, module->bytes, module->size);
}

bool cli_native_find(const struct cli_file *module, const struct cli_native_wish *wish,
                     struct cli_file *out)
{
    char path[PATH_MAX];
    if (!name_entry(module, wish, false, path, sizeof path) || access(path, R_OK) != 0) {
        return false;
    }
    *out = cli_read_file(path);
    if (is_of(out, module)) {
        return true;
    }
    cli_unmap(out);
    return false;
}

static void run_compiler(const char *module_path, const struct cli_native_wish *wish,
                         const char *output_path)
{
    char program[PATH_MAX];
    if (!cli_find_beside("alcove-compiler", program, sizeof program)) {
        cli_die(CLI_FAILED, "--compile: this alcove was built without LLVM 19; install it "
                            "(tools/bootstrap compile) and build again");
    }
    const char *words[] = {"alcove", "compile", "--output", output_path, "--quiet",
                           NULL,     NULL,      NULL,       NULL,        NULL};
    size_t count = 5;
    if ((wish->options & ALC_NATIVE_METERED) != 0) {
        words[count++] = "--fuel";
    }
    if ((wish->options & ALC_NATIVE_INTERRUPTIBLE) != 0) {
        words[count++] = "--timeout";
    }
    words[count++] = "--";
    words[count] = module_path;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execv(program, (char *const *)(uintptr_t)words);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        cli_die(CLI_FAILED, "%s: could not be compiled", module_path);
    }
}

struct cli_file cli_native_make(const char *module_path, const struct cli_file *module,
                                const struct cli_native_wish *wish)
{
    struct cli_file file;
    char path[PATH_MAX];
    if (cli_native_find(module, wish, &file)) {
        return file;
    }
    if (!name_entry(module, wish, true, path, sizeof path)) {
        cli_die(CLI_FAILED, "--compile: there is no folder for the cache");
    }
    run_compiler(module_path, wish, path);
    if (!cli_native_find(module, wish, &file)) {
        cli_die(CLI_FAILED, "%s: changed while it was compiled", module_path);
    }
    return file;
}
