/*
 * histogram.c - counts by slot, drawn with stars.
 *
 * Tools that read what BCC's programs print find the same columns here: the widths of the head and of the numbers,
 * 40 stars for the largest count, half of them (and wide numbers) when a slot behind 32 is used.
 */
#include "policy/histogram.h"

enum { STARS = 40, NARROW_SLOTS = 32 };

static void draw_stars(FILE *out, uint64_t count, uint64_t most, int width)
{
	int stars = most ? (int)((unsigned __int128)count * (unsigned)width / most) : 0;
	for (int i = 0; i < width; i++)
		fputc(i < stars ? '*' : ' ', out);
}

/* The last that counted something, 0 to n; -1: none did. */
static long last_used(const uint64_t *counts, size_t n, uint64_t *most)
{
	long last = -1;
	*most = 0;
	for (size_t i = 0; i < n; i++) {
		if (counts[i])
			last = (long)i;
		if (counts[i] > *most)
			*most = counts[i];
	}
	return last;
}

static void slot_line(FILE *out, unsigned slot, uint64_t count, uint64_t most, bool wide)
{
	uint64_t low = slot > 1 ? UINT64_C(1) << (slot - 1) : 0;
	uint64_t high = ~UINT64_C(0) >> (64 - slot);
	int width = wide ? 20 : 10;
	fprintf(out, "%*llu -> %-*llu : %-8llu |", width, (unsigned long long)low, width, (unsigned long long)high,
	        (unsigned long long)count);
	draw_stars(out, count, most, wide ? STARS / 2 : STARS);
	fputs("|\n", out);
}

char *histogram_text(struct arena *a, const uint64_t *slots, size_t n, const char *label, bool strip)
{
	struct arena_stream s;
	uint64_t first = n > 1 ? slots[0] + slots[1] : 0, most = 0;
	long last = n > 2 ? last_used(slots + 2, n - 2, &most) + 2 : 1;
	FILE *out = arena_stream(a, &s);
	if (first > most)
		most = first;
	bool wide = last > NARROW_SLOTS;
	if (most)
		fprintf(out, "%*s%-*s : count     distribution\n", wide ? 15 : 5, "", wide ? 29 : 19, label);
	for (long i = 1; most && i <= last; i++) {
		uint64_t count = i == 1 ? first : slots[i];
		strip = strip && !count;
		if (!strip)
			slot_line(out, (unsigned)i, count, most, wide);
	}
	return arena_text(a, &s);
}

char *histogram_linear(struct arena *a, const uint64_t *counts, size_t n, const char *label)
{
	struct arena_stream s;
	uint64_t most;
	long last = last_used(counts, n, &most);
	FILE *out = arena_stream(a, &s);
	if (last >= 0)
		fprintf(out, "     %-13s : count     distribution\n", label);
	for (long i = 0; i <= last; i++) {
		fprintf(out, "        %-10ld : %-8llu |", i, (unsigned long long)counts[i]);
		draw_stars(out, counts[i], most, STARS);
		fputs("|\n", out);
	}
	return arena_text(a, &s);
}
