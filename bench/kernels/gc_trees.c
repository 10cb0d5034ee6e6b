/* SPDX-License-Identifier: Apache-2.0
 *
 * The native twin of gc_trees.wat: the same trees with malloc and free.
 */
#include "harness.h"

#include <stdlib.h>

struct tree {
    struct tree *left, *right;
    uint32_t value;
};

static struct tree *make(uint32_t depth, uint32_t value)
{
    struct tree *tree = malloc(sizeof(*tree));
    if (tree == NULL) {
        abort();
    }
    tree->value = value;
    tree->left = depth == 0 ? NULL : make(depth - 1, value << 1);
    tree->right = depth == 0 ? NULL : make(depth - 1, value << 1 | 1);
    return tree;
}

static uint32_t walk(const struct tree *tree)
{
    if (tree == NULL) {
        return 1;
    }
    uint32_t left = walk(tree->left) * 31;
    return left + (walk(tree->right) ^ tree->value);
}

static void discard(struct tree *tree)
{
    if (tree != NULL) {
        discard(tree->left);
        discard(tree->right);
        free(tree);
    }
}

uint64_t gc_trees(uint32_t rounds)
{
    uint64_t sum = 0;
    struct tree *kept = make(12, 1);
    for (uint32_t round = 0; round < rounds; round++) {
        struct tree *tree = make(8, round);
        sum = mix(sum, walk(tree));
        discard(tree);
    }
    sum = mix(sum, walk(kept));
    discard(kept);
    return sum;
}
