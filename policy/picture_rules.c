/* picture_rules.c - a long policy drawn: its rules in order, neighbours of one verdict as one node. */
#include "policy/picture.h"
#include "policy/arena.h"

/* The rule behind those that belong together with rule i: rules of one verdict, one after the other. */
static size_t group_end(const struct policy *p, size_t i)
{
	size_t end = i + 1;
	while (end < p->nrules && p->rules[end].deny == p->rules[i].deny)
		end++;
	return end;
}

static void group_node(FILE *out, const struct policy *p, size_t node, size_t begin, size_t end)
{
	const struct rule *first = &p->rules[begin], *last = &p->rules[end - 1];
	char name[24];
	snprintf(name, sizeof name, "r%zu", node);
	if (end - begin == 1) {
		picture_leaf(out, p, name, first, false);
		return;
	}
	fprintf(out, "  %s [style=\"filled,rounded\", fillcolor=%s, label=\"%s\\n%zu rules, ", name,
	        first->deny ? "lightpink" : "palegreen", first->deny ? "deny" : "allow", end - begin);
	if (first->at.line == last->at.line)
		fprintf(out, "line %d", first->at.line);
	else
		fprintf(out, "lines %d to %d", first->at.line, last->at.line);
	fputs("\"];\n", out);
}

void picture_of_rules(FILE *out, const struct policy *p)
{
	enum { GROUPS_MAX = PICTURE_NODES_MAX - 3 }; /* the request, the rest, the default */
	size_t node = 0, i = 0;
	picture_begin(out, p, "its rules; the first that matches decides");
	fputs("  rankdir=TB;\n  r0 [shape=plain, label=\"one access of a device\"];\n", out);
	for (; i < p->nrules && node < GROUPS_MAX; node++) {
		size_t end = group_end(p, i);
		group_node(out, p, node + 1, i, end);
		fprintf(out, "  r%zu -> r%zu%s;\n", node, node + 1, node ? " [label=\"no match\"]" : "");
		i = end;
	}
	if (i < p->nrules) {
		fprintf(out, "  r%zu [label=\"%zu more rules, line %d and after\"];\n", node + 1, p->nrules - i,
		        p->rules[i].at.line);
		fprintf(out, "  r%zu -> r%zu [label=\"no match\"];\n", node, node + 1);
		node++;
	}
	picture_leaf(out, p, "otherwise", NULL, false);
	fprintf(out, "  r%zu -> otherwise%s;\n}\n", node, node ? " [label=\"no match\"]" : "");
}
