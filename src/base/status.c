/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts, classes and exit codes of the rows of errors.def, and the first-report-wins recorder.
 */
#include "base/status.h"

static const char *const status_texts[ALC_STATUS_COUNT] = {
    "ok",
#define ERR(ident, class, text) text,
#include "base/errors.def"
#undef ERR
};

static const char *const status_names[ALC_STATUS_COUNT] = {
    "OK",
#define ERR(ident, class, text) #ident,
#include "base/errors.def"
#undef ERR
};

static const uint8_t status_classes[ALC_STATUS_COUNT] = {
    ALC_CLASS_NONE,
#define ERR(ident, class, text) ALC_CLASS_##class,
#include "base/errors.def"
#undef ERR
};

static bool is_known(alc_status status)
{
    return (unsigned)status < ALC_STATUS_COUNT;
}

const char *alc_status_text(alc_status status)
{
    return is_known(status) ? status_texts[status] : "unknown status";
}

const char *alc_status_name(alc_status status)
{
    return is_known(status) ? status_names[status] : "UNKNOWN";
}

enum alc_error_class alc_status_class(alc_status status)
{
    return is_known(status) ? (enum alc_error_class)status_classes[status] : ALC_CLASS_INTERNAL;
}

void alc_error_clear(struct alc_error *error)
{
    error->status = ALC_OK;
    error->offset = ALC_NO_OFFSET;
    error->detail[0] = '\0';
}

alc_status alc_fail(struct alc_error *error, alc_status status, uint64_t offset)
{
    return alc_fail_with(error, status, offset, "");
}

alc_status alc_fail_with(struct alc_error *error, alc_status status, uint64_t offset,
                         const char *detail)
{
    ALC_ASSERT(status != ALC_OK);
    if (error == NULL || error->status != ALC_OK) {
        return status;
    }
    error->status = status;
    error->offset = offset;
    size_t length = 0;
    while (detail[length] != '\0' && length < ALC_ERROR_TEXT_SIZE - 1) {
        error->detail[length] = detail[length];
        length++;
    }
    error->detail[length] = '\0';
    return status;
}

static int trap_exit_code(alc_status status)
{
    enum { SIGILL_CODE = 132, SIGABRT_CODE = 134, SIGFPE_CODE = 136, SIGSEGV_CODE = 139 };
    /* Traps not named are memory, table and reference faults. */
    if (status == ALC_E_UNREACHABLE) {
        return SIGILL_CODE;
    }
    if (status == ALC_E_DIVIDE_BY_ZERO || status == ALC_E_INTEGER_OVERFLOW ||
        status == ALC_E_INVALID_CONVERSION) {
        return SIGFPE_CODE;
    }
    return status == ALC_E_UNCAUGHT_EXCEPTION ? SIGABRT_CODE : SIGSEGV_CODE;
}

static int exhausted_exit_code(alc_status status)
{
    enum { SIGKILL_CODE = 137, SIGSEGV_CODE = 139, SIGALRM_CODE = 142, SIGXCPU_CODE = 152 };
    if (status == ALC_E_CALL_STACK_EXHAUSTED) {
        return SIGSEGV_CODE;
    }
    if (status == ALC_E_OUT_OF_FUEL) {
        return SIGXCPU_CODE;
    }
    return status == ALC_E_DEADLINE ? SIGALRM_CODE : SIGKILL_CODE;
}

int alc_status_exit_code(alc_status status)
{
    switch (alc_status_class(status)) {
    case ALC_CLASS_NONE:
        return 0;
    case ALC_CLASS_MALFORMED:
    case ALC_CLASS_INVALID:
    case ALC_CLASS_UNLINKABLE:
    case ALC_CLASS_USAGE:
        return 2;
    case ALC_CLASS_ATTEST:
    case ALC_CLASS_DENIED:
        return 3;
    case ALC_CLASS_TRAP:
        return trap_exit_code(status);
    case ALC_CLASS_EXHAUSTED:
        return exhausted_exit_code(status);
    case ALC_CLASS_EXIT:
    case ALC_CLASS_HOST:
    case ALC_CLASS_IO:
    case ALC_CLASS_INTERNAL:
    default:
        return 1;
    }
}
