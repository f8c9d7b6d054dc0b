/*
 * callers.c - which callers there can be.
 *
 * Diagrams take facts as independent of each other, and mostly they are. What is known of some together:
 *
 *   - A capability is asked for in the first user namespace: whoever has one there is there.
 *   - A kernel thread is in the first namespaces, where kthreadd made it, and has no executable: also not that of a
 *     process for which it works (io_uring's workers before Linux 5.12, vhost's before 6.4 borrow its memory).
 *   - Cgroups are a tree: who is below /a/b is below /a, and not below /c.
 *   - The value of a file is that of a name which is compared with, or 0: of any other.
 *
 * Each is about two inputs, or one, so those that a function does not read can be left out of it: they have some value
 * that goes with the others.
 */
#include "policy/callers.h"
#include "policy/diagram_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LOGIN_UID = 1000 };

/* ---- two inputs ------------------------------------------------------------------------------ */

static node has_value(struct diagrams *dg, enum input in, int64_t value)
{
	term x = term_input(dg->terms, in), k = term_const(dg->terms, value); /* C does not order arguments */
	return diagram_of_term(dg, term_eq(dg->terms, x, k));
}

static node is_so(struct diagrams *dg, enum input in)
{
	return has_value(dg, in, 1);
}

static node both(struct diagrams *dg, node x, node y)
{
	return diagram_ite(dg, x, y, NODE_FALSE);
}

static node implies(struct diagrams *dg, enum input x, enum input y)
{
	return diagram_ite(dg, is_so(dg, x), is_so(dg, y), NODE_TRUE);
}

static node exclude(struct diagrams *dg, enum input x, enum input y)
{
	return diagram_ite(dg, is_so(dg, x), diagram_ite(dg, is_so(dg, y), NODE_FALSE, NODE_TRUE), NODE_TRUE);
}

/* Is the cgroup `above` the other, or the same? */
static bool is_above(const char *above, const char *path)
{
	size_t n = strlen(above);
	return !strcmp(above, "/") || (!strncmp(above, path, n) && (path[n] == '/' || !path[n]));
}

static node in_a_tree(struct diagrams *dg, const struct ask *x, enum input ix, const struct ask *y, enum input iy)
{
	return is_above(x->text, y->text)   ? implies(dg, iy, ix)
	       : is_above(y->text, x->text) ? implies(dg, ix, iy)
	                                    : exclude(dg, ix, iy);
}

/* ---- names of files ---------------------------------------------------------------------------- */

static int by_value(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return a < b ? -1 : a > b;
}

/* It is 0 or the value of one of the names. */
static node is_named(struct diagrams *dg, enum input in)
{
	const struct asked *as = terms_asked(dg->terms);
	struct arena *scratch = arena_scratch(dg->arena);
	int64_t *values = arena_alloc(scratch, (as->npaths + 1) * sizeof *values), after = 0;
	struct edge *e = arena_alloc(scratch, (2 * as->npaths + 2) * sizeof *e);
	size_t n = 0, edges = 0;
	for (size_t i = 0; i < as->npaths; i++)
		if (!as->paths[i].is_cgroup)
			values[n++] = as->paths[i].value;
	qsort(values, n, sizeof *values, by_value);
	e[edges++] = (struct edge){0, NODE_TRUE};
	for (size_t i = 0; i < n; after = values[i++]) {
		if (values[i] > after + 1)
			e[edges++] = (struct edge){values[i] - 1, NODE_FALSE};
		e[edges++] = (struct edge){values[i], NODE_TRUE};
	}
	if (after < diagram_var_max(dg, in))
		e[edges++] = (struct edge){diagram_var_max(dg, in), NODE_FALSE};
	node out = diagram_switch(dg, in, e, edges);
	arena_free(scratch);
	return out;
}

/* ---- the whole --------------------------------------------------------------------------------- */

static node with_ask(struct diagrams *dg, node all, size_t i, input_set inputs)
{
	const struct asked *as = terms_asked(dg->terms);
	enum input in = IN_ASK_0 + (int)i;
	if (as->asks[i].kind == ASK_UNDER && !strcmp(as->asks[i].text, "/"))
		all = both(dg, all, is_so(dg, in));
	if (as->asks[i].kind == ASK_CAPABLE && inputs & INPUT(IN_HOST_USER_NS))
		all = both(dg, all, implies(dg, in, IN_HOST_USER_NS));
	for (size_t k = 0; k < i && as->asks[i].kind == ASK_UNDER; k++)
		if (as->asks[k].kind == ASK_UNDER && inputs & INPUT(IN_ASK_0 + k))
			all = both(dg, all, in_a_tree(dg, &as->asks[k], IN_ASK_0 + (int)k, &as->asks[i], in));
	return all;
}

