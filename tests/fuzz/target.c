/* target.c - what libFuzzer calls: --harness=NAME on its command line says which. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *x, size_t nx, const uint8_t *y, size_t ny, uint8_t *out, size_t max,
                                 unsigned seed);

static const struct harness *harness;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--harness=";
	for (int i = 1; i < *argc; i++)
		if (!strncmp((*argv)[i], option, strlen(option)))
			harness = fuzz_harness((*argv)[i] + strlen(option));
	if (!harness) {
		fprintf(stderr, "--harness=NAME: one of\n");
		for (size_t i = 0; i < fuzz_nharnesses; i++)
			fprintf(stderr, "  %s\n", fuzz_harnesses[i].name);
		exit(64);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_one(harness, data, len);
	return 0;
}

/* Besides what libFuzzer does by itself: of two texts some lines of each, in their order. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *x, size_t nx, const uint8_t *y, size_t ny, uint8_t *out, size_t max,
                                 unsigned seed)
{
	struct { const uint8_t *at; size_t n; } texts[2] = {{x, nx}, {y, ny}};
	size_t len = 0;
	while (harness->flags & TEXT && (texts[0].n || texts[1].n)) {
		seed = seed * 1103515245 + 12345;
		int which = texts[0].n && (!texts[1].n || seed >> 16 & 1) ? 0 : 1;
		const uint8_t *newline = memchr(texts[which].at, '\n', texts[which].n);
		size_t n = newline ? (size_t)(newline - texts[which].at) + 1 : texts[which].n;
		if (seed >> 17 & 1 && n <= max - len) {
			memcpy(out + len, texts[which].at, n);
			len += n;
		}
		texts[which].at += n;
		texts[which].n -= n;
	}
	return len;
}
