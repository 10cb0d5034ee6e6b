/* SPDX-License-Identifier: Apache-2.0
 *
 * A JSON library (yyjson): reads a document, walks all of it, writes it again.
 */
#include "harness.h"

#include "yyjson.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 400, ROW_SIZE = 256 };

static char document[ROWS * ROW_SIZE];

static size_t make_document(void)
{
    size_t at = 0;
    uint32_t state = 17;
    document[at++] = '[';
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t random = random_next(&state);
        at += (size_t)snprintf(document + at, ROW_SIZE,
                               "%s{\"id\":%u,\"name\":\"row \\u00e9 %u\",\"price\":%u.%02u,"
                               "\"tags\":[\"a%u\",\"b\\n%u\",null,true],\"in\":{\"x\":-%u,"
                               "\"y\":%ue-3}}",
                               row == 0 ? "" : ",\n", row, random % 1000, random >> 20,
                               random % 100, random % 7, random % 11, random >> 8, random >> 16);
    }
    document[at++] = ']';
    return at;
}

static uint64_t walk(yyjson_val *value, uint64_t sum)
{
    size_t index, count;
    yyjson_val *key, *element;
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_ARR:
        yyjson_arr_foreach(value, index, count, element)
        {
            sum = walk(element, sum);
        }
        return mix(sum, count);
    case YYJSON_TYPE_OBJ:
        yyjson_obj_foreach(value, index, count, key, element)
        {
            sum = walk(element, walk(key, sum));
        }
        return mix(sum, count);
    case YYJSON_TYPE_STR:
        return mix(sum, yyjson_get_len(value) + (uint8_t)yyjson_get_str(value)[0]);
    case YYJSON_TYPE_NUM:
        return mix(sum, yyjson_is_real(value) ? bits_of(yyjson_get_real(value))
                                              : (uint64_t)yyjson_get_sint(value));
    default:
        return mix(sum, yyjson_get_type(value));
    }
}

uint64_t json(uint32_t rounds)
{
    size_t size = make_document();
    uint64_t sum = size;
    for (uint32_t round = 0; round < rounds; round++) {
        yyjson_doc *read = yyjson_read(document, size, 0);
        if (read == NULL) {
            abort();
        }
        sum = walk(yyjson_doc_get_root(read), sum);
        size_t written_size = 0;
        char *written = yyjson_write(read, YYJSON_WRITE_PRETTY, &written_size);
        sum = mix(mix(sum, written_size), (uint8_t)written[written_size / 2]);
        free(written);
        yyjson_doc_free(read);
    }
    return sum;
}
