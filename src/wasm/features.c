/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the features, from features.def.
 */
#include "wasm/features.h"

const char *alc_feature_name(enum alc_feature feature)
{
    switch (feature) {
#define FEATURE(ident, name, standard, text)                                                       \
    case ALC_FEATURE_##ident:                                                                      \
        return name;
#include "wasm/features.def"
#undef FEATURE
    case ALC_FEATURE_COUNT:
        break;
    }
    return "unknown";
}
