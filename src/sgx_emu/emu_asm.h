/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets that emu_entry.S shares with emu_internal.h, where they are asserted. Macros only.
 */
#ifndef ALC_SGX_EMU_EMU_ASM_H
#define ALC_SGX_EMU_EMU_ASM_H

/* struct emu_thread */
#define EMU_THREAD_HOST_FS 0x00
#define EMU_THREAD_HOST_GS 0x08
#define EMU_THREAD_HOST_RSP 0x10
#define EMU_THREAD_CURRENT_FS 0x18
#define EMU_THREAD_RESUME_FS 0x20
#define EMU_THREAD_SELECTOR 0x28
#define EMU_THREAD_INSIDE 0x30
#define EMU_THREAD_HAS_PKU 0x38
#define EMU_THREAD_HOST_PKRU 0x40

/* struct emu_crossing */
#define EMU_CROSSING_RIP 0x80
#define EMU_CROSSING_RFLAGS 0x88
#define EMU_CROSSING_FS 0x90
#define EMU_CROSSING_GS 0x98
#define EMU_CROSSING_XSTATE 0xA0
#define EMU_CROSSING_XSTATE_MASK 0xA8
#define EMU_CROSSING_PKRU 0xB0

#define EMU_STACK_SIZE 0x40000

#define EMU_SELECTOR_ALLOW 0
#define EMU_SELECTOR_BLOCK 1

#endif
