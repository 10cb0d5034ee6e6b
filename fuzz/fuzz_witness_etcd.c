/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of a JSON gateway to each kind of question: what is taken is whole.
 */
#include <stdlib.h>

#include "witness_etcd/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    struct alc_etcd_answer answer;
    if (alc_etcd_answer_read(ALC_ETCD_FIND, "Zm9v", text, size, &answer)) {
        demand(answer.revision != 0 && answer.count == (answer.mark.generation != 0));
    }
    if (alc_etcd_answer_read(ALC_ETCD_COUNT, "", text, size, &answer)) {
        demand(answer.revision != 0 && !answer.is_moved);
    }
    if (alc_etcd_answer_read(ALC_ETCD_MOVE, "Zm9v", text, size, &answer)) {
        demand(answer.revision != 0 && answer.count == 0);
    }
    return 0;
}
