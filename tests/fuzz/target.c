/* target.c - what libFuzzer calls: --harness=NAME on its command line says which. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
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

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	return harness->flags & TEXT && seed % 2 ? mutate_word(data, size, max, seed)
	                                         : LLVMFuzzerMutate(data, size, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *x, size_t nx, const uint8_t *y, size_t ny, uint8_t *out, size_t max,
                                 unsigned seed)
{
	return harness->flags & TEXT ? mutate_lines(x, nx, y, ny, out, max, seed) : 0;
}
