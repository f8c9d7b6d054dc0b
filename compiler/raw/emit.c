/*
 * emit.c - the steps of a raw program as instructions.
 *
 * They are emitted in their order, an IF as jumps forward. A program for devices leaves the values that
 * its verdict asks for at the bottom of the stack and the context in r1, and goes on with the program
 * of the verdict (compile.c); another one returns its result.
 */
#include "compiler/raw/emit.h"
#include "policy/budget.h"

#include <string.h>

enum { INSNS_MAX = 1000000 }; /* BPF_COMPLEXITY_LIMIT_INSNS */

static bool is_of(const char *file, const char *other)
{
	return !file || file == other || (other && !strcmp(file, other));
}

/* What is emitted next comes from there. A line of a file that is neither the program's nor its method's has no number
 * in an image: it is not known. */
static void place(struct raw_emitter *e, struct span at)
{
	const struct policy *p = e->policy;
	bool own = is_of(at.file, p->file), methods = !own && p->nrules && is_of(at.file, p->rules[0].at.file);
	e->code.file = methods ? 1 : 0;
	e->code.line = own || methods ? at.line : 0;
}

/* Values that are read behind this IF and made in it. */
static void put_zeros(struct raw_emitter *e, const struct step *s)
{
	for (size_t i = raw_first_zero(&e->layout, s); i < e->layout.nzeros && e->layout.zeros[i].before == s; i++)
		code_add(&e->code, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, e->layout.zeros[i].slot, 0);
}

static int emit_list(struct raw_emitter *e, const struct step *first);

static int emit_if(struct raw_emitter *e, const struct step *s)
{
	struct raw_jumps other = {0}, done = {0};
	const struct step *near = s->yes ? s->yes : s->no, *far = s->yes ? s->no : NULL;
	put_zeros(e, s);
	if (s->condition <= T_TRUE)
		return emit_list(e, s->condition == T_TRUE ? s->yes : s->no);
	if (!near)
		return 0;
	if (raw_condition(e, s, !s->yes, &other) || emit_list(e, near))
		return -1;
	if (far) {
		raw_jump_later(e, &done, code_add(&e->code, BPF_JMP | BPF_JA, 0, 0, 0, 0));
		e->expr.have = UINT32_MAX; /* only jumps lead here */
		raw_land(e, &other);
		if (emit_list(e, far))
			return -1;
	}
	raw_land(e, &other);
	raw_land(e, &done);
	return 0;
}

static int emit_list(struct raw_emitter *e, const struct step *first)
{
	for (const struct step *s = first; s && !e->expr.too_big; s = s->next) {
		place(e, s->at);
		if (s->kind != STEP_IF)
			raw_step(e, s);
		else if (emit_if(e, s))
			return -1;
	}
	return 0;
}

static void begin(struct raw_emitter *e)
{
	const struct policy *p = e->policy;
	size_t terms = terms_count(p->terms) + 1;
	e->stamp = arena_alloc(e->code.arena, terms * sizeof *e->stamp);
	for (uint32_t i = 0; i < e->raw->nmaps; i++)
		e->lost = e->raw->maps[i].kind == RAW_LOST ? i : e->lost;
	e->expr = (struct expr){.code = &e->code, .terms = p->terms, .ctx = REG_CTX, .nparams = p->nparams,
	                        .spill = e->layout.spill, .spill_slots = e->layout.spill_slots,
	                        .values = e->raw->values, .slots = e->layout.slots};
	place(e, e->raw->at);
	code_add(&e->code, BPF_ALU64 | BPF_MOV | BPF_X, REG_CTX, BPF_REG_1, 0, 0);
}

static void finish(struct raw_emitter *e)
{
	struct code *c = &e->code;
	place(e, e->raw->at);
	if (e->raw->section == RAW_DEVICE) {
		code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, REG_CTX, 0, 0);
		return;
	}
	expr_value(&e->expr, e->raw->result, BPF_REG_0);
	code_add(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int too_long(const struct raw_emitter *e, size_t n)
{
	diag_add(e->d, DIAG_ERROR, e->raw->at, "do less in loops",
	         "the program needs %zu instructions, the kernel takes at most %d", n, INSNS_MAX);
	return -1;
}

static int too_many_values(const struct raw_emitter *e)
{
	diag_add(e->d, DIAG_ERROR, (struct span){.file = e->raw->at.file, .line = e->expr.too_big_line},
	         "compute parts of it when the program is compiled, or keep fewer values for later",
	         "an expression here needs more than %d values at once", e->layout.spill_slots);
	return -1;
}

static void *kept(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_alloc(a, size);
	return size ? memcpy(copy, data, size) : copy;
}

static int emit(struct raw_emitter *e, struct image *out)
{
	struct code *c = &e->code;
	struct arena *a = e->policy->arena;
	if (raw_check(e->policy, e->d) || raw_layout(c->arena, e->policy, e->d, &e->layout))
		return -1;
	begin(e);
	if (emit_list(e, e->raw->steps))
		return -1;
	finish(e);
	if (e->expr.too_big)
		return too_many_values(e);
	size_t tail = c->n;
	code_relax(c, &tail);
	if (c->n > INSNS_MAX)
		return too_long(e, c->n);
	*out = (struct image){.insns = kept(a, c->insns, c->n * sizeof *c->insns), .ninsns = c->n,
	                      .lines = kept(a, c->lines, c->nlines * sizeof *c->lines), .nlines = c->nlines,
	                      .relocs = kept(a, c->relocs, c->nrelocs * sizeof *c->relocs), .nrelocs = c->nrelocs,
	                      .tail = c->n, .steps = c->n, .longest = code_longest(c->arena, c->insns, c->n, NULL)};
	return 0;
}

int raw_emit(const struct policy *p, struct diags *d, struct image *out)
{
	struct arena *scratch = arena_scratch(p->arena);
	struct raw_emitter e = {.policy = p, .raw = p->raw, .d = d, .code = {.arena = scratch}};
	budget_stage(arena_budget(p->arena), STAGE_EMIT);
	int failed = emit(&e, out);
	arena_free(scratch);
	return failed;
}
