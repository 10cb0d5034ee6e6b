/* SPDX-License-Identifier: Apache-2.0
 *
 * How a client inside an enclave reaches its broker: the host carries its requests. Both sides
 * exchange messages over a stream, each with its size (u32, little-endian) in front, in
 * deterministic CBOR:
 *
 *   request = [ uint (1: POST, 0: GET), tstr path, tstr session, bstr body ]
 *   answer  = [ uint (HTTP status; 0: nobody answered), tstr session, bstr body ]
 *
 * Inside, an answer is an adversary's; outside, so is a request: it names a path below
 * ALC_BROKER_PREFIX of the one server that the user named, and nothing else.
 */
#ifndef ALC_BROKER_RELAY_H
#define ALC_BROKER_RELAY_H

#include "broker/client.h"

enum { ALC_RELAY_HEAD = 4, ALC_RELAY_MESSAGE_MAX = ALC_BROKER_BODY_MAX + 1024 };

/* Each appends one message with its size. */
void alc_relay_write_request(struct alc_writer *writer, const struct alc_broker_request *request);
void alc_relay_write_answer(struct alc_writer *writer, const struct alc_broker_answer *answer);

/* Bytes of the message behind this head; 0 when no message has so many. */
size_t alc_relay_message_size(const uint8_t head[ALC_RELAY_HEAD]);
/* Each reads a whole message without its head; texts are borrowed. ALC_E_BAD_CBOR at the offset of
 * what is malformed, ALC_E_BAD_ARGUMENT for a path that leads elsewhere. */
ALC_MUST_CHECK alc_status alc_relay_read_request(struct alc_reader *reader,
                                                 struct alc_broker_request *out);
ALC_MUST_CHECK alc_status alc_relay_read_answer(struct alc_reader *reader,
                                                struct alc_broker_answer *out);

#endif
