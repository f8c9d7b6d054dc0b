/* mutate.h - new texts from old ones, for libFuzzer. */
#ifndef DEVGUARD_TESTS_MUTATE_H
#define DEVGUARD_TESTS_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Changes one word in place; the new size. */
size_t mutate_word(uint8_t *data, size_t size, size_t max, unsigned seed);
/* Some lines of each, in their order; the size. */
size_t mutate_lines(const uint8_t *x, size_t nx, const uint8_t *y, size_t ny, uint8_t *out, size_t max, unsigned seed);

#endif
