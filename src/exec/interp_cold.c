/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers that programs seldom run: all but those of interp_often.h. They are compiled for
 * size alone: what they have in common is there once, as functions that the compiler finds (the
 * outliner, cmake/rooms.cmake). With gcc, and
 * in the single unit src/one.c, all handlers are in interp.c.
 */
#include "exec/interp_state.h"

#if ALC_INTERP_TAIL_CALLS && !defined(ALC_ONE_UNIT)
#include "exec/interp_operations.h"

#include "exec/interp_handlers.h"
#endif
