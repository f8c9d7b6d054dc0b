/*
 * btf_read.c - the lines of a program read back from its .BTF.ext; their files by the names in .BTF.
 */
#include "compiler/object/internal.h"

#include <linux/btf.h>
#include <string.h>

static uint32_t u32_at(const unsigned char *data, size_t offset)
{
	uint32_t v;
	memcpy(&v, data + offset, sizeof v);
	return v;
}

/* The line records: where, how many and how large. */
struct line_info {
	const unsigned char *records;
	size_t size, n;
};

static bool find_line_info(const unsigned char *ext, size_t len, struct line_info *out)
{
	uint16_t magic;
	if (len < EXT_HEADER)
		return false;
	memcpy(&magic, ext, sizeof magic);
	uint64_t hdr = u32_at(ext, 4), begin = hdr + u32_at(ext, 16), size = u32_at(ext, 20);
	if (magic != BTF_MAGIC || ext[2] != BTF_VERSION || hdr < EXT_HEADER || size < 12 ||
	    begin + size > len)
		return false;
	out->size = u32_at(ext, begin);
	out->n = u32_at(ext, begin + 8);
	out->records = ext + begin + 12;
	/* one section, ours, and nothing behind it */
	return out->size >= RECORD_LINE && out->n <= size && out->size <= size &&
	       12 + (uint64_t)out->n * out->size == size;
}

/* The files that lines may be of, and the texts of a .BTF that name them. */
struct line_files {
	struct arena *arena;
	const struct policy *policy;
	const uint32_t *of_rule;
	const char *texts;
	size_t ntexts;
	uint32_t last, last_file; /* lines of one file follow each other */
};

/* A BTF header: magic, version, flags, its length, types, then where the texts are. */
static void find_texts(struct line_files *f, const unsigned char *btf, size_t len)
{
	if (len < 24)
		return;
	uint64_t at = (uint64_t)u32_at(btf, 4) + u32_at(btf, 16), n = u32_at(btf, 20);
	if (n && at + n <= len && !btf[at + n - 1]) {
		f->texts = (const char *)btf + at;
		f->ntexts = n;
	}
}

/* The file named at this place; the policy's own when there is none of that name. */
static uint32_t file_at(struct line_files *f, uint32_t place)
{
	const struct policy *p = f->policy;
	char clean[TEXT_MAX];
	if (place == f->last)
		return f->last_file;
	f->last = place;
	f->last_file = 0;
	const char *name = place < f->ntexts ? f->texts + place : "";
	if (!strcmp(btf_clean_text(clean, sizeof clean, policy_file(p, 0), false), name))
		return 0;
	for (size_t i = 0; i < p->nrules && !f->last_file; i++)
		if (f->of_rule[i] == i + 1 &&
		    !strcmp(btf_clean_text(clean, sizeof clean, policy_file(p, (uint32_t)i + 1), false), name))
			f->last_file = (uint32_t)i + 1;
	return f->last_file;
}

int btf_read_lines(struct arena *a, const struct policy *p, const void *btf, size_t nbtf, const void *ext,
                   size_t len, const bool *starts, size_t ninsns, struct image *image, const char **why)
{
	struct line_info info;
	struct line_files files = {.arena = a, .policy = p, .of_rule = policy_files(a, p), .last = UINT32_MAX};
	find_texts(&files, btf, nbtf);
	*why = "its .BTF.ext has no valid line records";
	if (!find_line_info(ext, len, &info))
		return -1;
	struct image_line *lines = arena_alloc(a, info.n * sizeof *lines);
	for (size_t i = 0; i < info.n; i++) {
		const unsigned char *record = info.records + i * info.size;
		uint32_t offset = u32_at(record, 0), insn = offset / 8;
		*why = "its line records do not fit its instructions";
		if (offset % 8 || insn >= ninsns || !starts[insn] ||
		    (i && insn <= lines[i - 1].insn))
			return -1;
		lines[i] = (struct image_line){insn, (int)(u32_at(record, 12) >> LINE_BITS), file_at(&files, u32_at(record, 4))};
	}
	image->lines = lines;
	image->nlines = info.n;
	return 0;
}
