/* SPDX-License-Identifier: Apache-2.0
 *
 * alcove-image: the build's own tool around src/sgx. Not installed.
 *
 *   alcove-image build ELF -o X.sgxs [--threads N] [--stack-pages N] [--elrange-bits N]
 *   alcove-image key X.pem                          makes a signing key unless the file exists
 *   alcove-image sign X.sgxs KEY.pem -o X.sig [--debug]
 *   alcove-image measure X.sgxs                     prints MRENCLAVE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sgx/image.h"
#include "sgx/sign.h"

/* The dev signature is part of a reproducible build: its date is a constant. */
enum { DEV_DATE = 0x20260101, DEV_PRODUCT = 1, DEV_SVN = 1 };

struct file {
    uint8_t *bytes;
    size_t size;
};

struct arguments {
    const char *inputs[2];
    int inputs_count;
    const char *output;
    bool debug;
    struct alc_image_options image;
};

void alc_abort(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}

static int complain(const char *what, const struct alc_error *error)
{
    fprintf(stderr, "alcove-image: %s: %s: %s", what, alc_status_text(error->status),
            error->detail);
    if (error->offset != ALC_NO_OFFSET) {
        fprintf(stderr, " at +0x%llx", (unsigned long long)error->offset);
    }
    fprintf(stderr, "\n");
    return 1;
}

static bool read_file(const char *path, struct file *out)
{
    FILE *stream = fopen(path, "rb");
    struct stat info;
    *out = (struct file){0};
    if (stream != NULL && fstat(fileno(stream), &info) == 0 && info.st_size >= 0) {
        out->size = (size_t)info.st_size;
        out->bytes = malloc(out->size + 1);
    }
    bool good = out->bytes != NULL && fread(out->bytes, 1, out->size, stream) == out->size;
    if (!good) {
        perror(path);
    }
    if (stream != NULL) {
        fclose(stream);
    }
    return good;
}

static bool write_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool good = fd >= 0 && write(fd, bytes, size) == (ssize_t)size;
    if (fd >= 0 && close(fd) != 0) {
        good = false;
    }
    if (!good) {
        perror(path);
    }
    return good;
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    *out = value;
    return errno == 0 && end != text && *end == '\0' && value <= max;
}

static bool read_option(const char *name, const char *value, struct arguments *out)
{
    uint64_t number = 0;
    if (strcmp(name, "-o") == 0) {
        out->output = value;
        return true;
    }
    if (!read_number(value, UINT32_MAX, &number)) {
        return false;
    }
    if (strcmp(name, "--threads") == 0) {
        out->image.threads_count = (uint32_t)number;
    } else if (strcmp(name, "--stack-pages") == 0) {
        out->image.stack_pages = (uint32_t)number;
    } else if (strcmp(name, "--elrange-bits") == 0 && number < 64) {
        out->image.elrange_size = UINT64_C(1) << number;
    } else {
        return false;
    }
    return true;
}

static bool read_arguments(int argc, char **argv, struct arguments *out)
{
    alc_image_default_options(&out->image);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--debug") == 0) {
            out->debug = true;
        } else if (argv[i][0] == '-') {
            if (i + 1 == argc || !read_option(argv[i], argv[i + 1], out)) {
                return false;
            }
            i++;
        } else if (out->inputs_count < 2) {
            out->inputs[out->inputs_count++] = argv[i];
        } else {
            return false;
        }
    }
    return out->inputs_count > 0;
}

static int run_build(const struct arguments *arguments)
{
    struct file elf;
    struct file image;
    struct alc_error error;
    alc_error_clear(&error);
    if (arguments->output == NULL || !read_file(arguments->inputs[0], &elf)) {
        return 1;
    }
    alc_status status =
        alc_image_build(elf.bytes, elf.size, &arguments->image, &image.bytes, &image.size, &error);
    free(elf.bytes);
    if (status != ALC_OK) {
        return complain(arguments->inputs[0], &error);
    }
    bool good = write_file(arguments->output, image.bytes, image.size, 0644);
    free(image.bytes);
    return good ? 0 : 1;
}

static int run_key(const struct arguments *arguments)
{
    struct alc_error error;
    char *pem;
    size_t size;
    alc_error_clear(&error);
    if (access(arguments->inputs[0], R_OK) == 0) {
        return 0;
    }
    if (alc_sign_generate_key(&pem, &size, &error) != ALC_OK) {
        return complain(arguments->inputs[0], &error);
    }
    bool good = write_file(arguments->inputs[0], pem, size, 0600);
    free(pem);
    return good ? 0 : 1;
}

static int measure_file(const char *path, uint8_t mrenclave[ALC_SGX_HASH_SIZE])
{
    struct file file;
    struct alc_image image;
    struct alc_error error;
    alc_error_clear(&error);
    if (!read_file(path, &file)) {
        return 1;
    }
    alc_status status = alc_image_parse(file.bytes, file.size, &image, &error);
    if (status == ALC_OK) {
        alc_image_measure(&image, mrenclave);
    }
    free(file.bytes);
    return status == ALC_OK ? 0 : complain(path, &error);
}

static int run_measure(const struct arguments *arguments)
{
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    if (measure_file(arguments->inputs[0], mrenclave) != 0) {
        return 1;
    }
    for (size_t i = 0; i < sizeof mrenclave; i++) {
        printf("%02x", mrenclave[i]);
    }
    printf("\n");
    return 0;
}

static int run_sign(const struct arguments *arguments)
{
    const struct alc_sign_options options = {
        .product_id = DEV_PRODUCT, .svn = DEV_SVN, .date = DEV_DATE, .debug = arguments->debug};
    uint8_t mrenclave[ALC_SGX_HASH_SIZE];
    struct alc_sgx_sigstruct sigstruct;
    struct file pem;
    struct alc_error error;
    alc_error_clear(&error);
    if (arguments->inputs_count != 2 || arguments->output == NULL ||
        measure_file(arguments->inputs[0], mrenclave) != 0 ||
        !read_file(arguments->inputs[1], &pem)) {
        return 1;
    }
    alc_status status =
        alc_sign(mrenclave, &options, (const char *)pem.bytes, pem.size, &sigstruct, &error);
    free(pem.bytes);
    if (status != ALC_OK) {
        return complain(arguments->inputs[1], &error);
    }
    return write_file(arguments->output, &sigstruct, sizeof sigstruct, 0644) ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct arguments *arguments);
    } commands[] = {
        {"build", run_build}, {"key", run_key}, {"sign", run_sign}, {"measure", run_measure}};
    struct arguments arguments = {0};
    if (argc > 2 && read_arguments(argc, argv, &arguments)) {
        for (size_t i = 0; i < ALC_ARRAY_COUNT(commands); i++) {
            if (strcmp(argv[1], commands[i].name) == 0) {
                return commands[i].run(&arguments);
            }
        }
    }
    fprintf(stderr, "usage: alcove-image build ELF -o IMAGE [--threads N] [--stack-pages N] "
                    "[--elrange-bits N]\n"
                    "       alcove-image key PEM\n"
                    "       alcove-image sign IMAGE PEM -o SIGSTRUCT [--debug]\n"
                    "       alcove-image measure IMAGE\n");
    return 2;
}
