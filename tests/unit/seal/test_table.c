/* SPDX-License-Identifier: Apache-2.0
 *
 * The table beside plain directories: a host that answers with numbers of sealed handles gets no
 * program to take one of its files for a sealed one.
 */
#include "seal_disk.h"

enum { PLAIN_DIRECTORY = 20, LISTENER = 21 };

static int64_t plain_answer; /* what the host says of its own files and sockets */

static int64_t host_open_at(void *context, int32_t dir, const uint8_t *path, size_t path_size,
                            uint32_t flags)
{
    return dir == PLAIN_DIRECTORY ? plain_answer
                                  : disk_open_at(context, dir, path, path_size, flags);
}

static int64_t host_accept(void *context, int32_t handle, uint32_t flags)
{
    (void)context;
    (void)flags;
    assert_int_equal(handle, LISTENER);
    return plain_answer;
}

static void test_numbers_of_sealed_handles(void **state)
{
    (void)state;
    struct disk disk;
    struct mount mount;
    struct alc_os_operations operations = disk_operations;
    operations.open_at = host_open_at;
    operations.accept = host_accept;
    disk_init(&disk);
    disk.os.operations = &operations;
    mount_init(&mount, &disk);
    assert_int_equal(mount_open(&mount), ALC_OK);
    int64_t sealed = open_file(&mount, "secret", ALC_OS_OPEN_WRITE | ALC_OS_OPEN_CREATE);
    assert_true(sealed >= ALC_SEAL_FIRST_HANDLE);
    static const int64_t good[] = {30, -ALC_OS_NO_ENTRY};
    for (size_t i = 0; i < 2; i++) {
        plain_answer = good[i];
        assert_int_equal(CALL(&mount, open_at, PLAIN_DIRECTORY, BYTES("x"), 0), plain_answer);
        assert_int_equal(CALL(&mount, accept, LISTENER, 0), plain_answer);
    }
    const int64_t bad[] = {sealed, MOUNT, ALC_SEAL_FIRST_HANDLE + 5};
    for (size_t i = 0; i < 3; i++) {
        plain_answer = bad[i];
        assert_int_equal(CALL(&mount, open_at, PLAIN_DIRECTORY, BYTES("x"), 0), -ALC_OS_IO);
        assert_int_equal(CALL(&mount, accept, LISTENER, 0), -ALC_OS_IO);
    }
    assert_int_equal(close_file(&mount, sealed), 0);
    assert_int_equal(alc_seal_close(mount.seal), ALC_OK);
    mount_fini(&mount);
    disk_fini(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_sealed_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
