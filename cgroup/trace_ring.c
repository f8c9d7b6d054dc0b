/*
 * trace_ring.c - the records in a page of per_cpu/cpuN/trace_pipe_raw.
 *
 * The form is told by events/header_page and events/header_event of tracefs and has not changed since Linux 2.6.31: a
 * time, a word with the length and a flag, and records of a 32-bit head (5 bits of kind, 27 of time since the one
 * before) with their bytes. Nothing here is text, so that no name and no line can be taken for another.
 */
#include "cgroup/trace_ring.h"

#include <string.h>

enum { PADDING = 29, TIME_EXTEND = 30, TIME_STAMP = 31, HEAD = 4, TIME_BITS = 27, DATA = sizeof(uint64_t) + sizeof(long) };
#define LENGTH_MASK ((1u << 27) - 1)
#define MISSED      (1u << 31) /* records were lost before this page */

static uint32_t word_at(const unsigned char *at)
{
	uint32_t w;
	memcpy(&w, at, sizeof w);
	return w;
}

/* The head's two parts lie as the compiler of the kernel lays bit fields. */
static void split(uint32_t head, unsigned *kind, uint32_t *delta)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	*kind = head & 31;
	*delta = head >> 5;
#else
	*kind = head >> TIME_BITS;
	*delta = head & LENGTH_MASK;
#endif
}

/* One entry at `at`, `left` bytes to the end of the page's data. Its length; 0: the rest of the page is empty, or
 * it does not fit. */
static size_t entry(const unsigned char *at, size_t left, struct ring_record *r)
{
	unsigned kind;
	uint32_t delta, word = left >= 2 * HEAD ? word_at(at + HEAD) : 0;
	split(word_at(at), &kind, &delta);
	r->data = NULL;
	if (kind == TIME_EXTEND)
		r->ns += ((uint64_t)word << TIME_BITS) + delta;
	else if (kind == TIME_STAMP)
		r->ns = ((uint64_t)word << TIME_BITS) + delta;
	else
		r->ns += delta;
	if (kind == TIME_EXTEND || kind == TIME_STAMP)
		return 2 * HEAD;
	if (kind == PADDING)
		return delta ? HEAD + (size_t)word : 0;
	if (!kind && word < HEAD)
		return 0;
	r->data = at + (kind ? HEAD : 2 * HEAD);
	r->len = kind ? kind * (size_t)4 : word - HEAD;
	return kind ? HEAD + r->len : HEAD + (size_t)word;
}

/* The word behind the page's time. False: the page is none. */
static bool page_word(const unsigned char *page, size_t size, unsigned long *commit, size_t *len)
{
	if (size < DATA)
		return false;
	memcpy(commit, page + sizeof(uint64_t), sizeof *commit);
	*len = *commit & LENGTH_MASK;
	return *len <= size - DATA;
}

bool ring_gap(const unsigned char *page, size_t size)
{
	unsigned long commit;
	size_t len;
	return page_word(page, size, &commit, &len) && commit & MISSED;
}

bool ring_page(const unsigned char *page, size_t size, void (*one)(void *arg, const struct ring_record *r), void *arg)
{
	struct ring_record r = {0};
	unsigned long commit;
	size_t len, at = 0;
	if (!page_word(page, size, &commit, &len))
		return false;
	memcpy(&r.ns, page, sizeof r.ns);
	while (len - at >= HEAD) {
		size_t n = entry(page + DATA + at, len - at, &r);
		if (!n)
			break;
		n = (n + 3) & ~(size_t)3;
		if (n > len - at)
			return false;
		if (r.data)
			one(arg, &r);
		at += n;
	}
	return true;
}
