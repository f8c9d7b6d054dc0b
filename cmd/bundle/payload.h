/*
 * payload.h - the file that `bundle` writes: a stub, what it carries, and where that is.
 *
 *   stub | the name of the policy, its object | struct payload_end
 *
 * A stub is an executable with a segment for its payload, which is nearly empty (struct payload_place). In a bundle
 * that segment maps the file from its second page to its end, so what is carried is in memory when the program begins: it
 * opens no file, and needs no /proc. The first page is left to the first segment: two segments with the file's begin would
 * confuse whoever looks for the program's headers (glibc 2.41 does).
 */
#ifndef DEVGUARD_CMD_BUNDLE_PAYLOAD_H
#define DEVGUARD_CMD_BUNDLE_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

/* 16 bytes each, without a NUL. */
#define PAYLOAD_PLACE "devguard-place-1"
#define PAYLOAD_MAGIC "devguard-guard-1"

enum { PAYLOAD_WORD = 16, PAYLOAD_VERSION = 32 };

/* In a stub, the payload's segment begins with it. */
struct payload_place {
	char word[PAYLOAD_WORD];       /* PAYLOAD_PLACE */
	char version[PAYLOAD_VERSION]; /* of the tool it was built with */
};

/* A part of the file. */
struct payload_part { uint64_t at, size; };

/* The last bytes of a bundle. */
struct payload_end {
	char word[PAYLOAD_WORD]; /* PAYLOAD_MAGIC */
	char version[PAYLOAD_VERSION];
	uint64_t size; /* bytes of the whole file */
	struct payload_part policy, object;
	uint64_t head[2];   /* digest of what is before the payload's segment, as far as it is mapped */
	uint64_t digest[2]; /* of what is in it, up to here */
};

/* ---- digest.c ------------------------------------------------------------------------ */

/* Of n bytes. It finds damage, not malice: a change within eight bytes that begin at a multiple of eight always changes
 * it. */
void payload_digest(const void *bytes, size_t n, uint64_t out[2]);

/* ---- segment.c ----------------------------------------------------------------------- */

/* The payload's segment, by the headers of a stub or a bundle: it is the last that is loaded. */
struct payload_segment {
	size_t header;       /* where its program header is in the file */
	uint64_t align;
	uint64_t from, size; /* what it maps of the file */
	size_t head;         /* bytes of the file that the first segment has in memory, up to `from` */
};
/* From the file's first bytes. */
struct payload_segment payload_segment(const unsigned char *file);

#endif
