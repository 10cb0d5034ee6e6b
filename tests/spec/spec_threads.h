/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads of a test: real ones, each with its own store, which see nothing of each other but the
 * memories of the module that was shared. A thread's entries are added to the report of the one
 * that waits for it.
 */
#ifndef ALC_TESTS_SPEC_THREADS_H
#define ALC_TESTS_SPEC_THREADS_H

#include "exec/waiting.h"
#include "spec/spec_core.h"

enum { ALC_SPEC_CREW_SIZE_MAX = 16384 };

/* One for a whole run of tests. `like` says where pages come from and what their caps are. The
 * threads' own space is taken when the first of them starts. ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_spec_crew_new(struct alc_os *os, struct alc_arena *arena,
                                            const struct alc_spec_space *like,
                                            struct alc_spec_crew **out);
/* Gives back what threads took. All have been waited for, or *nothing* is given back. */
void alc_spec_crew_fini(struct alc_spec_crew *crew);
struct alc_waiting *alc_spec_crew_waiting(struct alc_spec_crew *crew);

/* The commands THREAD and WAIT. */
ALC_MUST_CHECK alc_status alc_spec_start_thread(struct alc_spec_run *run, struct alc_reader *reader,
                                                enum alc_spec_result *result);
ALC_MUST_CHECK alc_status alc_spec_wait_thread(struct alc_spec_run *run, struct alc_reader *reader,
                                               enum alc_spec_result *result);

#endif
