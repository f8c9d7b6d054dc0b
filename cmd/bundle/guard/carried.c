/*
 * carried.c - what this program carries, found in its own memory.
 *
 * The segment of the payload maps the whole file (payload.h). Its digest is made before anything else is done: of a
 * file that was damaged on its way nothing is believed.
 */
#include "cmd/bundle/guard/carried.h"
#include "cmd/bundle/payload.h"

#include "cmd/cmd.h"

#include <elf.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#ifndef DEVGUARD_VERSION
#error "DEVGUARD_VERSION comes from the Makefile"
#endif

/* The linker puts it behind everything else, see the Makefile. */
__attribute__((section(".devguard.payload"), used))
static const struct payload_place place = {PAYLOAD_PLACE, DEVGUARD_VERSION};

static const char *called;

/* There is less of the file than was mapped. */
static void cut_short(int sig)
{
	static const char text[] = ": error: this file is damaged: its end is missing\n  hint: copy it again, whole\n";
	(void)sig;
	if (write(STDERR_FILENO, called, strlen(called)) < 0 || write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(1);
	_exit(1);
}

/* The file from its first byte to its last, as the program's own headers tell; NULL: nothing was put in. */
static const unsigned char *whole_file(size_t *size)
{
	const unsigned char *at = (const unsigned char *)&place;
	Elf64_Ehdr file;
	__asm__("" : "+r"(at)); /* what is there now is not what was compiled */
	memcpy(&file, at, sizeof file);
	if (memcmp(file.e_ident, ELFMAG, SELFMAG))
		return NULL;
	*size = 0;
	for (size_t i = 0; i < file.e_phnum; i++) {
		Elf64_Phdr segment;
		memcpy(&segment, at + file.e_phoff + i * sizeof segment, sizeof segment);
		if (segment.p_type == PT_LOAD) /* they ascend: it is the last */
			*size = segment.p_filesz;
	}
	return at;
}

static bool within(const struct payload_part *part, size_t size)
{
	return part->at <= size && part->size <= size - part->at;
}

/* Reads the last byte first: pages that the file lacks end the process. */
static bool is_whole(const unsigned char *file, size_t size, struct payload_end *end)
{
	uint64_t digest[2];
	if (size < sizeof *end)
		return false;
	__atomic_load_n(file + size - 1, __ATOMIC_RELAXED);
	memcpy(end, file + size - sizeof *end, sizeof *end);
	payload_digest(file, size - sizeof digest, digest);
	return !memcmp(end->word, PAYLOAD_MAGIC, PAYLOAD_WORD) && !memcmp(end->digest, digest, sizeof digest) && end->size == size &&
	       within(&end->policy, size) && within(&end->object, size);
}

static struct carried found;

const struct carried *carried(void)
{
	return &found;
}

const char *carried_find(const char *name)
{
	static struct payload_end end;
	size_t size;
	const unsigned char *file = whole_file(&size);
	if (!file)
		return "this is the stub of " PROGRAM " bundle: it carries no policy";
	called = name;
	struct sigaction act = {.sa_handler = cut_short}, before;
	sigaction(SIGBUS, &act, &before);
	bool whole = is_whole(file, size, &end);
	sigaction(SIGBUS, &before, NULL);
	if (!whole)
		return "this file is damaged";
	found = (struct carried){.policy = (const char *)file + end.policy.at, .object = file + end.object.at, .nobject = end.object.size};
	return NULL;
}
