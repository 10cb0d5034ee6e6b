/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of the endorsements extension, 2.23.133.5.4.2, in Interoperable RA-TLS: what Intel's
 * provisioning service says about the platform, carried by the platform itself, so that a verifier
 * needs no service. An input as hostile as the evidence; what is read is borrowed from it.
 */
#ifndef ALC_CHANNEL_ENDORSEMENTS_H
#define ALC_CHANNEL_ENDORSEMENTS_H

#include "attest/collateral.h"
#include "base/writer.h"

/* Writes version 3 of the form under the tag of quotes. `pck_list_chain` is the PEM chain that
 * signs the list, which readers of ours do without. */
void alc_endorsements_write(struct alc_writer *writer, const struct alc_pcs_collateral *collateral,
                            const struct alc_text *pck_list_chain);
/* Reads exactly one: those of CBOR and JSON at the offset of what is not in the form. */
ALC_MUST_CHECK alc_status alc_endorsements_read(struct alc_reader *reader,
                                                struct alc_pcs_collateral *out);

#endif
