/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of errno.def and the bridge from arenas to pages.
 */
#include "os/os.h"

const char *alc_os_errno_text(int64_t number)
{
    switch (number) {
    case ALC_OS_SUCCESS:
        return "success";
#define ERRNO(ident, value, text)                                                                  \
    case value:                                                                                    \
        return text;
#include "os/errno.def"
#undef ERRNO
    default:
        return "unknown error";
    }
}

alc_status alc_os_commit(void *context, void *addr, size_t size)
{
    struct alc_os *os = context;
    return os->operations->pages_commit(os->context, addr, size) == 0 ? ALC_OK
                                                                      : ALC_E_OUT_OF_MEMORY;
}

alc_status alc_os_execute(void *context, void *addr, size_t size)
{
    struct alc_os *os = context;
    switch (os->operations->pages_execute(os->context, addr, size)) {
    case 0:
        return ALC_OK;
    case -ALC_OS_IO:
        return ALC_E_HOST_LIED;
    default:
        return ALC_E_OUT_OF_MEMORY;
    }
}
