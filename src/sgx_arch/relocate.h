/* SPDX-License-Identifier: Apache-2.0
 *
 * Self-relocation of an image. The image is linked at base 0 and the processor lets the host choose
 * where it really stands, so every word that holds an address gets the base added, once, before any
 * other code reads one. The table is in RELR encoding (generic ABI, section type SHT_RELR): an even
 * word names the first place, an odd word is a bitmap of the following 63 places.
 */
#ifndef ALC_SGX_ARCH_RELOCATE_H
#define ALC_SGX_ARCH_RELOCATE_H

#include "base/status.h"
#include "sgx_arch/layout.h"

/* Adds the address `base` to every place that the image's table names. The image's pages stand at
 * `base`. Every place MUST lie, aligned to 8, in a writable range of the image: ALC_E_BAD_IMAGE
 * otherwise, with some places changed. Safe to call before anything is relocated; MUST be called
 * once. */
ALC_MUST_CHECK alc_status alc_relocate(uint8_t *base, const struct alc_enclave_layout *layout);

#endif
