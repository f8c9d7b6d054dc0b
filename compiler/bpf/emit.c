/*
 * emit.c - the verdict diagram as BPF instructions.
 *
 * Each node is emitted once: the input is loaded, then a balanced tree of
 * comparisons finds the interval. A child with one way in stands where that way
 * ends; a shared one is emitted when all its ways in are, so that the program
 * jumps forward only. An input is on a path at most once, so nothing is kept in
 * registers between nodes but the context and caller facts.
 *
 * Verdicts stand inline with the line of the rule that decides there; those
 * jumped to are gathered at the end.
 *
 * A policy that reports denials first finds the verdict by the same program as one
 * that does not, so that an allowed request costs the same; a denied one goes on
 * through a second diagram, which finds the rule, to the tail (report.c). Under
 * `audit :all` the second diagram alone decides.
 */
#include "compiler/bpf/internal.h"
#include "policy/budget.h"

#include <stdlib.h>
#include <string.h>

enum { INSNS_MAX = 1000000 }; /* BPF_COMPLEXITY_LIMIT_INSNS */

struct fixup { uint32_t insn, next; }; /* next: 1 + index, 0 ends the list */

struct emitter {
	const struct policy *policy;
	const struct diagrams *dg;
	struct attribution at;
	struct code code;
	struct expr expr;
	uint32_t *ways;    /* by node: edges that lead to it */
	uint32_t *arrived; /* of those, edges already emitted */
	uint64_t *have;    /* by node: homes filled on every way in so far */
	uint32_t *jumps;   /* by node: fixup list */
	size_t least;      /* instructions that the diagrams need */
	uint32_t *leaf_jumps; /* by leaf_index(): fixup list */
	size_t nleaf_jumps;
	bool has_errno;    /* of the policy */
	bool reporting;    /* terminals are outcomes of policy_report(): the tail follows */
	bool denials_go_on; /* a denial is not the end */
	bool reads_task;   /* a reader is called */
	uint32_t denials, tail; /* fixup lists: to the second diagram, to the tail */
	struct fixup *fixups;
	size_t nfixups, fixups_cap;
	node *ready;
	size_t nready, ready_cap;
	const uint32_t *files; /* by rule: policy_files() */
};

/* What is emitted next stands for this rule; 0: for the default. */
static void set_place(struct emitter *e, uint32_t rule)
{
	e->code.line = rule ? e->policy->rules[rule - 1].at.line : e->policy->default_at.line;
	e->code.file = rule ? e->files[rule - 1] : 0;
}

static void add_fixup(struct emitter *e, uint32_t *list, size_t insn)
{
	*ARENA_PUSH(e->code.arena, e->fixups, e->nfixups, e->fixups_cap) =
		(struct fixup){(uint32_t)insn, *list};
	*list = (uint32_t)e->nfixups;
}

static void land_fixups(struct emitter *e, uint32_t list)
{
	for (; list; list = e->fixups[list - 1].next)
		code_land(&e->code, e->fixups[list - 1].insn);
}

/* ---- leaves --------------------------------------------------------------------- */

/* An edge of a node: where it goes and the rule it stands for. */
struct leaf { node to; uint32_t rule; };

static struct leaf leaf_of(const struct emitter *e, node to, uint32_t rule)
{
	outcome o;
	if (e->reporting)
		rule = node_is_terminal(to, &o) && e->policy->audit != AUDIT_NONE
		       ? OUTCOME_RULE(o) >> REPORT_ACCESS_BITS : 0;
	return (struct leaf){to, rule};
}

static struct leaf leaf_at(const struct emitter *e, node n, uint32_t i)
{
	struct switch_node s = node_switch(e->dg, n);
	return leaf_of(e, s.edges[i].to, e->reporting ? 0 : e->at.rule[e->at.base[n] + i]);
}

static bool is_jumpable(const struct emitter *e, struct leaf l)
{
	return node_is_terminal(l.to, NULL) || e->ways[l.to] > 1;
}

/* Leaves that are emitted once: verdicts by their rule, outcomes. */
static size_t leaf_index(const struct emitter *e, struct leaf l, outcome o)
{
	return e->reporting ? (size_t)OUTCOME_RULE(o) << OUTCOME_BITS | OUTCOME_KIND(o)
	                    : (size_t)l.rule << OUTCOME_BITS | OUTCOME_KIND(o);
}

