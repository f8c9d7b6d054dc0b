/*
 * serial_put.c - bytes that grow, and what the .devguard section is made of: numbers, strings, places.
 */
#include "compiler/object/serial.h"

#include <string.h>

size_t buffer_put(struct buffer *b, const void *data, size_t n)
{
	if (n > b->cap - b->n) {
		size_t cap = b->cap ? 2 * b->cap : 256;
		if (cap < b->n + n)
			cap = b->n + n;
		b->data = arena_move(b->arena, b->data, b->cap, cap);
		b->cap = cap;
	}
	if (n)
		memcpy(b->data + b->n, data, n);
	b->n += n;
	return b->n - n;
}

uint64_t serial_digest(const void *data, size_t n)
{
	const unsigned char *bytes = data;
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return h;
}

bool serial_operands_ok(enum term_op op, bool a_is_bool, bool b_is_bool)
{
	bool logic = op == TERM_AND || op == TERM_NOT;
	return a_is_bool == logic && b_is_bool == logic;
}

void put_fixed(struct buffer *b, uint64_t v, size_t size)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(v >> 8 * i);
	buffer_put(b, bytes, size);
}

void put_number(struct buffer *b, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (unsigned char)(v | 0x80);
	bytes[n++] = (unsigned char)v;
	buffer_put(b, bytes, n);
}

void put_signed(struct buffer *b, int64_t v)
{
	put_number(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void put_string(struct buffer *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	put_number(b, s ? n + 1 : 0);
	buffer_put(b, s, n);
}

/* The file is nearly always the policy's: 1; else a string's length is 1 more. */
void put_span(struct buffer *b, const struct policy *p, const struct span *at)
{
	if (at->file && p->file && !strcmp(at->file, p->file)) {
		put_number(b, 1);
	} else {
		size_t n = at->file ? strlen(at->file) : 0;
		put_number(b, at->file ? n + 2 : 0);
		buffer_put(b, at->file, n);
	}
	put_number(b, at->line > 0 ? (unsigned)at->line : 0);
	put_number(b, at->column > 0 ? (unsigned)at->column : 0);
}
