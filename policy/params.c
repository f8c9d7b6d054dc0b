/* params.c - the inputs behind the facts: parameters, and values that are not understood. */
#include "policy/params.h"
#include "policy/arena.h"

#include <string.h>

enum { UNKNOWN_MARK = '?' };

input_set unknown_inputs(size_t nparams)
{
	return (INPUT(INPUT_MAX) - 1) & ~(INPUT(IN_PARAM_0 + nparams) - 1);
}

struct policy *policy_with_values(struct arena *a, const struct policy *p)
{
	struct policy *copy = arena_alloc(a, sizeof *copy);
	*copy = *p;
	copy->arena = a;
	copy->nparams = 0;
	copy->rules = arena_alloc(a, p->nrules * sizeof *copy->rules);
	for (size_t i = 0; i < p->nrules; i++) {
		struct rule *r = &copy->rules[i];
		*r = p->rules[i];
		r->raises = arena_alloc(a, r->nraises * sizeof *r->raises);
		for (size_t k = 0; k < r->nraises; k++)
			r->raises[k] = p->rules[i].raises[k];
		for (size_t in = 0; in < p->nparams; in++) {
			enum input param = (enum input)(IN_PARAM_0 + in);
			r->match = term_substitute(p->terms, r->match, param, p->params[in].value);
			for (size_t k = 0; k < r->nraises; k++)
				r->raises[k].when = term_substitute(p->terms, r->raises[k].when, param, p->params[in].value);
		}
	}
	return copy;
}

/* ---- as parameters ------------------------------------------------------------------------ */

/* How many inputs behind the facts its rules read, by the last one. */
static size_t params_read(const struct policy *p)
{
	input_set read = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		read |= term_get(p->terms, p->rules[i].match)->inputs;
		for (size_t k = 0; k < p->rules[i].nraises; k++)
			read |= term_get(p->terms, p->rules[i].raises[k].when)->inputs;
	}
	read >>= IN_PARAM_0;
	return read ? 64 - (size_t)__builtin_clzll(read) : 0;
}

struct policy *policy_with_marks(struct arena *a, const struct policy *p)
{
	struct policy *out = arena_alloc(a, sizeof *out);
	size_t read = params_read(p), n = read > p->nparams ? read : p->nparams;
	*out = *p;
	out->raw = NULL; /* what maps hold is among what is not understood: the verdict alone is compared */
	out->handlers.len = 0;
	out->params = arena_alloc(a, (n + 1) * sizeof *out->params);
	if (p->nparams)
		memcpy(out->params, p->params, p->nparams * sizeof *out->params);
	for (size_t i = p->nparams; i < n; i++) {
		enum input in = (enum input)(IN_PARAM_0 + i);
		const struct term_node *k = term_get(p->terms, term_input(p->terms, in));
		out->params[i] = (struct param){.name = arena_printf(a, "%c%zu %s", UNKNOWN_MARK, i, terms_input_name(p->terms, in)),
		                                .value = k->lo, .lo = k->lo, .hi = k->hi};
	}
	out->nparams = n;
	return out;
}

void policy_without_marks(struct policy *p)
{
	for (size_t i = 0, n = p->nparams; i < n; i++) {
		const struct param *pm = &p->params[i];
		const char *name = strchr(pm->name, ' ');
		if (*pm->name != UNKNOWN_MARK || !name)
			continue;
		terms_param(p->terms, (enum input)(IN_PARAM_0 + i), name + 1, pm->lo, pm->hi);
		p->nparams = i < p->nparams ? i : p->nparams;
	}
}

bool policy_same_marks(const struct policy *marked, const struct policy *unmarked)
{
	size_t n = marked->nparams;
	bool same = n == unmarked->params_cap;
	for (size_t i = 0; i < n && same; i++) {
		const struct param *x = &marked->params[i], *y = &unmarked->params[i];
		same = !strcmp(x->name, y->name) && x->lo == y->lo && x->hi == y->hi;
	}
	return same;
}