static void jump_to(struct emitter *e, struct leaf l, size_t insn)
{
	outcome o;
	if (!node_is_terminal(l.to, &o)) {
		e->have[l.to] &= e->expr.have;
		add_fixup(e, &e->jumps[l.to], insn);
	} else if (e->denials_go_on && o != OUT_ALLOW) {
		add_fixup(e, &e->denials, insn);
	} else {
		add_fixup(e, &e->leaf_jumps[leaf_index(e, l, o)], insn);
	}
}

static void emit_terminal(struct emitter *e, outcome o, uint32_t rule)
{
	struct code *c = &e->code;
	set_place(e, rule);
	if (e->reporting) {
		code_const(c, REG_OUTCOME, o);
		if (e->has_errno)
			code_const(c, REG_ERROR, policy_outcome_errno(e->policy, o));
		add_fixup(e, &e->tail, code_add(c, BPF_JMP | BPF_JA, 0, 0, 0, 0));
	} else if (e->denials_go_on && o != OUT_ALLOW) {
		add_fixup(e, &e->denials, code_add(c, BPF_JMP | BPF_JA, 0, 0, 0, 0));
	} else {
		code_const(c, BPF_REG_0, o == OUT_ALLOW);
		code_add(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
}

static void emit_node(struct emitter *e, node n);

/* Goes on to a leaf from here. */
static void fall_to(struct emitter *e, struct leaf l)
{
	outcome o;
	if (node_is_terminal(l.to, &o))
		emit_terminal(e, o, l.rule);
	else if (is_jumpable(e, l))
		jump_to(e, l, code_add(&e->code, BPF_JMP | BPF_JA, 0, 0, 0, 0));
	else
		emit_node(e, l.to);
}

/* ---- interval trees ---------------------------------------------------------------- */

enum compare { CMP_EQ, CMP_NE, CMP_GT, CMP_LE };

static size_t branch_on_value(struct emitter *e, uint32_t var, enum compare cmp, int64_t k)
{
	static const uint8_t unsigned_ops[] = {BPF_JEQ, BPF_JNE, BPF_JGT, BPF_JLE};
	static const uint8_t signed_ops[] = {BPF_JEQ, BPF_JNE, BPF_JSGT, BPF_JSLE};
	struct code *c = &e->code;
	bool wide = var >= INPUT_MAX || input_is_wide((enum input)var);
	uint8_t op = wide ? signed_ops[cmp] : unsigned_ops[cmp];
	if (k >= INT32_MIN && k <= INT32_MAX)
		return code_add(c, BPF_JMP | op | BPF_K, BPF_REG_2, 0, 0, (int32_t)k);
	if (!wide) /* 32 bits: a 64-bit comparison would extend the immediate's sign */
		return code_add(c, BPF_JMP32 | op | BPF_K, BPF_REG_2, 0, 0, (int32_t)(uint32_t)k);
	code_imm64(c, BPF_REG_3, k);
	return code_add(c, BPF_JMP | op | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
}

static void emit_tree(struct emitter *e, node n, uint32_t i, uint32_t j);

/* Of two leaves, which one to jump to: a shared node, else a plain default. */
static bool prefer_first(const struct emitter *e, struct leaf first, struct leaf second)
{
	bool v1 = node_is_terminal(first.to, NULL), v2 = node_is_terminal(second.to, NULL);
	if (!is_jumpable(e, second) || !is_jumpable(e, first))
		return is_jumpable(e, first);
	if (v1 != v2)
		return v2;
	return !v1 || first.rule == 0 || second.rule != 0;
}

/* `cmp k` ? edges i1..j1 : edges i2..j2 */
static void two_way(struct emitter *e, node n, enum compare cmp, int64_t k, uint32_t i1, uint32_t j1,
                    uint32_t i2, uint32_t j2)
{
	static const enum compare inverse[] = {CMP_NE, CMP_EQ, CMP_LE, CMP_GT};
	uint32_t var = node_switch(e->dg, n).var;
	struct leaf yes = leaf_at(e, n, i1), no = leaf_at(e, n, i2);
	bool jump_yes = i1 == j1 && is_jumpable(e, yes), jump_no = i2 == j2 && is_jumpable(e, no);
	if (jump_yes && jump_no && !prefer_first(e, yes, no))
		jump_yes = false;
	int line = e->code.line;
	uint32_t file = e->code.file;
	uint64_t have = e->expr.have;
	if (jump_yes) {
		jump_to(e, yes, branch_on_value(e, var, cmp, k));
		emit_tree(e, n, i2, j2);
	} else if (jump_no) {
		jump_to(e, no, branch_on_value(e, var, inverse[cmp], k));
		emit_tree(e, n, i1, j1);
	} else {
		size_t at = branch_on_value(e, var, cmp, k);
		emit_tree(e, n, i2, j2);
		code_land(&e->code, at);
		e->code.line = line;
		e->code.file = file;
		e->expr.have = have;
		emit_tree(e, n, i1, j1);
	}
}

/* The value in r2 is within edges i..j of n: find which. */
static void emit_tree(struct emitter *e, node n, uint32_t i, uint32_t j)
{
	struct switch_node s = node_switch(e->dg, n);
	if (i == j) {
		fall_to(e, leaf_at(e, n, i));
		return;
	}
	int64_t low = s.edges[i].hi + 1;
	if (j == i + 2 && s.edges[i].to == s.edges[j].to && s.edges[i + 1].hi == low) {
		two_way(e, n, CMP_EQ, low, i + 1, i + 1, i, i);
		return;
	}
	uint32_t mid = i + (j - i) / 2;
	two_way(e, n, CMP_GT, s.edges[mid].hi, mid + 1, j, i, mid);
}

/* ---- nodes ------------------------------------------------------------------------------ */

static void emit_free(struct emitter *e, node n, uint32_t var)
{
	struct leaf no = leaf_at(e, n, 0), yes = leaf_at(e, n, 1);
	term t = diagram_free_term(e->dg, var);
	expr_fetch(&e->expr, term_get(e->policy->terms, t)->inputs);
	int line = e->code.line;
	uint32_t file = e->code.file;
	if (is_jumpable(e, yes) && (!is_jumpable(e, no) || prefer_first(e, yes, no))) {
		jump_to(e, yes, expr_branch(&e->expr, t, true));
		fall_to(e, no);
	} else if (is_jumpable(e, no)) {
		jump_to(e, no, expr_branch(&e->expr, t, false));
		fall_to(e, yes);
	} else {
		size_t at = expr_branch(&e->expr, t, true);
		uint64_t have = e->expr.have;
		fall_to(e, no);
		code_land(&e->code, at);
		e->code.line = line;
		e->code.file = file;
		e->expr.have = have;
		fall_to(e, yes);
	}
}

static void arrive(struct emitter *e, node to)
{
	if (node_is_terminal(to, NULL) || ++e->arrived[to] < e->ways[to] || e->ways[to] == 1)
		return;
	*ARENA_PUSH(e->code.arena, e->ready, e->nready, e->ready_cap) = to;
}

static void emit_node(struct emitter *e, node n)
{
	struct switch_node s = node_switch(e->dg, n);
	uint32_t rule = 0;
	for (uint32_t i = 0; i < s.n; i++) {
		uint32_t r = leaf_at(e, n, i).rule;
		rule = r && (!rule || r < rule) ? r : rule;
	}
	set_place(e, rule);
	if (s.var >= INPUT_MAX) {
		emit_free(e, n, s.var);
	} else {
		expr_fetch(&e->expr, INPUT(s.var));
		expr_input(&e->expr, s.var, BPF_REG_2);
		emit_tree(e, n, 0, s.n - 1);
	}
	for (uint32_t i = 0; i < s.n; i++)
		arrive(e, s.edges[i].to);
}

/* ---- the program -------------------------------------------------------------------------- */

/* Counts ways in, and collects the inputs read below root. */
static input_set survey(struct emitter *e, node root)
{
	const bool *below = diagram_below(e->code.arena, e->dg, &root, 1);
	input_set inputs = 0;
	for (node k = 0; k < diagram_nodes(e->dg); k++) {
		struct switch_node s = node_switch(e->dg, k);
		if (!below[k])
			continue;
		e->least += s.n; /* a load, and a comparison less than edges */
		inputs |= diagram_var_inputs(e->dg, s.var);
		for (uint32_t i = 0; i < s.n; i++)
			if (!node_is_terminal(s.edges[i].to, NULL))
				e->ways[s.edges[i].to]++;
	}
	return inputs;
}

/* How many functions, of the kernel and of ours, tell these. */
static int helpers_of(input_set inputs)
{
	uint32_t homes = 0;
	int readers = __builtin_popcountll(inputs & TASK_INPUTS);
	for (; inputs; inputs &= inputs - 1) {
		int helper = input_helper((enum input)__builtin_ctzll(inputs));
		homes |= helper >= 0 ? 1u << helper : 0;
	}
	return __builtin_popcount(homes) + readers;
}

/* Makes ready to emit the diagram below root; the inputs it reads. */
static input_set prepare(struct emitter *e, node root)
{
	struct arena *a = e->code.arena;
	size_t nodes = diagram_nodes(e->dg) + 1, rules = e->policy->nrules + 1;
	e->ways = arena_alloc(a, nodes * sizeof *e->ways);
	e->arrived = arena_alloc(a, nodes * sizeof *e->arrived);
	e->have = arena_alloc(a, nodes * sizeof *e->have);
	e->jumps = arena_alloc(a, nodes * sizeof *e->jumps);
	e->nleaf_jumps = (rules > ERRNO_MAX ? rules : ERRNO_MAX + 1) << (REPORT_ACCESS_BITS + OUTCOME_BITS);
	e->leaf_jumps = arena_alloc(a, e->nleaf_jumps * sizeof *e->leaf_jumps);
	for (size_t i = 0; i < nodes; i++)
		e->have[i] = UINT64_MAX;
	return survey(e, root);
}

static int by_input(const void *x, const void *y)
{
	const struct untold *a = x, *b = y;
	return a->in != b->in ? (a->in < b->in ? -1 : 1) : a->at < b->at ? -1 : a->at > b->at;
}

/* Where a fact is not told, the request is denied: an end for each such fact. */
static void emit_untold(struct emitter *e)
{
	struct expr *x = &e->expr;
	if (x->nuntold)
		qsort(x->untold, x->nuntold, sizeof *x->untold, by_input);
	for (size_t i = 0; i < x->nuntold;) {
		enum input in = x->untold[i].in;
		outcome o = policy_untold(e->policy, in);
		for (; i < x->nuntold && x->untold[i].in == in; i++)
			code_land(&e->code, x->untold[i].at);
		set_place(e, OUTCOME_RULE(o) >> REPORT_ACCESS_BITS);
		if (policy_has_tail(e->policy)) {
			code_const(&e->code, REG_OUTCOME, o);
			if (e->has_errno)
				code_const(&e->code, REG_ERROR, policy_outcome_errno(e->policy, o));
			add_fixup(e, &e->tail, code_add(&e->code, BPF_JMP | BPF_JA, 0, 0, 0, 0));
		} else {
			code_const(&e->code, BPF_REG_0, 0);
			code_add(&e->code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
		}
	}
}

/* Emits what was prepared from here on; `moved`: the context is in REG_CTX. */
static void emit_below(struct emitter *e, node root, bool moved)
{
	outcome o;
	e->expr = (struct expr){.code = &e->code, .terms = e->policy->terms, .too_big = e->expr.too_big,
	                        .too_big_line = e->expr.too_big_line, .index = e->expr.index,
	                        .index_cap = e->expr.index_cap,
	                        .nparams = e->policy->nparams, .spill = STACK_SPILL,
	                        .asked = policy_asks(e->policy),
	                        .spill_slots = e->reads_task ? (int)TASK_SPILL_SLOTS : SPILL_SLOTS - (int)policy_asked(e->policy),
	                        .ctx = moved ? REG_CTX : BPF_REG_1};
	if (node_is_terminal(root, &o))
		emit_terminal(e, o, leaf_of(e, root, 0).rule);
	else
		emit_node(e, root);
	while (e->nready) {
		node n = e->ready[--e->nready];
		land_fixups(e, e->jumps[n]);
		e->expr.have = e->have[n];
		emit_node(e, n);
	}
	for (size_t i = 0; i < e->nleaf_jumps; i++)
		if (e->leaf_jumps[i]) {
			outcome which = (outcome)i;
			land_fixups(e, e->leaf_jumps[i]);
			emit_terminal(e, e->reporting ? which : OUTCOME_KIND(which),
			              e->reporting ? leaf_of(e, diagram_terminal(which), 0).rule
			                           : OUTCOME_RULE(which));
		}
	emit_untold(e);
}

static void move_context(struct emitter *e)
{
	code_add(&e->code, BPF_ALU64 | BPF_MOV | BPF_X, REG_CTX, BPF_REG_1, 0, 0);
}

static void *kept(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_alloc(a, size);
	return size ? memcpy(copy, data, size) : copy;
}

static int too_long(struct diags *d, size_t n)
{
	return diag_fail(d, "name devices by ranges or fewer patterns, and combine fewer facts",
	                 "while emitting the program: it needs %zu instructions, the kernel takes at most %d", n,
	                 INSNS_MAX);
}

/* Emits the diagram of a policy with what `e` has been given. */
static int emit_with(struct emitter *e, struct diags *d, const struct policy_diagram *pd,
                     struct image *out, int *helpers)
{
	const struct policy *p = e->policy;
	struct code *c = &e->code;
	input_set inputs;
	bool has_tail = policy_has_tail(p), all = p->audit == AUDIT_ALL;
	node first = all ? pd->report : pd->verdict;
	inputs = prepare(e, first);
	if (e->least > INSNS_MAX)
		return too_long(d, e->least);
	e->at = attribute(c->arena, pd);
	e->files = policy_files(c->arena, p);
	*helpers = helpers_of(inputs);
	e->reads_task = policy_reads_task(p);
	bool moved = *helpers || all;
	e->denials_go_on = has_tail && !all;
	e->reporting = all;
	set_place(e, p->nrules ? 1 : 0);
	if (moved)
		move_context(e);
	emit_below(e, first, moved);
	if (e->denials && !all) {
		e->denials_go_on = false;
		e->reporting = true;
		land_fixups(e, e->denials);
		set_place(e, 0);
		if (!moved)
			move_context(e);
		prepare(e, pd->blame);
		if (e->least > INSNS_MAX)
			return too_long(d, e->least);
		emit_below(e, pd->blame, true);
	}
	size_t tail = c->n;
	set_place(e, 0);
	land_fixups(e, e->tail);
	if (e->tail)
		emit_tail(c, p);
	if (e->expr.too_big) {
		diag_add(d, DIAG_ERROR, (struct span){.file = p->file, .line = e->expr.too_big_line},
		         "compute parts of it when the policy is compiled, or split the rule",
		         "an expression of this rule needs more than %d values at once", e->expr.spill_slots);
		return -1;
	}
	code_relax(c, &tail);
	if (c->n > INSNS_MAX)
		return too_long(d, c->n);
	*out = (struct image){.insns = kept(p->arena, c->insns, c->n * sizeof *c->insns), .ninsns = c->n,
	                      .lines = kept(p->arena, c->lines, c->nlines * sizeof *c->lines),
	                      .nlines = c->nlines,
	                      .relocs = kept(p->arena, c->relocs, c->nrelocs * sizeof *c->relocs),
	                      .nrelocs = c->nrelocs, .tail = tail,
	                      .longest = code_longest(c->arena, c->insns, tail, readers_longest(c->arena, tail, c->relocs, c->nrelocs))};
	return 0;
}

int emit_program(const struct policy *p, struct diags *d, const struct policy_diagram *pd,
                 struct image *out, int *helpers)
{
	struct arena *scratch = arena_scratch(p->arena);
	struct emitter e = {.policy = p, .dg = pd->dg, .code = {.arena = scratch},
	                    .has_errno = policy_has_errno(p)};
	budget_stage(arena_budget(p->arena), STAGE_EMIT);
	int failed = emit_with(&e, d, pd, out, helpers);
	arena_free(scratch);
	return failed;
}
