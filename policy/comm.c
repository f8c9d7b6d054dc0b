/*
 * comm.c - which names a process can have: comm is 16 bytes, the first NUL ends it and NULs follow.
 *
 * As a little-endian number, a half is a name's part when no NUL byte stands below one that is none.
 */
#include "policy/comm.h"
#include "policy/input.h"

#include <string.h>

#define EACH_BYTE_ONE 0x0101010101010101ull

/* The smallest number from v on without NUL between bytes of a name. */
static uint64_t next_text(uint64_t v)
{
	bool begun = false;
	for (int at = 56; at >= 0; at -= 8) {
		uint64_t byte = v >> at & 0xff;
		if (begun && !byte) {
			uint64_t low = (1ull << (at + 8)) - 1;
			return (v & ~low) | (EACH_BYTE_ONE & low);
		}
		begun |= byte != 0;
	}
	return v;
}

static bool part_within(uint64_t lo, uint64_t hi, bool full, int64_t *out)
{
	uint64_t v = full && !(lo >> 56) ? EACH_BYTE_ONE : next_text(lo);
	*out = (int64_t)v;
	return v <= hi && (full || !(v >> 56));
}

/* A half of a name within lo..hi: full, or one that ends in it. */
static bool half_within(int64_t lo, int64_t hi, bool full, int64_t *out)
{
	static const int64_t part[] = {0x6873 /* sh */, 0x746163 /* cat */, 'a', 'b', 0, 0x7a7a7a7a7a7a7a /* zzzzzzz */};
	static const int64_t eight[] = {0x2d646d6574737973 /* systemd- */, 0x2f72656b726f776b /* kworker/ */, 0x3030303030303030,
	                                0x7a7a7a7a7a7a7a7a};
	const int64_t *pleasant = full ? eight : part;
	for (size_t i = 0; i < (full ? sizeof eight / sizeof *eight : sizeof part / sizeof *part); i++)
		if (lo <= pleasant[i] && pleasant[i] <= hi) {
			*out = pleasant[i];
			return true;
		}
	if (hi >= 0 && part_within((uint64_t)(lo < 0 ? 0 : lo), (uint64_t)hi, full, out))
		return true;
	return lo < 0 && part_within((uint64_t)lo, (uint64_t)(hi < 0 ? hi : -1), full, out);
}

bool comm_is_name(const int64_t half[2])
{
	char name[COMM_SIZE];
	static const char none[COMM_SIZE];
	memcpy(name, half, sizeof name);
	size_t n = strnlen(name, sizeof name);
	return n < sizeof name && !memcmp(name + n, none, sizeof name - n);
}

bool comm_within(const int64_t lo[2], const int64_t hi[2], int64_t out[2])
{
	out[1] = 0;
	if (lo[1] <= 0 && hi[1] >= 0)
		return half_within(lo[0], hi[0], false, &out[0]) || half_within(lo[0], hi[0], true, &out[0]);
	return half_within(lo[0], hi[0], true, &out[0]) && half_within(lo[1], hi[1], false, &out[1]);
}

/* ---- bytes -------------------------------------------------------------------------------- */

void comm_anything(struct comm_bytes *b)
{
	memset(b, 0, sizeof *b);
	for (int i = 0; i < COMM_BYTES; i++)
		b->is[i] = COMM_NEW;
}

void comm_must(struct comm_bytes *b, int half, uint64_t mask, uint64_t bytes, bool holds)
{
	for (int i = 0; i < 8; i++) {
		int at = 8 * half + i, byte = (int)(bytes >> 8 * i & 0xff);
		if ((mask >> 8 * i & 0xff) != 0xff)
			continue;
		b->taken[at][byte] = true;
		b->clash |= holds && b->is[at] != COMM_NEW && b->is[at] != byte;
		if (holds)
			b->is[at] = (int16_t)byte;
	}
}

/* A byte that no comparison at this place is about. */
static int new_byte(const bool *taken)
{
	for (int byte = 'a'; byte <= 0xff; byte++)
		if (!taken[byte])
			return byte;
	for (int byte = 1; byte < 'a'; byte++)
		if (!taken[byte])
			return byte;
	return 'a';
}

bool comm_of_length(const struct comm_bytes *b, int length, int64_t out[2])
{
	uint64_t word[2] = {0, 0};
	if (b->clash)
		return false;
	for (int at = 0; at < COMM_BYTES; at++) {
		int is = b->is[at];
		if (is != COMM_NEW && (is != 0) != (at < length))
			return false;
		uint64_t byte = at >= length ? 0 : is == COMM_NEW ? (uint64_t)new_byte(b->taken[at]) : (uint64_t)is;
		word[at / 8] |= byte << 8 * (at % 8);
	}
	out[0] = (int64_t)word[0];
	out[1] = (int64_t)word[1];
	return true;
}
