/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a header of declarations: all handlers. With clang two files include it, and each keeps those
 * that are its own (interp_state.h); with gcc it stands inside the interpreter's function.
 */
#if ALC_INTERP_TAIL_CALLS
/* Parts of operations, and every operation. */
HANDLER_DECLARED(stop);
HANDLER_DECLARED(stop_memory);
HANDLER_DECLARED(do_stop_between);
HANDLER_DECLARED(do_overflow);
HANDLER_DECLARED(stop_null_structure);
HANDLER_DECLARED(stop_null_array);
HANDLER_DECLARED(stop_array);
HANDLER_DECLARED(do_call);
HANDLER_DECLARED(do_enter);
HANDLER_DECLARED(do_land);
HANDLER_DECLARED(do_host_failed);
HANDLER_DECLARED(do_call_indirect);
HANDLER_DECLARED(do_slow);
HANDLER_DECLARED(do_object_5);
HANDLER_DECLARED(do_object_7);
#define ENTRY(name) HANDLER_DECLARED(name);
#include "exec/interp_table.h"
#endif

#include "exec/interp_control.h"
#include "exec/interp_exception.h"
#include "exec/interp_gc.h"
#include "exec/interp_numeric.h"
#include "exec/interp_vector.h"
