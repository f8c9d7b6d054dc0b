/*
 * carried.c - what this program carries, found in its own memory.
 *
 * The segment of the payload maps the file from its second page on (payload.h). Digests of that and of the first page are
 * made before anything else is done: of a file that was damaged on its way nothing is believed.
 */
#include "cmd/bundle/guard/carried.h"
#include "cmd/bundle/payload.h"

#include "cmd/cmd.h"

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

/* Where the linker put the program's headers: the first page of the file. */
extern const unsigned char __ehdr_start[] __attribute__((visibility("hidden")));

static bool within(const struct payload_part *part, const struct payload_segment *where)
{
	return part->at >= where->from && part->at - where->from <= where->size && part->size <= where->size - (part->at - where->from);
}

/* `rest`: the payload's segment. Its last byte is read first: pages that the file lacks end the process. */
static bool is_whole(const unsigned char *rest, const struct payload_segment *where, struct payload_end *end)
{
	uint64_t digest[2], head[2];
	if (where->size < sizeof *end)
		return false;
	__atomic_load_n(rest + where->size - 1, __ATOMIC_RELAXED);
	memcpy(end, rest + where->size - sizeof *end, sizeof *end);
	payload_digest(__ehdr_start, where->head, head);
	payload_digest(rest, where->size - sizeof digest, digest);
	return !memcmp(end->word, PAYLOAD_MAGIC, PAYLOAD_WORD) && !memcmp(end->head, head, sizeof head) &&
	       !memcmp(end->digest, digest, sizeof digest) && end->size == where->from + where->size && within(&end->policy, where) &&
	       within(&end->object, where);
}

static struct carried found;

const struct carried *carried(void)
{
	return &found;
}

const char *carried_find(const char *name)
{
	static struct payload_end end;
	const unsigned char *rest = (const unsigned char *)&place;
	__asm__("" : "+r"(rest)); /* what is there now is not what was compiled */
	if (!memcmp(rest, PAYLOAD_PLACE, PAYLOAD_WORD))
		return "this is the stub of " PROGRAM " bundle: it carries no policy";
	called = name;
	struct payload_segment where = payload_segment(__ehdr_start);
	struct sigaction act = {.sa_handler = cut_short}, before;
	sigaction(SIGBUS, &act, &before);
	bool whole = is_whole(rest, &where, &end);
	sigaction(SIGBUS, &before, NULL);
	if (!whole)
		return "this file is damaged";
	found = (struct carried){.policy = (const char *)rest + (end.policy.at - where.from), .object = rest + (end.object.at - where.from),
	                         .nobject = end.object.size};
	return NULL;
}
