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

static const char *one(const char *item, size_t n, struct limits *out, bool *cpu)
{
	static const char *const names[] = {"time=", "cpu=", "memory="};
	double value;
	char unit;
	size_t which = 0, len = 0;
	for (; which < 3; which++) {
		len = strlen(names[which]);
		if (n >= len && !memcmp(item, names[which], len))
			break;
	}
	if (which == 3)
		return "not a list of time=, cpu= and memory=";
	if (!number(item + len, n - len, &value, &unit))
		return which == 2 ? "not a size, such as memory=2g" : "not a time, such as time=30s";
	if (which == 2) {
		double bytes = strchr("kK", unit)   ? 1 << 10
		               : strchr("mM", unit) ? 1 << 20
		               : strchr("gG", unit) ? 1 << 30
		                                    : 0;
		if (!unit || !bytes)
			return "a size without its unit: k, m or g";
		if (!(value * bytes >= 8 << 20 && value * bytes <= 1e12))
			return "not a size from 8m on";
		out->memory = (size_t)(value * bytes);
		return NULL;
	}
	if (unit && unit != 's' && unit != 'm')
		return "a time with an unknown unit: s or m";
	value *= unit == 'm' ? 60 : 1;
	if (!(value >= 0.01 && value <= 86400))
		return "not a time of 0.01s to a day";
	*cpu |= which == 1;
	*(which == 1 ? &out->cpu : &out->seconds) = value;
	return NULL;
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
