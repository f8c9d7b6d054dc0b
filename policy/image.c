/* image.c - what stands in the .rodata of a program of ours. */
#include "policy/image.h"

#include <endian.h>
#include <string.h>

enum { HEADER_LEAST = offsetof(struct image_header, audit) }; /* version 1 ended there */

const char *image_behind(const void *rodata, size_t size, int texts, size_t *n)
{
	struct image_header h;
	const char *from = rodata;
	if (size < HEADER_LEAST)
		return NULL;
	memcpy(&h, from, HEADER_LEAST);
	size_t at = le32toh(h.size), params = le32toh(h.nparams);
	if (le64toh(h.magic) != IMAGE_MAGIC || at < HEADER_LEAST || at > size || params > (size - at) / sizeof(int64_t))
		return NULL;
	for (at += params * sizeof(int64_t); at < size && texts; texts--)
		at += strnlen(from + at, size - at) + 1;
	if (at >= size)
		return NULL;
	*n = size - at;
	return from + at;
}
