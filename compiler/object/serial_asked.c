/*
 * serial_asked.c - what a policy asks of the calling task, in the .devguard section: its questions,
 * whose places are their inputs, and the paths that files are compared with. Terms have the
 * numbers of paths (path_value()), which are computed anew of what is read here.
 */
#include "compiler/object/serial.h"
#include "policy/asked.h"

#include <string.h>

void serial_put_asked(struct buffer *b, const struct policy *p)
{
	const struct asked *as = policy_asks(p);
	size_t files = 0;
	put_number(b, as->nasks);
	for (size_t i = 0; i < as->nasks; i++) {
		const struct ask *ask = &as->asks[i];
		put_fixed(b, ask->kind, 1);
		if (ask->kind != ASK_UNDER)
			put_number(b, (uint64_t)ask->number);
		if (ask->kind != ASK_CAPABLE)
			put_string(b, ask->text);
		put_span(b, p, &ask->at);
	}
	for (size_t i = 0; i < as->npaths; i++)
		files += !as->paths[i].is_cgroup;
	put_number(b, files);
	for (size_t i = 0; i < as->npaths; i++) {
		if (as->paths[i].is_cgroup) /* that of a question */
			continue;
		put_string(b, as->paths[i].path);
		put_span(b, p, &as->paths[i].at);
	}
}

/* ---- read back -------------------------------------------------------------------------- */

/* A path that may stand there. */
static const char *get_path(struct reader *r)
{
	const char *path = get_text(r);
	if (!r->why && (path_fault(path, strlen(path)) || !path[1]))
		serial_fail(r, "a path is none of a file or cgroup");
	return path;
}

static bool too_deep(const char *path)
{
	size_t n = 0;
	for (; *path; path++)
		n += *path == '/';
	return n > REQUEST_LEVELS;
}

static void get_ask(struct reader *r, struct asked *as)
{
	enum ask_kind kind = (enum ask_kind)get_upto(r, ASK_KINDS - 1, "it asks an unknown question");
	const char *text = NULL;
	int64_t number = 0;
	if (kind == ASK_GROUP) {
		number = (int64_t)get_upto(r, ID_NONE - 1, "it asks for an impossible group");
		text = get_string(r);
	} else if (kind == ASK_CAPABLE) {
		number = (int64_t)get_upto(r, CAPABILITIES - 1, "it asks for an unknown capability");
		text = capability_name((int)number);
	} else {
		text = get_path(r);
		number = path_value(text, strlen(text));
		if (too_deep(text))
			serial_fail(r, "it asks for a cgroup that is too deep");
	}
	struct span at = get_span(r);
	size_t before = as->nasks;
	if (r->why)
		return;
	if (kind == ASK_UNDER && !asked_path(as, text, true, at))
		serial_fail(r, "two paths have the same number");
	else if (asked_ask(as, kind, number, text, at) != (int)before)
		serial_fail(r, "it asks a question twice");
}

void serial_get_asked(struct reader *r)
{
	struct asked *as = terms_asked(r->policy->terms);
	size_t n = get_upto(r, TASK_ASKS_MAX, "it asks more questions than there can be");
	for (size_t i = 0; i < n && !r->why; i++)
		get_ask(r, as);
	n = get_count(r, 4);
	for (size_t i = 0; i < n && !r->why; i++) {
		size_t before = as->npaths;
		const char *path = get_path(r);
		struct span at = get_span(r);
		if (!r->why && (!asked_path(as, path, false, at) || as->npaths == before))
			serial_fail(r, "two paths are the same, or have the same number");
	}
}

/* The files that a term compares by their paths may be compared with nothing else: their values are names. */
static bool is_file(const struct terms *ts, term t)
{
	const struct term_node *k = term_get(ts, t);
	return k->op == TERM_INPUT && k->a < INPUT_MAX && input_kind((enum input)k->a) == FACT_FILE;
}

static bool is_path(const struct terms *ts, term t)
{
	const struct term_node *k = term_get(ts, t);
	const struct asked *as = terms_asked(ts);
	for (size_t i = 0; k->op == TERM_CONST && i < as->npaths; i++)
		if (!as->paths[i].is_cgroup && as->paths[i].value == k->lo)
			return true;
	return false;
}

bool serial_files_ok(const struct terms *ts, enum term_op op, term a, term b)
{
	if (!is_file(ts, a) && !is_file(ts, b))
		return true;
	return op == TERM_EQ && (is_file(ts, a) ? is_path(ts, b) : is_path(ts, a));
}
