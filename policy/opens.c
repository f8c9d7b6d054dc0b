/* opens.c - the requests that a host program opens, as a diagram. */
#include "policy/opens.h"
#include "policy/access.h"
#include "policy/arena.h"
#include "policy/rules.h"

/* OUT_ALLOW for one value of an input. */
static node is(struct diagrams *dg, enum input in, int64_t value)
{
	const node pass = diagram_terminal(OUT_PASS), yes = diagram_terminal(OUT_ALLOW);
	int64_t least = diagram_var_min(dg, in), most = diagram_var_max(dg, in);
	struct edge e[3];
	size_t n = 0;
	if (value < least || value > most)
		return pass;
	if (value > least)
		e[n++] = (struct edge){value - 1, pass};
	e[n++] = (struct edge){value, yes};
	if (value < most)
		e[n++] = (struct edge){most, pass};
	return diagram_switch(dg, in, e, n);
}

static node both(struct diagrams *dg, node x, node y)
{
	return diagram_ite(dg, x, y, diagram_terminal(OUT_PASS));
}

/* All that is asked together is in the set. */
static node within_set(struct diagrams *dg, uint32_t set)
{
	node any = diagram_terminal(OUT_PASS);
	for (int asked = 0; asked <= ACC_ALL; asked++)
		if (!((uint32_t)asked & ~set))
			any = diagram_ite(dg, is(dg, IN_REQUESTED, asked), diagram_terminal(OUT_ALLOW), any);
	return any;
}

node requests_opened(struct arena *a, struct diagrams *dg, const struct dump_opens *list, size_t n)
{
	const node pass = diagram_terminal(OUT_PASS);
	node sets[ACC_ALL + 1], *parts = arena_alloc(a, (n + 1) * sizeof *parts);
	for (uint32_t set = 0; set <= ACC_ALL; set++)
		sets[set] = within_set(dg, set);
	for (size_t i = 0; i < n; i++) {
		const struct dump_opens *o = &list[i];
		node one = both(dg, is(dg, IN_MAJOR, o->major), sets[o->access & ACC_ALL]);
		if (o->minor != OPENS_ANY_MINOR)
			one = both(dg, is(dg, IN_MINOR, o->minor), one);
		parts[i] = both(dg, is(dg, IN_TYPE, o->type), one);
	}
	return requests_within(dg, n ? diagram_over_all(dg, parts, n) : pass, pass);
}
