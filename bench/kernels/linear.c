/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear algebra in double precision over plain loops: products, factorisations, and a matrix times
 * its transposed times a vector.
 */
#include "harness.h"

enum { N = 64 };

typedef double matrix[N][N];

static matrix a, b, c, d;
static double x[N], y[N], z[N];

static void fill(matrix m, uint32_t seed)
{
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < N; j++) {
            m[i][j] = (double)((i * j + seed) % N) / N;
        }
    }
}

/* Symmetric, and large on the diagonal: it can be factored without exchanging rows. */
static void fill_definite(matrix m)
{
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < N; j++) {
            m[i][j] = 1.0 / (double)(1 + i + j) + (i == j ? N : 0);
        }
    }
}

static uint64_t sum_of(const double *values, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i += 5) {
        sum = mix(sum, bits_of(values[i]));
    }
    return sum;
}

static void multiply(matrix out, matrix left, matrix right, double alpha, double beta)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            out[i][j] *= beta;
        }
        for (int k = 0; k < N; k++) {
            for (int j = 0; j < N; j++) {
                out[i][j] += alpha * left[i][k] * right[k][j];
            }
        }
    }
}

uint64_t gemm(uint32_t rounds)
{
    fill(a, 1);
    fill(b, 2);
    fill(c, 3);
    for (uint32_t round = 0; round < rounds; round++) {
        multiply(c, a, b, 1.5, 0.2);
    }
    return sum_of(&c[0][0], N * N);
}

uint64_t two_mm(uint32_t rounds)
{
    fill(a, 1);
    fill(b, 2);
    fill(c, 3);
    fill(d, 4);
    static matrix product;
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                product[i][j] = 0;
                for (int k = 0; k < N; k++) {
                    product[i][j] += 0.7 * a[i][k] * b[k][j];
                }
            }
        }
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                d[i][j] *= 0.1;
                for (int k = 0; k < N; k++) {
                    d[i][j] += product[i][k] * c[k][j];
                }
            }
        }
    }
    return sum_of(&d[0][0], N * N);
}

uint64_t lu(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        fill_definite(a);
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < i; j++) {
                for (int k = 0; k < j; k++) {
                    a[i][j] -= a[i][k] * a[k][j];
                }
                a[i][j] /= a[j][j];
            }
            for (int j = i; j < N; j++) {
                for (int k = 0; k < i; k++) {
                    a[i][j] -= a[i][k] * a[k][j];
                }
            }
        }
        sum = mix(sum, sum_of(&a[0][0], N * N));
    }
    return sum;
}

uint64_t cholesky(uint32_t rounds)
{
    uint64_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        fill_definite(a);
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < i; j++) {
                for (int k = 0; k < j; k++) {
                    a[i][j] -= a[i][k] * a[j][k];
                }
                a[i][j] /= a[j][j];
            }
            for (int k = 0; k < i; k++) {
                a[i][i] -= a[i][k] * a[i][k];
            }
            a[i][i] = __builtin_sqrt(a[i][i]);
        }
        sum = mix(sum, sum_of(&a[0][0], N * N));
    }
    return sum;
}

uint64_t atax(uint32_t rounds)
{
    fill(a, 5);
    for (int i = 0; i < N; i++) {
        x[i] = 1.0 + (double)i / N;
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++) {
            y[i] = 0;
        }
        for (int i = 0; i < N; i++) {
            z[i] = 0;
            for (int j = 0; j < N; j++) {
                z[i] += a[i][j] * x[j];
            }
            for (int j = 0; j < N; j++) {
                y[j] += a[i][j] * z[i];
            }
        }
        for (int i = 0; i < N; i++) {
            x[i] = y[i] / (1.0 + y[0] + y[N - 1]);
        }
    }
    return sum_of(x, N);
}
