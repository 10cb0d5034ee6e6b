/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs native images: the other executor of a store. Door of the room.
 *
 *   options.executor = &alc_native_executor;     a store of exec/engine.h; options.pages MUST have
 *                                                `execute` and `native`
 *   alc_native_image_read                        native/image_format.h
 *   alc_native_load                              instead of alc_module_load
 *   alc_instantiate, alc_invoke, …               as always
 *
 * Conventions
 *   - Every module of the store is loaded here. The image's bytes MUST stay as they are until
 *     alc_store_fini.
 *   - Faults: whoever receives a fault of a thread that pages.native->watch was told of asks
 *     alc_native_fault, and puts the changed state into force.
 *   - The processor MUST have FSGSBASE, and the system let it be used.
 *   - Limits: 32-bit memories have at most 65,535 pages of 64 KiB. The depth of calls is what the
 *     native stack holds.
 */
#ifndef ALC_NATIVE_EXEC_H
#define ALC_NATIVE_EXEC_H

#include "exec/executor.h"
#include "native/image.h"

struct alc_native_thread;
struct alc_native_instance;

extern const struct alc_executor alc_native_executor;

struct alc_native_load_options {
    uint64_t features; /* of WebAssembly; 0: ALC_FEATURES_DEFAULT */
    /* Whoever asks believes that the code is what the compiler made of the module. Checked code
     * runs only so; confined code is verified in any case. */
    bool is_vouched;
};

/* Loads an image: the module (bodies are not looked into), a copy of the code, which is verified
 * when it is confined. `image` was read with alc_native_image_read; it is copied, what it refers to
 * is borrowed. Classes MALFORMED and INVALID (the module), ALC_E_NATIVE_REFUSED with the offset in
 * the code and words, ALC_E_NATIVE_NOT_VOUCHED, ALC_E_NOT_SUPPORTED (this processor or system),
 * ALC_E_BAD_NATIVE_IMAGE (image and module do not go together), ALC_E_OUT_OF_MEMORY. */
ALC_MUST_CHECK alc_status alc_native_load(struct alc_store *store, struct alc_arena *arena,
                                          const struct alc_native_image *image,
                                          const struct alc_native_load_options *options,
                                          struct alc_module **out, struct alc_error *error);

/* Makes code of the thread (the one that `watch` was told of) stop with ALC_E_DEADLINE at its next
 * look (code with ALC_NATIVE_INTERRUPTIBLE), for good. A store's stop_flag is looked at only when
 * compiled code is entered or a function of the host returns to it. From another thread or a signal
 * handler, while no instance is being made and the store lives. */
void alc_native_stop(struct alc_native_thread *thread);

/* -- faults -- */

/* What a fault is judged by, and (registers) what goes on afterwards. */
struct alc_native_fault {
    uint64_t rip;
    uint64_t rsp;
    uint64_t r11;
    uint64_t flags;
    uint32_t vector;     /* of the processor: 0 #DE, 6 #UD, 13 #GP, 14 #PF, … */
    bool has_addr;       /* #PF only: … */
    uint64_t fault_addr; /* … which address was touched */
};

/* Whether the fault is one that compiled code of `thread` may cause. Then the registers are changed
 * so that the thread leaves compiled code with the trap's status; otherwise nothing is changed.
 * Judged by `fault` and by the thread's own record alone; takes no locks, uses neither GS nor the
 * native stack. To be called on a stack that is not the native one. */
bool alc_native_fault(struct alc_native_thread *thread, struct alc_native_fault *fault);

#endif
