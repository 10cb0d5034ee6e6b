/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target on every file of the folders given, and on every cut of each (short inputs are
 * where parsers break), so that a compiler without libFuzzer guards the same inputs.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, CUTS_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static size_t run_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    size_t step = size / CUTS_MAX + 1;
    for (size_t cut = 0; cut < size; cut += step) {
        (void)LLVMFuzzerTestOneInput(bytes, cut);
    }
    return 1;
}

int main(int count, char **folders)
{
    size_t files = 0;
    for (int i = 1; i < count; i++) {
        DIR *folder = opendir(folders[i]);
        if (folder == NULL) {
            fprintf(stderr, "replay: no folder %s\n", folders[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            char path[4096];
            if (entry->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folders[i],
                                                    entry->d_name) < (int)sizeof path) {
                files += run_file(path);
            }
        }
        closedir(folder);
    }
    printf("replay: %zu inputs\n", files);
    return files > 0 ? 0 : 1;
}
