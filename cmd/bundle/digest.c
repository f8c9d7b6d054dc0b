/*
 * digest.c - a digest of 128 bits, fast enough to be made of a whole program at each start.
 *
 * Words of eight bytes go into two lanes in turn. A step of a lane is a bijection of its state for each word, and of
 * the word for each state: so one word that differs cannot be made good by the words behind it.
 */
#include "cmd/bundle/payload.h"

#include <string.h>

static uint64_t step(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * 0x9e3779b97f4a7c15u;
	return lane ^ lane >> 32;
}

void payload_digest(const void *bytes, size_t n, uint64_t out[2])
{
	const unsigned char *at = bytes, *end = at + n;
	uint64_t lane[2] = {0x243f6a8885a308d3u, 0x13198a2e03707344u}, word[2];
	for (; (size_t)(end - at) >= sizeof word; at += sizeof word) {
		memcpy(word, at, sizeof word);
		lane[0] = step(lane[0], word[0]);
		lane[1] = step(lane[1], word[1]);
	}
	memset(word, 0, sizeof word);
	memcpy(word, at, (size_t)(end - at));
	lane[0] = step(lane[0], word[0]);
	lane[1] = step(lane[1], word[1]);
	out[0] = step(lane[0], n);
	out[1] = step(lane[1], n);
}
