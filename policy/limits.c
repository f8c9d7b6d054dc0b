/* limits.c - what a compilation may take, as text: "time=30s,cpu=20s,memory=2g". */
#include "policy/limits.h"

#include <stdlib.h>
#include <string.h>
#include <stdbool.h>

/* A number from `s` on to the end of the item, with its unit behind; NULL: it is none. */
static const char *number(const char *s, size_t n, double *value, char *unit)
{
	char *end;
	if (!n || !((*s >= '0' && *s <= '9') || *s == '.') || strspn(s, "0123456789.") + 1 < n)
		return NULL;
	*value = strtod(s, &end);
	if (end == s || (size_t)(end - s) > n)
		return NULL;
	*unit = (size_t)(end - s) < n ? *end : '\0';
	return end;
}

static const char *read_size(double value, char unit, size_t *out)
{
	static const struct { const char *letters; int shift; } units[] = {{"kK", 10}, {"mM", 20}, {"gG", 30}};
	double each = 0;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (unit && strchr(units[i].letters, unit))
			each = 1 << units[i].shift;
	if (!each)
		return "a size without its unit: k, m or g";
	double bytes = value * each;
	if (!(bytes >= 8 << 20 && bytes <= 1e12))
		return "not a size from 8m on";
	*out = (size_t)bytes;
	return NULL;
}

static const char *read_time(double value, char unit, double *out)
{
	if (unit && unit != 's' && unit != 'm')
		return "a time with an unknown unit: s or m";
	value *= unit == 'm' ? 60 : 1;
	if (!(value >= 0.01 && value <= 86400))
		return "not a time of 0.01s to a day";
	*out = value;
	return NULL;
}

static const char *one(const char *item, size_t n, struct limits *out, bool *cpu)
{
	enum { TIME, CPU, MEMORY, NAMES };
	static const char *const names[NAMES] = {"time=", "cpu=", "memory="};
	double value;
	char unit;
	size_t which = 0, len = 0;
	for (; which < NAMES; which++) {
		len = strlen(names[which]);
		if (n >= len && !memcmp(item, names[which], len))
			break;
	}
	if (which == NAMES)
		return "not a list of time=, cpu= and memory=";
	if (!number(item + len, n - len, &value, &unit))
		return which == MEMORY ? "not a size, such as memory=2g" : "not a time, such as time=30s";
	*cpu |= which == CPU;
	return which == MEMORY ? read_size(value, unit, &out->memory)
	                       : read_time(value, unit, which == CPU ? &out->cpu : &out->seconds);
}

const char *limits_parse(const char *text, struct limits *out)
{
	struct limits l = *out;
	bool cpu = false;
	double step = l.cpu / l.seconds;
	for (;; text++) {
		size_t n = strcspn(text, ",");
		const char *why = one(text, n, &l, &cpu);
		if (why)
			return why;
		text += n;
		if (!*text)
			break;
	}
	if (!cpu) /* CPU time keeps step with the clock unless it is given */
		l.cpu = l.seconds * step;
	*out = l;
	return NULL;
}
