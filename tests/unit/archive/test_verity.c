/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests of files against those that the fsverity program prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive/verity.h"

static void expect(size_t size, const char *digest)
{
    struct alc_verity verity;
    uint8_t root[32];
    uint8_t found[32];
    char text[65];
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i % 251);
    }
    alc_verity_init(&verity, size);
    uint8_t *tree = malloc(verity.tree_blocks * 4096 + 1);
    alc_verity_build(&verity, bytes, tree, root);
    alc_verity_digest(&verity, root, found);
    for (size_t i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", found[i]);
    }
    assert_string_equal(text, digest);
    free(tree);
    free(bytes);
}

static void test_digests(void **state)
{
    (void)state;
    expect(0, "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95");
    expect(1, "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551");
    expect(4095, "5f4953aad672b0188023d6cd6fbce9d09508eb7dad165b6298ce0086bc1e72db");
    expect(4096, "13e9b8848ae484a36acb3f3cac0ceb2f7601e96633d15c92f9bd3dd44e492157");
    expect(4097, "b0d074abef4d544404facfab6ba242f6a8ccbde90f1325cd286f3c8aa8d0f8aa");
    expect(524288, "d82861203d50ae9b60948504a704f35f5118bd229aeb1a22d6dae47b1767c4c4");
    expect(524289, "4dc6905041c9c4ee73e13b53f63f5d289c46da359b664a965ead7f8cc4d799d4");
    expect(1000000, "dbe1b6c44240d0b0642a25e6c1d5e399381c87474f3dcda2f3acb9495fa159d6");
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint32_t levels;
        uint64_t blocks;
    } rows[] = {{0, 0, 0},
                {1, 0, 0},
                {4096, 0, 0},
                {4097, 1, 1},
                {128 * 4096, 1, 1},
                {128 * 4096 + 1, 2, 3},
                {128 * 128 * 4096, 2, 129},
                {UINT64_C(1) << 63, 8, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alc_verity verity;
        alc_verity_init(&verity, rows[i].size);
        assert_int_equal(verity.levels_count, rows[i].levels);
        assert_true(rows[i].blocks == 0 || verity.tree_blocks == rows[i].blocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
