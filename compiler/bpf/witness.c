/*
 * witness.c - a request on which two diagrams differ, for the message of a failed proof.
 */
#include "compiler/bpf/internal.h"

#include <inttypes.h>

static node child_at(const struct diagrams *dg, node n, uint32_t var, int64_t value)
{
	if (node_is_terminal(n, NULL) || node_switch(dg, n).var != var)
		return n;
	struct switch_node s = node_switch(dg, n);
	uint32_t i = 0;
	while (s.edges[i].hi < value)
		i++;
	return s.edges[i].to;
}

static const char *verdict_text(const struct policy *p, node terminal)
{
	outcome o;
	node_is_terminal(terminal, &o);
	const char *verb = OUTCOME_KIND(o) == OUT_ALLOW ? "allows" : "denies";
	if (!OUTCOME_RULE(o))
		return verb;
	return arena_printf(p->arena, "%s (rule %" PRIu32 ")", verb,
	                    OUTCOME_RULE(o) >> REPORT_ACCESS_BITS);
}

/* An assignment on which two different diagrams differ, for the message. */
const char *diagram_witness(const struct policy *p, const struct diagrams *dg, node x, node y)
{
	int64_t in[INPUT_MAX] = {[IN_TYPE] = DEV_CHAR};
	const char *where = "";
	while (!node_is_terminal(x, NULL) || !node_is_terminal(y, NULL)) {
		bool tx = node_is_terminal(x, NULL), ty = node_is_terminal(y, NULL);
		struct switch_node a = node_switch(dg, tx ? y : x), b = node_switch(dg, ty ? x : y);
		struct switch_node top =
			diagram_level(dg, a.var) <= diagram_level(dg, b.var) ? a : b;
		int64_t value = diagram_var_min(dg, top.var);
		/* the intervals' ends of both nodes: one of them must tell x from y */
		for (uint32_t i = 0, j = 0;;) {
			if (child_at(dg, x, top.var, value) != child_at(dg, y, top.var, value))
				break;
			int64_t ha = a.var == top.var && i < a.n ? a.edges[i].hi : INT64_MAX;
			int64_t hb = b.var == top.var && j < b.n ? b.edges[j].hi : INT64_MAX;
			i += ha <= hb;
			j += hb <= ha;
			value = (ha < hb ? ha : hb) + 1;
		}
		x = child_at(dg, x, top.var, value);
		y = child_at(dg, y, top.var, value);
		if (top.var < INPUT_MAX)
			in[top.var] = value;
		else
			where = " (in some case of a comparison of several inputs)";
	}
	char letters[4];
	const char *type = in[IN_TYPE] == DEV_CHAR    ? "c"
	                   : in[IN_TYPE] == DEV_BLOCK ? "b"
	                                              : "a device of unknown type";
	return arena_printf(p->arena,
	                    "for %s %" PRId64 ":%" PRId64 " %s the program %s and the policy %s%s",
	                    type, in[IN_MAJOR], in[IN_MINOR],
	                    access_text((int)in[IN_REQUESTED] & ACC_ALL, letters),
	                    verdict_text(p, x), verdict_text(p, y), where);
}
