/*
 * serial_get.c - what serial_put.c wrote, read back: nothing in it is trusted.
 */
#include "compiler/object/serial.h"

#include <limits.h>
#include <string.h>

uint64_t serial_fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	r->p = r->end;
	return 0;
}

uint64_t get_fixed(struct reader *r, size_t size)
{
	uint64_t v = 0;
	if ((size_t)(r->end - r->p) < size)
		return serial_fail(r, "it ends too early");
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)*r->p++ << 8 * i;
	return v;
}

uint64_t get_number(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint64_t byte = get_fixed(r, 1);
		if (shift == 63 && byte > 1)
			break;
		v |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	return serial_fail(r, "a number has more than 64 bits");
}

int64_t get_signed(struct reader *r)
{
	uint64_t v = get_number(r);
	return (int64_t)(v >> 1 ^ -(v & 1));
}

/* A number up to `max`. */
uint64_t get_upto(struct reader *r, uint64_t max, const char *why)
{
	uint64_t v = get_number(r);
	return v <= max ? v : serial_fail(r, why);
}

/* How many things follow that take at least `size` bytes each. */
size_t get_count(struct reader *r, size_t size)
{
	uint64_t n = get_number(r);
	return n <= (size_t)(r->end - r->p) / size ? (size_t)n
	                                           : serial_fail(r, "a count exceeds what follows");
}

static const char *get_chars(struct reader *r, uint64_t n)
{
	if (n > (size_t)(r->end - r->p)) {
		serial_fail(r, "a text exceeds what follows");
		return NULL;
	}
	const char *s = (const char *)r->p;
	if (memchr(s, 0, n)) {
		serial_fail(r, "a text contains a zero byte");
		return NULL;
	}
	r->p += n;
	return arena_strndup(r->arena, s, n);
}

const char *get_string(struct reader *r)
{
	uint64_t n = get_number(r);
	return n ? get_chars(r, n - 1) : NULL;
}

/* A string that must be there. */
const char *get_text(struct reader *r)
{
	const char *s = get_string(r);
	if (!s)
		serial_fail(r, "a text is missing");
	return s ? s : "";
}

struct span get_span(struct reader *r)
{
	struct span at = {0};
	uint64_t n = get_number(r);
	if (n)
		at.file = n == 1 ? r->policy->file : get_chars(r, n - 2);
	at.line = (int)get_upto(r, INT_MAX, "a line number is out of range");
	at.column = (int)get_upto(r, INT_MAX, "a column is out of range");
	return at;
}

bool get_flag(struct reader *r)
{
	uint64_t v = get_fixed(r, 1);
	return v <= 1 ? v : serial_fail(r, "a flag is neither 0 nor 1");
}
