/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls: two recursive functions, and methods called through pointers.
 */
#include "harness.h"

static __attribute__((noinline)) uint32_t fibonacci_of(uint32_t n)
{
    return n < 2 ? n : fibonacci_of(n - 1) + fibonacci_of(n - 2);
}

uint64_t fibonacci(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, fibonacci_of(20 + round % 4));
    }
    return sum;
}

static __attribute__((noinline)) int32_t tak_of(int32_t x, int32_t y, int32_t z)
{
    if (y >= x) {
        return z;
    }
    return tak_of(tak_of(x - 1, y, z), tak_of(y - 1, z, x), tak_of(z - 1, x, y));
}

uint64_t tak(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, (uint32_t)tak_of(14, 8, (int32_t)(round % 3)));
    }
    return sum;
}

struct shape {
    uint32_t (*area)(const struct shape *self);
    void (*grow)(struct shape *self, uint32_t by);
    uint32_t width, height;
};

static uint32_t area_of_box(const struct shape *self)
{
    return self->width * self->height;
}

static uint32_t area_of_triangle(const struct shape *self)
{
    return self->width * self->height / 2;
}

static uint32_t area_of_frame(const struct shape *self)
{
    return 2 * (self->width + self->height);
}

static void grow_both(struct shape *self, uint32_t by)
{
    self->width = (self->width + by) & 1023;
    self->height = (self->height + by) & 1023;
}

static void grow_width(struct shape *self, uint32_t by)
{
    self->width = (self->width + 2 * by) & 1023;
}

enum { SHAPES = 96 };

static struct shape shapes[SHAPES];

uint64_t indirect_calls(uint32_t rounds)
{
    uint32_t (*const areas[3])(const struct shape *) = {area_of_box, area_of_triangle,
                                                        area_of_frame};
    void (*const grows[2])(struct shape *, uint32_t) = {grow_both, grow_width};
    uint32_t state = 3;
    for (uint32_t i = 0; i < SHAPES; i++) {
        shapes[i].area = areas[random_next(&state) % 3];
        shapes[i].grow = grows[random_next(&state) % 2];
        shapes[i].width = i;
        shapes[i].height = SHAPES - i;
    }
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds * 1000; round++) {
        for (uint32_t i = 0; i < SHAPES; i++) {
            shapes[i].grow(&shapes[i], round & 7);
            sum += shapes[i].area(&shapes[i]);
        }
    }
    return sum;
}
