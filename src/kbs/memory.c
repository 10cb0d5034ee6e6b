/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for SQLite, which keeps pages of the file and values of statements in it, so secrets and
 * the key for tokens: wiped when it is given back.
 */
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "kbs/kbs_internal.h"

static void *take(int size)
{
    return size > 0 ? malloc((size_t)size) : NULL;
}

static void give_back(void *block)
{
    if (block != NULL) {
        OPENSSL_cleanse(block, malloc_usable_size(block));
        free(block);
    }
}

/* Never in place of malloc's realloc, which leaves a copy behind. */
static void *resize(void *block, int size)
{
    void *moved = take(size);
    if (moved != NULL) {
        const size_t old_size = malloc_usable_size(block);
        alc_copy(moved, block, old_size < (size_t)size ? old_size : (size_t)size);
        give_back(block);
    }
    return moved;
}

static int size_of(void *block)
{
    const size_t size = block != NULL ? malloc_usable_size(block) : 0;
    return size <= INT_MAX ? (int)size : INT_MAX;
}

static int round_up(int size)
{
    return size <= INT_MAX - 7 ? (size + 7) & ~7 : size;
}

static int start(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void stop(void *context)
{
    (void)context;
}

static int g_result;

static void configure(void)
{
    static const sqlite3_mem_methods methods = {
        .xMalloc = take,
        .xFree = give_back,
        .xRealloc = resize,
        .xSize = size_of,
        .xRoundup = round_up,
        .xInit = start,
        .xShutdown = stop,
    };
    g_result = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

alc_status alc_kbs_store_memory(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    return g_result == SQLITE_OK ? ALC_OK : ALC_E_INTERNAL;
}
