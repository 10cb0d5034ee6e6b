/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of memory: shared until written, renewed to what they were, and gone with their mappings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "os_linux/os_linux.h"

enum { PAGE = 4096, IMAGE_SIZE = 2 * PAGE, SIZE = 4 * PAGE };

static uint8_t *make_pages(void)
{
    uint8_t *pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    return pages;
}

static void an_image_is_shared_until_it_is_written(void **state)
{
    (void)state;
    uint64_t image;
    uint8_t *source = make_pages();
    uint8_t *one = make_pages();
    uint8_t *two = make_pages();
    memset(source, 7, IMAGE_SIZE);
    assert_int_equal(alc_linux_image_make(NULL, source, IMAGE_SIZE, &image), ALC_OK);
    assert_int_equal(alc_linux_image_map(NULL, image, one, IMAGE_SIZE), ALC_OK);
    assert_int_equal(alc_linux_image_map(NULL, image, two, IMAGE_SIZE), ALC_OK);
    alc_linux_image_drop(NULL, image); /* mappings keep it */
    memset(source, 8, SIZE);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SIZE; i++) {
            assert_int_equal(one[i], i < IMAGE_SIZE ? 7 : 0);
        }
        memset(one, 9, SIZE);
        assert_int_equal(two[0], 7);
        assert_int_equal(alc_linux_image_renew(NULL, one, SIZE), ALC_OK);
    }
    munmap(source, SIZE);
    munmap(one, SIZE);
    munmap(two, SIZE);
}

static void failures_are_told(void **state)
{
    (void)state;
    uint64_t image = 0;
    uint8_t *pages = make_pages();
    uint8_t *gone = make_pages();
    munmap(gone, SIZE);
    assert_int_equal(alc_linux_image_map(NULL, 1000000, pages, PAGE), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(alc_linux_image_renew(NULL, gone, SIZE), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(alc_linux_image_make(NULL, gone, SIZE, &image), ALC_E_OUT_OF_MEMORY);
    munmap(pages, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_shared_until_it_is_written),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
