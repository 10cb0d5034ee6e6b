/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to seconds: one pattern for each form, digits where it has letters.
 */
#include "attest/time.h"

struct date {
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool to_seconds(const struct date *date, int64_t *out_s)
{
    if (date->month < 1 || date->month > 12 || date->day < 1 ||
        date->day > days_in(date->year, date->month) || date->hour > 23 || date->minute > 59 ||
        date->second > 59) {
        return false;
    }
    /* Years that begin in March, so that a leap day is their last: the civil calendar's usual sum.
     */
    int64_t year = date->month <= 2 ? date->year - 1 : date->year;
    int64_t month = (date->month + 9) % 12;
    int64_t days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                   date->day - 1 - 719468;
    *out_s = ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
    return true;
}

/* Y M D h m s are digits of the date's members, everything else stands for itself. */
static bool match(const char *pattern, const uint8_t *text, size_t size, struct date *out)
{
    *out = (struct date){0};
    for (size_t i = 0; i < size; i++) {
        int64_t *member = pattern[i] == 'Y'   ? &out->year
                          : pattern[i] == 'M' ? &out->month
                          : pattern[i] == 'D' ? &out->day
                          : pattern[i] == 'h' ? &out->hour
                          : pattern[i] == 'm' ? &out->minute
                          : pattern[i] == 's' ? &out->second
                                              : NULL;
        if (member != NULL && text[i] >= '0' && text[i] <= '9') {
            *member = *member * 10 + (text[i] - '0');
        } else if (member != NULL || text[i] != (uint8_t)pattern[i]) {
            return false;
        }
    }
    return true;
}

bool alc_time_from_utc_time(const uint8_t *text, size_t size, int64_t *out_s)
{
    struct date date;
    if (size != 13 || !match("YYMMDDhhmmssZ", text, size, &date)) {
        return false;
    }
    date.year += date.year < 50 ? 2000 : 1900;
    return to_seconds(&date, out_s);
}

bool alc_time_from_generalized(const uint8_t *text, size_t size, int64_t *out_s)
{
    struct date date;
    return size == 15 && match("YYYYMMDDhhmmssZ", text, size, &date) && to_seconds(&date, out_s);
}

bool alc_time_from_rfc3339(const uint8_t *text, size_t size, int64_t *out_s)
{
    struct date date;
    return size == 20 && match("YYYY-MM-DDThh:mm:ssZ", text, size, &date) &&
           to_seconds(&date, out_s);
}

/* The calendar backwards: eras of 400 years that begin in March. */
static void to_date(int64_t seconds, struct date *out)
{
    enum { DAY_S = 86400, ERA_DAYS = 146097, YEAR_0_DAYS = 719468 };
    int64_t days = seconds / DAY_S + YEAR_0_DAYS;
    const int64_t era = days / ERA_DAYS;
    days %= ERA_DAYS;
    const int64_t year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
    days -= 365 * year + year / 4 - year / 100;
    const int64_t month = (5 * days + 2) / 153; /* from March */
    out->day = days - (153 * month + 2) / 5 + 1;
    out->month = month < 10 ? month + 3 : month - 9;
    out->year = 400 * era + year + (out->month <= 2);
    out->hour = seconds % DAY_S / 3600;
    out->minute = seconds % 3600 / 60;
    out->second = seconds % 60;
}

static void write_digits(char *out, size_t count, int64_t value)
{
    while (count > 0) {
        out[--count] = (char)('0' + value % 10);
        value /= 10;
    }
}

void alc_time_to_rfc3339(int64_t seconds, char out[ALC_TIME_RFC3339_SIZE])
{
    static const char form[] = "0000-00-00T00:00:00Z";
    static const int64_t last_s = 253402300799; /* 9999-12-31T23:59:59Z */
    struct date date;
    to_date(seconds < 0 ? 0 : seconds > last_s ? last_s : seconds, &date);
    for (size_t i = 0; i < ALC_TIME_RFC3339_SIZE; i++) {
        out[i] = form[i];
    }
    write_digits(&out[0], 4, date.year);
    write_digits(&out[5], 2, date.month);
    write_digits(&out[8], 2, date.day);
    write_digits(&out[11], 2, date.hour);
    write_digits(&out[14], 2, date.minute);
    write_digits(&out[17], 2, date.second);
}
