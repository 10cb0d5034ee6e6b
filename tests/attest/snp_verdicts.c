/* SPDX-License-Identifier: Apache-2.0
 *
 * Verdicts about the real SEV-SNP report, and about it and its VCEK with each single bit changed,
 * as snp_peer prints them: snp_verdicts FOLDER STEP BITS, at every STEPth byte BITS of its bits.
 */
#include <stdlib.h>

#include "attest/snp_vector.h"

static struct snp_vector vector;

static const char *word(void)
{
    struct alc_verdict verdict;
    return snp_vector_judge(&vector, &verdict) == ALC_OK ? "accepted" : "refused";
}

static void print_changed(const char *name, uint8_t *bytes, size_t size, size_t step, int bits)
{
    for (size_t at = 0; at < size; at += step) {
        for (int count = 0; count < bits; count++) {
            const int bit = ((int)at + count) % 8;
            bytes[at] ^= (uint8_t)(1u << bit);
            printf("%s 0x%zx %d %s\n", name, at, bit, word());
            bytes[at] ^= (uint8_t)(1u << bit);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4 || !snp_vector_read(argv[1], &vector)) {
        fprintf(stderr, "snp_verdicts: no vector\n");
        return 2;
    }
    const size_t step = strtoul(argv[2], NULL, 10);
    const int bits = (int)strtoul(argv[3], NULL, 10);
    printf("debug %s\n", word());
    vector.policy.accepts_debug = false;
    printf("no-debug %s\n", word());
    vector.policy.accepts_debug = true;
    print_changed("report", vector.report, vector.appraisal.evidence.size, step, bits);
    print_changed("vcek", vector.vcek, vector.collateral.endorsement_key.size, step, bits);
    return 0;
}
