/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers that programs seldom run: all but those of interp_often.h. They are compiled for
 * size alone: what they have in common is there once, as functions that the compiler finds (the
 * outliner, cmake/rooms.cmake). With gcc all handlers are in interp.c.
 */
#include "exec/interp_operations.h"

#if ALC_INTERP_TAIL_CALLS
#include "exec/interp_handlers.h"
#endif
