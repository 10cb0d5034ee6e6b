/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence from a program that the user names.
 */
#ifndef ALC_CLI_KBS_ATTESTER_H
#define ALC_CLI_KBS_ATTESTER_H

#include "attest/attester.h"

/* Runs `program` with the report data, 128 hexadecimal digits, as its only argument; what it writes
 * to its standard output is the evidence. ALC_E_IO_FAILED when it cannot be run, fails or writes
 * too much. `program` is borrowed. */
struct alc_attester kbs_attester_of_program(const char *program);

#endif
