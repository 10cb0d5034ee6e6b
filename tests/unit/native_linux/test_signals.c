/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals that are no traps of compiled code go to whoever had them before, or end the process.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "native_linux/native_linux.h"

enum { EXIT_OF_FORMER = 33, EXIT_OF_NOBODY = 34 };

static void former(int number)
{
    (void)number;
    _exit(EXIT_OF_FORMER);
}

static void former_with_info(int number, siginfo_t *info, void *context)
{
    _exit(context != NULL && info->si_signo == number ? EXIT_OF_FORMER : EXIT_OF_NOBODY);
}

static volatile uint8_t *unmapped;

static void touch(void)
{
    *unmapped = 1;
}

static void send(void)
{
    (void)kill(getpid(), SIGSEGV);
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

/* Status of a process that has the handlers in front of `action` and then does something. */
static int status_of(int number, struct sigaction action, void (*provoke)(void))
{
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGILL, SIG_DFL);
        (void)sigaction(number, &action, NULL);
        struct alc_pages pages;
        if (!alc_native_linux_pages(&pages) || !alc_native_linux_pages(&pages)) {
            _exit(EXIT_OF_NOBODY);
        }
        (void)pages.native->watch(pages.native->context, NULL);
        provoke();
        _exit(EXIT_OF_NOBODY);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_handing_on(void **state)
{
    (void)state;
    unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static void (*const ways[])(void) = {touch, send};
    for (unsigned i = 0; i < 2; i++) {
        struct sigaction action = {.sa_handler = former};
        assert_int_equal(WEXITSTATUS(status_of(SIGSEGV, action, ways[i])), EXIT_OF_FORMER);
        action = (struct sigaction){.sa_sigaction = former_with_info, .sa_flags = SA_SIGINFO};
        assert_int_equal(WEXITSTATUS(status_of(SIGSEGV, action, ways[i])), EXIT_OF_FORMER);
    }
    struct sigaction nobody = {.sa_handler = SIG_DFL};
    int status = status_of(SIGSEGV, nobody, touch);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = status_of(SIGILL, nobody, undefined);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL);
}

__attribute__((no_sanitize("undefined"))) /* that looks for a mark in front of functions */
static void
test_pages(void **state)
{
    (void)state;
    struct alc_pages pages;
    assert_true(alc_native_linux_pages(&pages));
    uint8_t *range = pages.reserve(pages.context, 2 * 4096);
    assert_non_null(range);
    assert_int_equal(pages.commit(pages.context, range, 2 * 4096), ALC_OK);
    assert_int_equal(range[4096], 0);
    range[4096] = 7;
    range[0] = 0xc3; /* ret */
    pages.native->uncommit(pages.native->context, range + 4096, 4096);
    assert_int_equal(pages.commit(pages.context, range + 4096, 4096), ALC_OK);
    assert_int_equal(range[4096], 0);
    assert_int_equal(pages.execute(pages.context, range, 4096), ALC_OK);
    ((void (*)(void))(uintptr_t)range)();
    pages.release(pages.context, range, 2 * 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_handing_on),
                                       cmocka_unit_test(test_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
