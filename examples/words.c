/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts words: a plain C program that knows nothing of enclaves. Reads the files named, or
 * standard input, and prints the ten most frequent words.
 *
 *   clang --target=wasm32-wasi -O2 examples/words.c -o words.wasm
 *   alcove run --read-only-dir . words.wasm README.md
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 32, WORDS_MAX = 1 << 16, TOP = 10 };

struct word {
    char text[WORD_SIZE];
    unsigned count;
};

static struct word words[WORDS_MAX]; /* open addressing */

static void add_word(const char *text)
{
    unsigned hash = 5381;
    for (const char *next = text; *next != '\0'; next++) {
        hash = hash * 33 + (unsigned char)*next;
    }
    for (unsigned i = 0; i < WORDS_MAX; i++) {
        struct word *word = &words[(hash + i) % WORDS_MAX];
        if (word->count == 0) {
            strcpy(word->text, text);
        }
        if (strcmp(word->text, text) == 0) {
            word->count++;
            return;
        }
    }
}

static void count_file(FILE *file)
{
    char text[WORD_SIZE];
    size_t size = 0;
    int c;
    do {
        c = getc(file);
        if (c != EOF && isalpha(c) && size < WORD_SIZE - 1) {
            text[size++] = (char)tolower(c);
        } else if (size > 0 && !isalpha(c)) {
            text[size] = '\0';
            add_word(text);
            size = 0;
        }
    } while (c != EOF);
}

static int compare(const void *a, const void *b)
{
    const struct word *left = a;
    const struct word *right = b;
    int order = (right->count > left->count) - (right->count < left->count);
    return order != 0 ? order : strcmp(left->text, right->text);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "r");
        if (file == NULL) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }
        count_file(file);
        fclose(file);
    }
    if (argc == 1) {
        count_file(stdin);
    }
    qsort(words, WORDS_MAX, sizeof words[0], compare);
    for (int i = 0; i < TOP && words[i].count > 0; i++) {
        printf("%6u %s\n", words[i].count, words[i].text);
    }
    return EXIT_SUCCESS;
}
