/*
 * who_text.c - what is asked of the calling task, in words and as Ruby.
 */
#include "policy/who_text.h"
#include "policy/arena.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { FILES_SHOWN = 6 };

const char *who_name(const struct terms *ts, enum input in)
{
	switch (in) {
	case IN_LOGIN_UID: return "login uid";
	case IN_EXE: return "the caller's executable";
	case IN_PARENT_EXE: return "the executable of the caller's parent";
	default: return terms_input_name(ts, in);
	}
}

/* ---- yes or no ------------------------------------------------------------------------------- */

static const struct ask *ask_of(const struct terms *ts, enum input in)
{
	const struct asked *as = terms_asked(ts);
	return input_is_ask(in) && (size_t)in - IN_ASK_0 < as->nasks ? &as->asks[in - IN_ASK_0] : NULL;
}

/* "CAP_SYS_RAWIO" */
static const char *capability_words(struct arena *a, int number)
{
	const char *name = capability_name(number);
	char *text = arena_printf(a, "CAP_%s", name ? name : "?");
	for (char *at = text; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return text;
}

static const char *ask_words(struct arena *a, const struct ask *ask, bool yes)
{
	const char *is = yes ? "is" : "is not";
	switch (ask->kind) {
	case ASK_GROUP:
		return ask->text ? arena_printf(a, "the caller %s in group %lld (%s)", is, (long long)ask->number, ask->text)
		                 : arena_printf(a, "the caller %s in group %lld", is, (long long)ask->number);
	case ASK_CAPABLE:
		return arena_printf(a, "the caller has %s%s in the host's user namespace", yes ? "" : "no ", capability_words(a, (int)ask->number));
	default: return arena_printf(a, "the caller %s below %s", is, ask->text);
	}
}

const char *who_words(struct arena *a, const struct terms *ts, enum input in, bool yes)
{
	const struct ask *ask = ask_of(ts, in);
	if (ask)
		return ask_words(a, ask, yes);
	switch (in) {
	case IN_HOST_USER_NS:
		return yes ? "the caller is in the host's user namespace" : "the caller is in another user namespace than the host's";
	case IN_HOST_PID_NS:
		return yes ? "the caller is in the host's pid namespace" : "the caller is in another pid namespace than the host's";
	case IN_KERNEL_THREAD: return yes ? "the caller is a kernel thread" : "the caller is no kernel thread";
	default: return NULL;
	}
}

const char *who_path_ruby(struct arena *a, const char *path)
{
	enum { ESCAPE = 4 };
	char *out = arena_alloc(a, ESCAPE * strlen(path) + 3), *to = out;
	*to++ = '"';
	for (const char *at = path; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (c < ' ' || c > '~')
			to += sprintf(to, "\\x%02X", c);
		else
			to += sprintf(to, strchr("\"\\#", c) ? "\\%c" : "%c", c);
	}
	*to++ = '"';
	*to = '\0';
	return out;
}

const char *who_ruby(struct arena *a, const struct terms *ts, enum input in, bool yes)
{
	const struct ask *ask = ask_of(ts, in);
	const char *no = yes ? "" : "!";
	if (ask)
		return ask->kind == ASK_UNDER ? arena_printf(a, "%sctx.under?(%s)", no, who_path_ruby(a, ask->text))
		                              : arena_printf(a, "%sctx.%s", no, ask->name);
	return in < IN_PARAM_0 && input_kind(in) == FACT_YES_NO ? arena_printf(a, "%sctx.%s?", no, input_name(in)) : NULL;
}

/* ---- files ---------------------------------------------------------------------------------------- */

struct files { const char **names; size_t n; bool others; /* all files but these */ };

static struct files files_of(struct arena *a, const struct terms *ts, const struct interval *list, size_t n)
{
	const struct asked *as = terms_asked(ts);
	struct files f = {.names = arena_alloc(a, (as->npaths + 1) * sizeof *f.names), .others = intervals_have(list, n, 0)};
	for (size_t i = 0; i < as->npaths; i++)
		if (!as->paths[i].is_cgroup && intervals_have(list, n, as->paths[i].value) != f.others)
			f.names[f.n++] = as->paths[i].path;
	return f;
}

const char *who_file_words(struct arena *a, const struct terms *ts, enum input in, const struct interval *list, size_t n)
{
	struct files f = files_of(a, ts, list, n);
	size_t shown = f.n > FILES_SHOWN ? FILES_SHOWN / 2 : f.n;
	const char *text = f.n ? f.names[0] : f.others ? "any" : "none";
	for (size_t i = 1; i < shown; i++)
		text = arena_printf(a, "%s%s%s", text, i + 1 < f.n ? ", " : " or ", f.names[i]);
	if (shown < f.n)
		text = arena_printf(a, "%s or one of %zu more", text, f.n - shown);
	return arena_printf(a, "%s is %s%s", who_name(ts, in), f.others && f.n ? "not " : "", text);
}

const char *who_file_ruby(struct arena *a, const struct terms *ts, enum input in, const struct interval *list, size_t n)
{
	struct files f = files_of(a, ts, list, n);
	const char *names = "";
	if (!f.n)
		return f.others ? "true" : "false";
	for (size_t i = 0; i < f.n; i++)
		names = arena_printf(a, "%s%s%s", names, i ? ", " : "", who_path_ruby(a, f.names[i]));
	return f.n == 1 ? arena_printf(a, "ctx.%s %s %s", input_name(in), f.others ? "!=" : "==", names)
	                : arena_printf(a, "%s[%s].include?(ctx.%s)", f.others ? "!" : "", names, input_name(in));
}
