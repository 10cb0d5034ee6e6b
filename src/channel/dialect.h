/* SPDX-License-Identifier: Apache-2.0
 *
 * Other ways to say in a certificate what is proved. A channel speaks the one that its demand and
 * its identity name and no other, whatever a peer offers. Without a name that is the dialect of
 * docs/attested-channels.md: Interoperable RA-TLS in certificates, and proofs of freshness after
 * the handshake between sides that know them. Programs that name none of these carry none.
 */
#ifndef ALC_CHANNEL_DIALECT_H
#define ALC_CHANNEL_DIALECT_H

#include "attest/attester.h"
#include "attest/evidence_file.h"
#include "base/arena.h"

struct alc_channel_dialect {
    /* The application protocol (ALPN) that it goes by, and NULL: sides of different dialects do not
     * meet. No proofs of freshness follow the handshake. */
    const char *protocols[2];
    /* Has evidence made that is bound to what this claims-buffer says; *out lies in `arena`.
     * ALC_E_NOT_SUPPORTED for kinds of evidence that have no form in the dialect; statuses of the
     * attester; ALC_E_CERTIFICATE_SIZE, ALC_E_OUT_OF_MEMORY. */
    alc_status (*prove)(const struct alc_attester *attester, const struct alc_text *claims,
                        struct alc_arena *arena, struct alc_tagged_evidence *out);
    /* Brings hostile evidence into the other form: a quote or report, a claims-buffer that says the
     * same, both in `arena` or borrowed, and the report data that bind it. ALC_E_DIALECT_REFUSED
     * for what is not of this dialect; else what is malformed. NULL: nobody's evidence is read. */
    alc_status (*translate)(struct alc_arena *arena, struct alc_tagged_evidence *evidence,
                            uint8_t out_report_data[ALC_EVIDENCE_REPORT_DATA_SIZE]);
};

/* TNG (Trusted Network Gateway): evidence of attestation agents, channel/coco.h. */
extern const struct alc_channel_dialect alc_channel_tng;
/* The same for sides that prove themselves and judge nobody, who carry no reader of it. */
extern const struct alc_channel_dialect alc_channel_tng_shown;

#endif
