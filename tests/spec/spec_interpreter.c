/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter as the engine of the tests. Freestanding.
 */
#include "exec/interp.h"
#include "spec/spec_core.h"

static alc_status load(struct alc_spec_run *run, struct alc_name bytes, struct alc_module **out,
                       struct alc_error *error)
{
    bool is_metered = (run->test->flags & ALC_SPEC_METERED) != 0;
    bool is_interruptible = (run->test->flags & ALC_SPEC_INTERRUPTIBLE) != 0;
    struct alc_load_options options =
        alc_store_load_options(&run->store, is_metered, is_interruptible);
    options.features = run->test->features;
    return alc_module_load(&run->space->modules, bytes.bytes, bytes.size, &options, out, error);
}

const struct alc_spec_engine alc_spec_interpreter = {.executor = &alc_interp_executor,
                                                     .load = load};
