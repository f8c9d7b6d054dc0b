/*
 * columns.c - what a text takes on a terminal, and texts made to fit: for tables whose columns
 * stand below each other.
 *
 * The width of a character is that of UAX #11 and of wcwidth(3), which would need a locale:
 * wide ones of East Asia and pictures take two columns, marks that combine none.
 */
#include "cmd/audit/audit.h"
#include "policy/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct range {
	uint32_t first, last;
};

static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
	{0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26bd, 0x26be},   {0x26d4, 0x26d4},
	{0x2705, 0x2705},   {0x270a, 0x270b},   {0x274c, 0x274c},   {0x2753, 0x2755},   {0x2757, 0x2757},
	{0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
	{0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
	{0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18aff},
	{0x1b000, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
	{0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca},
	{0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc},
	{0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f567}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5},
	{0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb},
	{0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static const struct range narrowest[] = {
	{0x300, 0x36f},     {0x483, 0x489},     {0x591, 0x5bd},     {0x610, 0x61a},     {0x64b, 0x65f},
	{0x6d6, 0x6dc},     {0x900, 0x902},     {0x93c, 0x93c},     {0x941, 0x948},     {0x94d, 0x94d},
	{0xe31, 0xe31},     {0xe34, 0xe3a},     {0xe47, 0xe4e},     {0x1160, 0x11ff},   {0x1ab0, 0x1aff},
	{0x1dc0, 0x1dff},   {0x20d0, 0x20f0},   {0x3099, 0x309a},   {0xfe00, 0xfe0f},   {0xfe20, 0xfe2f},
	{0xe0100, 0xe01ef},
};

static bool is_in(const struct range *list, size_t n, uint32_t code)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (list[middle].last < code)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && list[low].first <= code;
}

#define IS_IN(list, code) is_in(list, sizeof(list) / sizeof *(list), code)

/* Bytes of the character at text (at least 1), and its columns. */
static size_t character(const char *text, int *columns)
{
	uint32_t code;
	size_t n = utf8_code(text, strlen(text), &code);
	*columns = !n ? 1 : IS_IN(narrowest, code) ? 0 : IS_IN(wide, code) ? 2 : 1;
	return n ? n : 1;
}

int columns_of(const char *text)
{
	int all = 0, one;
	for (; *text; all += one)
		text += character(text, &one);
	return all;
}

/* The bytes of as many characters as fit into `most` columns. */
static size_t bytes_within(const char *text, int most)
{
	size_t n = 0;
	for (int used = 0, one; text[n]; used += one) {
		size_t bytes = character(text + n, &one);
		if (used + one > most)
			break;
		n += bytes;
	}
	return n;
}

void column_cut(char *text, int width)
{
	static const char gap[] = "...";
	int all = columns_of(text), keep = width - (int)sizeof gap + 1;
	if (all <= width || keep < 2)
		return;
	/* a device's number says most: it stays whole where there is room */
	const char *number = text[strlen(text) - 1] == ')' ? strrchr(text, '(') : NULL;
	int tail = number && columns_of(number) < keep ? columns_of(number) : keep / 2;
	size_t head = bytes_within(text, keep - tail), end = bytes_within(text, all - tail);
	int one;
	while (text[end] && columns_of(text + end) > tail) /* half of a wide one */
		end += character(text + end, &one);
	memmove(text + head + sizeof gap - 1, text + end, strlen(text + end) + 1);
	memcpy(text + head, gap, sizeof gap - 1);
}

int terminal_width(void)
{
	enum { WIDTH = 100, LEAST = 20 };
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	if (!isatty(STDOUT_FILENO))
		return 0;
	int width = columns ? atoi(columns) : WIDTH;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	return width >= LEAST ? width : LEAST;
}