node callers_possible(struct diagrams *dg, input_set inputs)
{
	const struct asked *as = terms_asked(dg->terms);
	node all = NODE_TRUE;
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		if (inputs & INPUT(in) && input_kind(in) == FACT_FILE)
			all = both(dg, all, is_named(dg, in));
	if (inputs & INPUT(IN_KERNEL_THREAD) && inputs & INPUT(IN_HOST_USER_NS))
		all = both(dg, all, implies(dg, IN_KERNEL_THREAD, IN_HOST_USER_NS));
	if (inputs & INPUT(IN_KERNEL_THREAD) && inputs & INPUT(IN_EXE))
		all = both(dg, all, diagram_ite(dg, is_so(dg, IN_KERNEL_THREAD), has_value(dg, IN_EXE, 0), NODE_TRUE));
	if (inputs & INPUT(IN_KERNEL_THREAD) && inputs & INPUT(IN_HOST_PID_NS))
		all = both(dg, all, implies(dg, IN_KERNEL_THREAD, IN_HOST_PID_NS));
	for (size_t i = 0; i < as->nasks; i++)
		if (inputs & INPUT(IN_ASK_0 + i))
			all = with_ask(dg, all, i, inputs);
	return all;
}

node callers_only(struct arena *a, struct diagrams *dg, node n)
{
	input_set inputs = diagram_inputs(a, dg, n);
	return inputs >> IN_EUID ? both(dg, callers_possible(dg, inputs), n) : n;
}

/* ---- one of them --------------------------------------------------------------------------------- */

int64_t caller_likely(enum input in, int64_t people)
{
	switch (in) {
	case IN_EUID:
	case IN_EGID:
	case IN_FSUID: return people;
	case IN_LOGIN_UID: return LOGIN_UID;
	case IN_SESSION:
	case IN_PPID:
	case IN_HOST_USER_NS:
	case IN_HOST_PID_NS: return 1;
	default: return 0;
	}
}

/* The deepest cgroup first: it says the most. */
static size_t next_ask(const struct asked *as, const struct request *r, input_set done)
{
	size_t best = as->nasks, longest = 0;
	for (size_t i = 0; i < as->nasks; i++) {
		enum input in = IN_ASK_0 + (int)i;
		if (!(r->known & INPUT(in)) || done & INPUT(in))
			continue;
		size_t n = as->asks[i].kind == ASK_UNDER ? 1 + strlen(as->asks[i].text) * (r->fact[in] != 0) : 0;
		if (best == as->nasks || n > longest) {
			best = i;
			longest = n;
		}
	}
	return best;
}

static const char *path_of(const struct asked *as, int64_t value, bool is_cgroup)
{
	for (size_t i = 0; i < as->npaths; i++)
		if (as->paths[i].value == value && as->paths[i].is_cgroup == is_cgroup)
			return as->paths[i].path;
	return NULL;
}

/* The name of a file that the request has by its value. */
static bool name_file(const struct asked *as, const struct request *r, enum input in, const char **text)
{
	if (r->known & INPUT(in) && r->fact[in] && !*text)
		*text = path_of(as, r->fact[in], false);
	return !(r->known & INPUT(in)) || !r->fact[in] || *text;
}

bool request_names(const struct asked *as, struct request *r)
{
	if (r->who.known & WHO_CGROUP && !r->who.cgroup)
		r->who.cgroup = r->who.nunder ? path_of(as, r->who.under[r->who.nunder - 1], true) : "/";
	bool exe = name_file(as, r, IN_EXE, &r->who.exe), parent = name_file(as, r, IN_PARENT_EXE, &r->who.parent_exe);
	return exe && parent && !(r->who.known & WHO_CGROUP && !r->who.cgroup);
}

bool caller_words(const struct asked *as, struct request *r)
{
	input_set done = 0;
	for (size_t i; (i = next_ask(as, r, done)) < as->nasks; done |= INPUT(IN_ASK_0 + i))
		if (!asked_suppose(&as->asks[i], r->fact[IN_ASK_0 + i], r))
			return false;
	if (r->who.known & WHO_CGROUP && !r->who.cgroup)
		request_cgroup(r, "/", 1);
	return request_names(as, r);
}

bool caller_completed(const struct asked *as, input_set chosen, int64_t fact[INPUT_MAX])
{
	struct request r = {.known = chosen};
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		if (!(chosen & INPUT(in)))
			fact[in] = caller_likely(in, 0);
	memcpy(r.fact, fact, sizeof r.fact);
	if (!caller_words(as, &r))
		return false;
	r.who.known = WHO_GROUPS | WHO_CAPS | WHO_CGROUP; /* no more than was chosen */
	asked_answer(as, &r);
	memcpy(&fact[IN_ASK_0], &r.fact[IN_ASK_0], TASK_ASKS_MAX * sizeof *fact);
	return true;
}
