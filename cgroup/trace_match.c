/*
 * trace_match.c - could a program have printed this text?
 *
 * Its formats are known, and what their conversions can give: numbers, one character, a process's name.
 */
#include "cgroup/trace.h"

#include <ctype.h>
#include <string.h>

#include "policy/comm.h"

/* What is left of a format, and of a text. */
struct left { const char *at, *end; };

static bool fits(struct left f, struct left t);

/* n bytes of the text are the conversion's, then the rest. */
static bool rest(struct left f, struct left t, size_t n)
{
	t.at += n;
	return fits(f, t);
}

static bool number(struct left f, struct left t, char kind)
{
	enum { DIGITS = 20 };
	size_t sign = (kind == 'd' || kind == 'i') && t.at < t.end && *t.at == '-', left = (size_t)(t.end - t.at);
	for (size_t n = 1; n <= DIGITS && sign + n <= left; n++) {
		unsigned char c = (unsigned char)t.at[sign + n - 1];
		if (kind == 'x' ? !isxdigit(c) || isupper(c) : !isdigit(c))
			return false;
		if (rest(f, t, sign + n))
			return true;
	}
	return false;
}

static bool name(struct left f, struct left t)
{
	for (size_t n = 0; n < COMM_SIZE && n <= (size_t)(t.end - t.at); n++)
		if (rest(f, t, n))
			return true;
	return false;
}

/* A conversion behind its `%`. */
static bool conversion(struct left f, struct left t)
{
	while (f.at < f.end && *f.at == 'l')
		f.at++;
	char kind = f.at < f.end ? *f.at++ : '%';
	switch (kind) {
	case '%': return t.at < t.end && *t.at == '%' && rest(f, t, 1);
	case 'c': return (t.at < t.end && rest(f, t, 1)) || fits(f, t); /* a 0 is not printed */
	case 's': return name(f, t);
	default: return number(f, t, kind);
	}
}

static bool fits(struct left f, struct left t)
{
	while (f.at < f.end && *f.at != '%') {
		if (t.at == t.end || *t.at != *f.at)
			return false;
		f.at++;
		t.at++;
	}
	if (f.at == f.end)
		return t.at == t.end;
	f.at++;
	return conversion(f, t);
}

/* A line's last newline is not told. */
static bool fits_format(const struct step *s, const char *text, size_t len)
{
	size_t n = s->ntext;
	if (n && s->text[n - 1] == '\n')
		n--;
	return fits((struct left){s->text, s->text + n}, (struct left){text, text + len});
}

static bool in_steps(const struct step *s, const char *text, size_t len)
{
	for (; s; s = s->next)
		if ((s->kind == STEP_PRINT && fits_format(s, text, len)) ||
		    (s->kind == STEP_IF && (in_steps(s->yes, text, len) || in_steps(s->no, text, len))))
			return true;
	return false;
}

bool trace_match(const struct raw *raw, const char *text, size_t len)
{
	return in_steps(raw->steps, text, len);
}
