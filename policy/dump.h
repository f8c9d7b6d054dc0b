/* dump.h - a program of anybody's as the kernel has it: instructions, and what its maps hold; or what stands for it. */
#ifndef DEVGUARD_POLICY_DUMP_H
#define DEVGUARD_POLICY_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A map that instructions name by its id. Entries are in the order in which they were read. */
struct dump_map {
	uint32_t id, type;           /* BPF_MAP_TYPE_* */
	uint32_t key_size, value_size, max_entries;
	const uint8_t *keys, *values; /* n of each, one behind the other */
	size_t n;
	bool known;                   /* all entries were read, and hold what they held then */
	const char *name;
};

/* The function that the call at this instruction calls. */
struct dump_call {
	uint32_t insn;
	int32_t function;             /* BPF_FUNC_*, or DUMP_* */
	const char *name;             /* for messages */
};
enum {
	DUMP_UNKNOWN_FUNCTION = -1,
	DUMP_HASH_ELEMENT = -2,       /* the kernel's own look-up: the element, the value is behind it */
};

/* A field of the kernel's structures: "user_namespace", "ns.inum". */
struct dump_field { const char *type, *path; };
#define DUMP_NO_FIELD (-1)

/* What a host program (policy/hostprog.h) opens by one of its grants: requests for the device whose accesses are all in
 * the set. */
#define OPENS_ANY_MINOR UINT32_MAX
struct dump_opens { uint32_t type, major, minor, access; };
enum dump_is {
	DUMP_PROGRAM,
	DUMP_OPENS,     /* a host program: of what the programs before it deny, it opens what `opens` says */
	DUMP_OPENS_ALL, /* one that lets all of it pass */
};

struct dump {
	enum dump_is is;             /* DUMP_PROGRAM: what follows, but for `opens` */
	const struct dump_opens *opens;
	size_t nopens;
	const void *insns;            /* 8 bytes each; an ldimm64 of a map has its id */
	size_t ninsns;
	const struct dump_map *maps;
	size_t nmaps;
	const struct dump_call *calls; /* ascending; NULL: calls say the number of the function */
	size_t ncalls;
	const int32_t *fields;         /* of a program of ours with functions of its own: where in this kernel's structures the */
	size_t nfields;                /* fields are that were asked for, in bytes, or DUMP_NO_FIELD */
};

struct arena;

/* Programs as one block of bytes, for another process of the same tool, and back. NULL with *len 0: more
 * than DUMPS_MAX bytes. False: the bytes are not whole. */
enum { DUMPS_MAX = 48 << 20 };
void *dumps_write(struct arena *a, const struct dump *list, size_t n, size_t *len);
bool dumps_read(struct arena *a, const void *data, size_t len, struct dump **list, size_t *n);

#endif
