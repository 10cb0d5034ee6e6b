/* SPDX-License-Identifier: Apache-2.0
 *
 * Grids: two relaxations in double precision, and shortest paths between all pairs of integers.
 */
#include "harness.h"

enum { N = 64, PATHS = 64 };

static double grid[N][N];
static double next[N][N];
static int32_t paths[PATHS][PATHS];

static void fill(void)
{
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < N; j++) {
            grid[i][j] = (double)((i * (j + 2) + 2) % 29) / N;
            next[i][j] = (double)((i * (j + 3) + 3) % 31) / N;
        }
    }
}

static uint64_t sum_of_grid(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < N; i += 3) {
        sum = mix(sum, bits_of(grid[i][i * 5 % N]));
    }
    return sum;
}

uint64_t jacobi_2d(uint32_t rounds)
{
    fill();
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++) {
                next[i][j] = 0.2 * (grid[i][j] + grid[i][j - 1] + grid[i][1 + j] + grid[1 + i][j] +
                                    grid[i - 1][j]);
            }
        }
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++) {
                grid[i][j] = 0.2 * (next[i][j] + next[i][j - 1] + next[i][1 + j] + next[1 + i][j] +
                                    next[i - 1][j]);
            }
        }
    }
    return sum_of_grid();
}

uint64_t seidel_2d(uint32_t rounds)
{
    fill();
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++) {
                grid[i][j] = (grid[i - 1][j - 1] + grid[i - 1][j] + grid[i - 1][j + 1] +
                              grid[i][j - 1] + grid[i][j] + grid[i][j + 1] + grid[i + 1][j - 1] +
                              grid[i + 1][j] + grid[i + 1][j + 1]) /
                             9.0;
            }
        }
    }
    return sum_of_grid();
}

uint64_t floyd_warshall(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < PATHS; i++) {
            for (uint32_t j = 0; j < PATHS; j++) {
                paths[i][j] = (i + j + round) % 11 == 0 ? (int32_t)(i * j % 7 + 1) : 999;
            }
        }
        for (int k = 0; k < PATHS; k++) {
            for (int i = 0; i < PATHS; i++) {
                for (int j = 0; j < PATHS; j++) {
                    int32_t around = paths[i][k] + paths[k][j];
                    paths[i][j] = paths[i][j] < around ? paths[i][j] : around;
                }
            }
        }
        for (uint32_t i = 0; i < PATHS; i++) {
            sum = mix(sum, (uint32_t)paths[i][i * 3 % PATHS]);
        }
    }
    return sum;
}
