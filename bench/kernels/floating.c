/* SPDX-License-Identifier: Apache-2.0
 *
 * Floating point: escape times of a fractal, orbits of bodies (square roots and divisions), and
 * conversions between widths and integers.
 */
#include "harness.h"

enum { BODIES = 5 };

struct body {
    double x, y, z;
    double vx, vy, vz;
    double mass;
};

uint64_t mandelbrot(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t row = 0; row < 64; row++) {
            for (uint32_t column = 0; column < 64; column++) {
                double real = (double)column / 25.0 - 2.0;
                double imaginary = (double)row / 32.0 - 1.0;
                double x = 0, y = 0;
                uint32_t steps = 0;
                while (steps < 100 && x * x + y * y <= 4.0) {
                    double next = x * x - y * y + real;
                    y = 2.0 * x * y + imaginary;
                    x = next;
                    steps++;
                }
                sum = mix(sum, steps + round);
            }
        }
    }
    return sum;
}

static void place(struct body *bodies)
{
    uint32_t state = 99;
    for (int i = 0; i < BODIES; i++) {
        double *fields = &bodies[i].x;
        for (int j = 0; j < 6; j++) {
            fields[j] = (double)(random_next(&state) % 10000) / 1000.0 - 5.0;
        }
        bodies[i].mass = 1.0 + (double)i;
    }
}

static void attract(struct body *a, struct body *b, double step)
{
    double dx = a->x - b->x;
    double dy = a->y - b->y;
    double dz = a->z - b->z;
    double square = dx * dx + dy * dy + dz * dz + 0.01;
    double scale = step / (square * __builtin_sqrt(square));
    a->vx -= dx * b->mass * scale;
    a->vy -= dy * b->mass * scale;
    a->vz -= dz * b->mass * scale;
    b->vx += dx * a->mass * scale;
    b->vy += dy * a->mass * scale;
    b->vz += dz * a->mass * scale;
}

uint64_t nbody(uint32_t rounds)
{
    struct body bodies[BODIES];
    place(bodies);
    for (uint32_t round = 0; round < rounds * 1000; round++) {
        for (int i = 0; i < BODIES; i++) {
            for (int j = i + 1; j < BODIES; j++) {
                attract(&bodies[i], &bodies[j], 0.001);
            }
        }
        for (int i = 0; i < BODIES; i++) {
            bodies[i].x += bodies[i].vx * 0.001;
            bodies[i].y += bodies[i].vy * 0.001;
            bodies[i].z += bodies[i].vz * 0.001;
        }
    }
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++) {
        sum = mix(mix(mix(sum, bits_of(bodies[i].x)), bits_of(bodies[i].y)), bits_of(bodies[i].z));
    }
    return sum;
}

uint64_t convert(uint32_t rounds)
{
    uint64_t sum = 0;
    uint32_t state = 7;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < 10000; i++) {
            uint32_t bits = random_next(&state);
            float narrow = (float)(int32_t)bits * 0.25F;
            double wide = (double)narrow + (double)(bits >> 8);
            int64_t whole = (int64_t)(wide / 3.0);
            float again = (float)whole - __builtin_fabsf(narrow);
            sum += (uint64_t)whole ^ (uint64_t)(int64_t)__builtin_floor((double)again * 0.5);
            sum ^= wide > (double)again ? 1U : 2U;
        }
    }
    return sum;
}
