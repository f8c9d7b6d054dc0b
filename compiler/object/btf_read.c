/*
 * btf_read.c - the lines of a program read back from its .BTF.ext; their files by the names in .BTF. What both have for
 * readers is compared.
 */
#include "compiler/object/btf.h"

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

static bool find_line_info(const unsigned char *ext, size_t len, size_t nreaders, struct line_info *out)
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
	/* ours, and behind it only that of the readers */
	return out->size == RECORD_LINE && out->n <= size &&
	       12 + (uint64_t)out->n * RECORD_LINE + (nreaders ? 8 + nreaders * RECORD_LINE : 0) == size;
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

/* A BTF header: magic, version, flags, its length, where the types are, then the texts. */
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
                   size_t len, size_t nreaders, const bool *starts, size_t ninsns, struct image *image, const char **why)
{
	struct line_info info;
	struct line_files files = {.arena = a, .policy = p, .of_rule = policy_files(a, p), .last = UINT32_MAX};
	find_texts(&files, btf, nbtf);
	*why = "its .BTF.ext has no valid line records";
	if (!find_line_info(ext, len, nreaders, &info))
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

/* ---- readers ------------------------------------------------------------------------------ */

/* A part of a section, by the two numbers of its header that say where: from the end of the header, and how long. */
static struct bytes part(struct bytes section, size_t header, size_t at)
{
	if (section.len < header || u32_at(section.data, 4) != header)
		return (struct bytes){0};
	uint64_t begin = header + (uint64_t)u32_at(section.data, at), size = u32_at(section.data, at + 4);
	if (begin + size > section.len)
		return (struct bytes){0};
	return (struct bytes){section.data + begin, size};
}

static bool begins_with(struct bytes x, struct bytes y)
{
	return x.data && y.data && x.len >= y.len && !memcmp(x.data, y.data, y.len);
}

const char *btf_check_text(struct arena *a, const struct text *text, struct bytes btf, struct bytes ext)
{
	struct bytes fresh, records = part(ext, EXT_HEADER_READERS, 24);
	struct buffer wanted = {.arena = a};
	struct task_types task;
	if (!text->n)
		return part(ext, EXT_HEADER, 8).data ? NULL : "its .BTF.ext has another head";
	struct types t = types_begin(a);
	types_task(&t, a, &task);
	put_text_records(&wanted, &task, text);
	if (types_finish(&t, a, &fresh))
		return "its types cannot be made";
	if (!begins_with(part(btf, BTF_HEADER, 8), part(fresh, BTF_HEADER, 8)) ||
	    !begins_with(part(btf, BTF_HEADER, 16), part(fresh, BTF_HEADER, 16)))
		return "its types of the kernel are others";
	if (records.len != wanted.n || !begins_with(records, (struct bytes){wanted.data, wanted.n}))
		return "its records of the kernel's fields are others";
	return NULL;
}
