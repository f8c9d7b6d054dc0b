/*
 * raw_record.c - keys, values and records of a raw program: types by name, the layout that C gives their fields,
 * numbers and texts in their bytes.
 */
#include "policy/raw_record.h"

#include <string.h>

/* ---- types -------------------------------------------------------------------------- */

#define TYPES(X)                                                                                   \
	X(u8, 1, false) X(u16, 2, false) X(u32, 4, false) X(u64, 8, false)                            \
	X(s8, 1, true) X(s16, 2, true) X(s32, 4, true) X(s64, 8, true)                                \
	X(pid, 4, false) X(tid, 4, false) X(uid, 4, false) X(gid, 4, false)                           \
	X(major, 4, false) X(minor, 4, false) X(cpu, 4, false)                                        \
	X(cgroup_id, 8, false) X(comm, COMM_SIZE, false)
#define TYPE(word, size, is_signed) {NULL, 0, size, is_signed},
static const struct raw_field types[] = {TYPES(TYPE)};
#define WORD(word, size, is_signed) #word,
static const char *const words[] = {TYPES(WORD)};
enum { NTYPES = sizeof types / sizeof *types };

bool raw_type_of(const char *word, struct raw_field *out)
{
	for (int i = 0; i < NTYPES; i++)
		if (!strcmp(words[i], word)) {
			out->size = types[i].size;
			out->is_signed = types[i].is_signed;
			return true;
		}
	return false;
}

const char *const *raw_type_words(size_t *n)
{
	*n = NTYPES;
	return words;
}

void raw_bounds(const struct raw_field *f, int64_t *lo, int64_t *hi)
{
	unsigned bits = f->size >= 8 ? 64 : f->size * 8u;
	bool half = f->is_signed || bits == 64;
	*hi = half ? (int64_t)(~UINT64_C(0) >> (65 - bits)) : (int64_t)((UINT64_C(1) << bits) - 1);
	*lo = half ? -*hi - 1 : 0;
}

/* ---- layout ------------------------------------------------------------------------- */

static uint32_t rounded(uint32_t n, uint32_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint32_t alignment(const struct raw_field *f)
{
	return raw_is_text(f) ? 1 : f->size;
}

uint32_t raw_place(uint32_t end, const struct raw_field *f)
{
	return rounded(end, alignment(f));
}

enum raw_added raw_record_add(struct arena *a, struct raw_record *r, const char *name, struct raw_field type)
{
	const struct raw_field *last = r->n ? &r->fields[r->n - 1] : NULL;
	uint32_t widest = alignment(&type);
	for (size_t i = 0; i < r->n; i++) {
		if (!strcmp(r->fields[i].name, name))
			return RAW_TWICE;
		if (alignment(&r->fields[i]) > widest)
			widest = alignment(&r->fields[i]);
	}
	if (r->n == RAW_ARGS)
		return RAW_TOO_MANY;
	type.name = name;
	type.offset = raw_place(last ? last->offset + last->size : 0, &type);
	uint32_t size = rounded(type.offset + type.size, widest);
	if (size > RAW_RECORD_MAX)
		return RAW_TOO_LONG;
	if (!r->fields)
		r->fields = arena_alloc(a, RAW_ARGS * sizeof *r->fields);
	r->fields[r->n++] = type;
	r->size = size;
	return RAW_ADDED;
}

/* ---- bytes -------------------------------------------------------------------------- */

#define READ(type) ((int64_t)(type)bits)

int64_t raw_number(const struct raw_field *f, const void *record)
{
	uint64_t bits = 0;
	memcpy(&bits, (const char *)record + f->offset, f->size); /* as this machine has them: little-endian, as in BPF */
	switch (f->size) {
	case 1: return f->is_signed ? READ(int8_t) : READ(uint8_t);
	case 2: return f->is_signed ? READ(int16_t) : READ(uint16_t);
	case 4: return f->is_signed ? READ(int32_t) : READ(uint32_t);
	default: return (int64_t)bits;
	}
}

void raw_put_number(const struct raw_field *f, void *record, int64_t value)
{
	memcpy((char *)record + f->offset, &value, f->size);
}

size_t raw_text(const struct raw_field *f, const void *record, const char **text)
{
	*text = (const char *)record + f->offset;
	return strnlen(*text, f->size);
}

bool raw_put_text(const struct raw_field *f, void *record, const char *text, size_t n)
{
	if (n > f->size || memchr(text, '\0', n))
		return false;
	memset((char *)record + f->offset, 0, f->size);
	memcpy((char *)record + f->offset, text, n);
	return true;
}
