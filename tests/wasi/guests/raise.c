/* SPDX-License-Identifier: Apache-2.0
 *
 * proc_raise, which the C library has no door to: harmless signals, then the one that ends the
 * program.
 */
#include "check.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int
proc_raise(int signal);

enum { NONE = 0, TERM = 15, TSTP = 19, WINCH = 27 };

int main(void)
{
    OK(proc_raise(NONE));
    OK(proc_raise(WINCH));
    EXPECT(proc_raise(TSTP), __WASI_ERRNO_NOTSUP);
    EXPECT(proc_raise(99), __WASI_ERRNO_INVAL);
    puts("still here");
    fflush(stdout);
    proc_raise(TERM);
    puts("not reached");
    return 0;
}
