/*
 * coverage_kill.c - does a request tell a mutant from its policy?
 */
#include "policy/callers.h"
#include "policy/coverage_internal.h"

#include <string.h>

struct trial trial_of(const struct request *r)
{
	struct trial t = {.known = r->known | INPUT(IN_TYPE) | INPUT(IN_REQUESTED) | INPUT(IN_ACCESS) | INPUT(IN_MAJOR) | INPUT(IN_MINOR)};
	memcpy(t.inputs, r->fact, sizeof t.inputs);
	t.inputs[IN_TYPE] = r->type;
	t.inputs[IN_REQUESTED] = r->access;
	t.inputs[IN_MAJOR] = r->major;
	t.inputs[IN_MINOR] = r->minor;
	return t;
}

bool trial_request(const struct asked *as, const struct trial *t, struct request *out)
{
	*out = (struct request){.type = (int)t->inputs[IN_TYPE], .access = (int)t->inputs[IN_REQUESTED],
	                        .major = t->inputs[IN_MAJOR], .minor = t->inputs[IN_MINOR]};
	out->known = t->known & ~(INPUT(IN_UID) - 1);
	for (int i = IN_UID; i < INPUT_MAX; i++)
		if (out->known & INPUT(i))
			out->fact[i] = t->inputs[i];
	return caller_words(as, out);
}

/* The accesses of a set one after the other, none as 0: the first; the next, -1 behind the last. */
static int first_access(int set)
{
	return set & -set;
}

static int next_access(int set, int access)
{
	int left = access ? set & ~(2 * access - 1) : 0;
	return left ? left & -left : -1;
}

/* Is it true of one access? -1: that hangs on a fact that is not known. */
static int holds(struct mutants *ms, node n, struct trial *t, int access)
{
	int missing;
	t->inputs[IN_ACCESS] = access;
	outcome o = diagram_eval(ms->pd.dg, n, t->inputs, t->known, &missing);
	return missing >= 0 ? -1 : OUTCOME_KIND(o) == OUT_ALLOW;
}

void trial_ask(struct mutants *ms, struct trial *t)
{
	int set = (int)t->inputs[IN_REQUESTED], missing;
	bool denied = false;
	t->allowed = 0;
	t->decided = true;
	for (int access = first_access(set); access >= 0; access = next_access(set, access)) {
		t->inputs[IN_ACCESS] = access;
		outcome o = diagram_eval(ms->pd.dg, ms->pd.access, t->inputs, t->known, &missing);
		bool is = OUTCOME_KIND(o) == OUT_ALLOW;
		t->decided &= missing < 0;
		denied |= !is;
		t->allowed |= is ? access : 0;
	}
	t->allow = t->decided && !denied;
}

bool trial_kills(struct mutants *ms, const struct mutant *m, const struct trial *t)
{
	int set = (int)t->inputs[IN_REQUESTED];
	bool unknown = false, denied = false;
	if (!t->decided || t->inputs[IN_MAJOR] < m->majors.lo || t->inputs[IN_MAJOR] > m->majors.hi)
		return false;
	struct trial copy = *t;
	for (int access = first_access(set); access >= 0; access = next_access(set, access)) {
		int differs = holds(ms, m->diff, &copy, access);
		bool allowed = access ? t->allowed & access : t->allow;
		unknown |= differs < 0;
		denied |= differs >= 0 && allowed == differs;
	}
	return denied ? t->allow : !unknown && !t->allow;
}
