/*
 * join.c - a stub and what it is to carry become one executable: the payload is put behind the stub, and the segment for
 * it maps the file but its first page. Nothing is compiled or linked.
 */
#include "cmd/bundle/bundle.h"
#include "cmd/bundle/payload.h"

#include <elf.h>
#include <string.h>

#ifndef DEVGUARD_VERSION
#error "DEVGUARD_VERSION comes from the Makefile"
#endif

static size_t align8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* A part of the file; `at` goes behind it. */
static struct payload_part put(unsigned char *file, size_t *at, const void *bytes, size_t n)
{
	struct payload_part part = {*at, n};
	memcpy(file + *at, bytes, n);
	*at = align8(*at + n);
	return part;
}

/* The stub is the tool's own: its headers are as the linker wrote them. */
static struct payload_segment map_rest(unsigned char *file, size_t size)
{
	struct payload_segment where = payload_segment(file);
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	memcpy(&segment, file + where.header, sizeof segment);
	segment.p_offset = segment.p_align;
	segment.p_filesz = segment.p_memsz = size - segment.p_offset;
	memcpy(file + where.header, &segment, sizeof segment);
	/* sections are of no use to who runs it, and the payload's would be wrong */
	memcpy(&head, file, sizeof head);
	head.e_shoff = 0;
	head.e_shnum = head.e_shstrndx = 0;
	memcpy(file, &head, sizeof head);
	return payload_segment(file);
}

struct bytes bundle_join(struct arena *a, const struct bytes *stub, const char *policy, const struct bytes *object)
{
	struct payload_end end = {.word = PAYLOAD_MAGIC, .version = DEVGUARD_VERSION};
	size_t name = strlen(policy) + 1, at = align8(stub->len);
	end.size = at + align8(name) + align8(object->len) + sizeof end;
	unsigned char *file = arena_alloc(a, end.size); /* zeroed */
	memcpy(file, stub->data, stub->len);
	end.policy = put(file, &at, policy, name);
	end.object = put(file, &at, object->data, object->len);
	struct payload_segment where = map_rest(file, end.size);
	payload_digest(file, where.head, end.head);
	memcpy(file + at, &end, sizeof end);
	payload_digest(file + where.from, where.size - sizeof end.digest, end.digest);
	memcpy(file + at, &end, sizeof end);
	return (struct bytes){file, end.size};
}
