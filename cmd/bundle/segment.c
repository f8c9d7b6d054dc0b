/* segment.c - which part of the file the payload's segment maps. */
#include "cmd/bundle/payload.h"

#include <elf.h>
#include <string.h>

/* Pages have so many bytes at least: what is mapped is whole pages. */
enum { PAGE = 4096 };

static size_t smaller(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

struct payload_segment payload_segment(const unsigned char *file)
{
	struct payload_segment out = {0};
	Elf64_Ehdr head;
	uint64_t first = 0;
	memcpy(&head, file, sizeof head);
	for (size_t i = 0; i < head.e_phnum; i++) {
		Elf64_Phdr segment;
		size_t at = head.e_phoff + i * sizeof segment;
		memcpy(&segment, file + at, sizeof segment);
		if (segment.p_type != PT_LOAD)
			continue;
		first = first ? first : segment.p_filesz;
		out = (struct payload_segment){at, segment.p_align, segment.p_offset, segment.p_filesz, 0};
	}
	out.head = smaller(out.from, (first + PAGE - 1) / PAGE * PAGE);
	return out;
}
