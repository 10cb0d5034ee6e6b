/* SPDX-License-Identifier: Apache-2.0
 *
 * Feature switches: a set of bits ALC_FEATURE_BIT_<ident> from the rows of features.def. What a
 * module may use is chosen when it is loaded (alc_load_options.features).
 */
#ifndef ALC_WASM_FEATURES_H
#define ALC_WASM_FEATURES_H

#include "base/compiler.h"

enum alc_feature {
#define FEATURE(ident, name, standard, text) ALC_FEATURE_##ident,
#include "wasm/features.def"
#undef FEATURE
    ALC_FEATURE_COUNT
};
_Static_assert(ALC_FEATURE_COUNT <= 64, "features are bits of a uint64_t");

#define ALC_FEATURE_BIT(ident) (UINT64_C(1) << ALC_FEATURE_##ident)

/* All features of the standard up to a version, and all there are. */
#define FEATURE(ident, name, standard, text) | ((standard) <= 1 ? ALC_FEATURE_BIT(ident) : 0)
static const uint64_t ALC_FEATURES_1 = 0
#include "wasm/features.def"
    ;
#undef FEATURE
#define FEATURE(ident, name, standard, text) | ((standard) <= 2 ? ALC_FEATURE_BIT(ident) : 0)
static const uint64_t ALC_FEATURES_2 = 0
#include "wasm/features.def"
    ;
#undef FEATURE
#define FEATURE(ident, name, standard, text) | ((standard) <= 3 ? ALC_FEATURE_BIT(ident) : 0)
static const uint64_t ALC_FEATURES_3 = 0
#include "wasm/features.def"
    ;
#undef FEATURE
/* What programs may use unless something else is said: the standard, and what compilers emit. */
#define ALC_FEATURES_DEFAULT                                                                       \
    (ALC_FEATURES_3 | ALC_FEATURE_BIT(LEGACY_EXCEPTIONS) | ALC_FEATURE_BIT(THREADS) |              \
     ALC_FEATURE_BIT(WIDE_ARITHMETIC))
#define ALC_FEATURES_ALL ((UINT64_C(1) << ALC_FEATURE_COUNT) - 1)

static inline bool alc_feature_is_on(uint64_t features, enum alc_feature feature)
{
    return (features >> feature & 1) != 0;
}

/* "bulk" for ALC_FEATURE_BULK; never NULL. */
const char *alc_feature_name(enum alc_feature feature);

#endif
