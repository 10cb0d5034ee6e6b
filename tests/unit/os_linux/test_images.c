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
#include <sys/wait.h>
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

static void share_and_write(struct alc_linux_images *context)
{
    uint64_t image;
    uint8_t *source = make_pages();
    uint8_t *one = make_pages();
    uint8_t *two = make_pages();
    memset(source, 7, IMAGE_SIZE);
    assert_int_equal(alc_linux_image_make(NULL, source, IMAGE_SIZE, &image), ALC_OK);
    assert_int_equal(alc_linux_image_map(NULL, image, one, IMAGE_SIZE), ALC_OK);
    assert_int_equal(alc_linux_image_map(NULL, image, two, IMAGE_SIZE), ALC_OK);
    memset(source, 8, SIZE);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SIZE; i++) {
            assert_int_equal(one[i], i < IMAGE_SIZE ? 7 : 0);
        }
        memset(one, 9, SIZE);
        assert_int_equal(two[0], 7);
        assert_int_equal(alc_linux_image_renew(context, image, IMAGE_SIZE, one, SIZE), ALC_OK);
    }
    munmap(source, SIZE);
    munmap(one, SIZE);
    alc_linux_image_drop(NULL, image);
    assert_int_equal(two[0], 7); /* a mapping keeps it */
    munmap(two, SIZE);
}

static void an_image_is_shared_until_it_is_written(void **state)
{
    (void)state;
    struct alc_linux_images images;
    alc_linux_images_init(&images);
    share_and_write(&images);
    alc_linux_images_fini(&images);
    share_and_write(&images); /* a system that does not tell what was written */
}

/* Each page is written alone, and then so many that they are not looked at one by one. */
static void what_was_written_is_renewed(void **state)
{
    (void)state;
    enum { PAGES = 200, IMAGE_PAGES = 150 };
    static uint8_t source[IMAGE_PAGES * PAGE];
    struct alc_linux_images images;
    uint64_t image;
    uint8_t *pages =
        mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    for (size_t i = 0; i < sizeof source; i++) {
        source[i] = (uint8_t)(i / PAGE + 1);
    }
    alc_linux_images_init(&images);
    assert_int_equal(alc_linux_image_make(&images, source, sizeof source, &image), ALC_OK);
    assert_int_equal(alc_linux_image_map(&images, image, pages, sizeof source), ALC_OK);
    for (int step = 1; step <= PAGES; step = step < 7 ? step + 1 : step * 2) {
        for (int i = step - 1; i < PAGES; i += step) {
            pages[i * PAGE + step] = 0xff;
            pages[i * PAGE + PAGE - 1] = 0xff;
        }
        assert_int_equal(alc_linux_image_renew(&images, image, sizeof source, pages, PAGES * PAGE),
                         ALC_OK);
        for (int i = 0; i < PAGES * PAGE; i++) {
            assert_true(pages[i] == (i < IMAGE_PAGES * PAGE ? source[i] : 0));
        }
    }
    alc_linux_image_drop(&images, image);
    alc_linux_images_fini(&images);
    munmap(pages, PAGES * PAGE);
}

/* The parent's descriptor tells of the parent's pages, which nobody has written. */
static void a_child_renews_its_own_pages(void **state)
{
    (void)state;
    struct alc_linux_images images;
    uint8_t *pages = make_pages();
    int status;
    alc_linux_images_init(&images);
    pid_t child = fork();
    if (child == 0) {
        pages[0] = 1;
        pages[SIZE - 1] = 1;
        bool renewed = alc_linux_image_renew(&images, 0, 0, pages, SIZE) == ALC_OK;
        _exit(renewed && pages[0] == 0 && pages[SIZE - 1] == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    alc_linux_images_fini(&images);
    munmap(pages, SIZE);
}

static void failures_are_told(void **state)
{
    (void)state;
    uint64_t image = 0;
    uint8_t *pages = make_pages();
    uint8_t *gone = make_pages();
    munmap(gone, SIZE);
    assert_int_equal(alc_linux_image_make(NULL, pages, PAGE, &image), ALC_OK);
    assert_int_equal(alc_linux_image_map(NULL, image, pages + 1, PAGE), ALC_E_OUT_OF_MEMORY);
    alc_linux_image_drop(NULL, image);
    struct alc_linux_images images = {0};
    int none = 0;
    assert_int_equal(alc_linux_image_renew(&images, 0, 0, gone, SIZE), ALC_E_OUT_OF_MEMORY);
    images.pagemap = &none;
    assert_int_equal(alc_linux_image_renew(&images, 0, 0, gone, SIZE), ALC_E_OUT_OF_MEMORY);
    assert_int_equal(alc_linux_image_make(NULL, gone, SIZE, &image), ALC_E_OUT_OF_MEMORY);
    munmap(pages, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_shared_until_it_is_written),
        cmocka_unit_test(what_was_written_is_renewed),
        cmocka_unit_test(a_child_renews_its_own_pages),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
