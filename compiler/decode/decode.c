/*
 * decode.c - what a device program of anybody's means.
 *
 * The program is executed from its first instruction with the request unknown (internal.h). Each
 * conditional jump splits a state by a diagram; states that are equal at an instruction are one.
 * So nothing is guessed: a value that is not understood is an input of its own, and a program
 * with more of them than there are inputs cannot be read.
 *
 * Independent of what the compiler emits, and of how verify.c reads that: nothing is shared.
 */
#include "compiler/decode/internal.h"
#include "policy/budget.h"

#include <string.h>

enum { INSNS_MAX = 1 << 20, EXECUTED_MAX = 4 << 20, STEPS_MAX = 1 << 20, NODES_MAX = 3 * DIAGRAM_BUDGET };

/* ---- ends ------------------------------------------------------------------------------------- */

static uint32_t ending(struct decoder *r, uint32_t step, outcome o)
{
	uint32_t end = step_more(r, step);
	r->steps[end].end = diagram_terminal(o);
	return end;
}

/* Two ways on: `yes` and `no` are made by the caller, each where it is possible. */
static void branch(struct decoder *r, uint32_t step, const struct condition *c, uint32_t yes, uint32_t no)
{
	struct step *s = &r->steps[step];
	s->cond = c->cond;
	s->yes = c->yes ? yes : no;
	s->no = c->yes && c->no ? no : NO_STEP;
}

static void end_by(struct decoder *r, uint32_t step, const struct condition *c)
{
	uint32_t yes = c->yes ? ending(r, step, OUT_ALLOW) : NO_STEP;
	uint32_t no = c->no ? ending(r, step, OUT_DENY) : NO_STEP;
	branch(r, step, c, yes, no);
}

/* Whatever it decides is not known. */
static bool end_unknown(struct decoder *r, uint32_t step, const struct state *st, uint32_t pc, const char *what)
{
	struct condition c;
	struct value v = value_unknown(r, st, pc, what);
	if (!not_zero(r, st, pc, &v, r->steps[step].mask, &c))
		return false;
	end_by(r, step, &c);
	return true;
}

static bool go(struct decoder *r, uint32_t step, uint32_t pc, const struct state *st)
{
	uint32_t next = step_at(r, pc, st, r->steps[step].mask);
	r->steps[step].yes = next;
	return true;
}

/* The end of the program, or of a function of it. */
static bool leave(struct decoder *r, uint32_t step, struct state *st, uint32_t pc)
{
	const struct caller *up = st->up;
	struct condition c;
	if (up) {
		size_t n = 0;
		while (n < st->npieces && st->pieces[n].frame < up->depth)
			n++;
		st->npieces = n;
		for (int i = 1; i <= 5; i++)
			st->reg[i] = (struct value){.kind = V_NONE};
		memcpy(&st->reg[6], up->saved, sizeof up->saved);
		st->up = up->up;
		return go(r, step, up->back, st);
	}
	if (st->retval < 0) {
		r->steps[step].end = diagram_terminal(OUT_DENY);
		return true;
	}
	if (!not_zero(r, st, pc, &st->reg[0], r->steps[step].mask, &c))
		return false;
	end_by(r, step, &c);
	return true;
}

/* ---- jumps ------------------------------------------------------------------------------------- */

/* The instruction once more for each number that the register has, with it as a constant. */
static void split_words(struct decoder *r, uint32_t step, const struct state *st, uint32_t pc, int reg)
{
	struct state one = *st;
	int64_t k;
	uint8_t splits = r->steps[step].pc == pc ? st->splits + 1 : 1;
	for (uint16_t left = r->steps[step].mask, with; left; left &= (uint16_t)~with) {
		with = value_first_words(r, &st->reg[reg], left, &k);
		one.reg[reg] = value_const(k);
		uint32_t yes = step_split(r, pc, &one, with, splits), more = left == with ? NO_STEP : step_more(r, step);
		struct step *s = &r->steps[step];
		s->cond = word_diagram(r, with);
		s->yes = yes;
		s->no = more;
		step = more;
	}
}

static bool conditional(struct decoder *r, uint32_t step, struct state *st, uint32_t pc)
{
	int64_t to = target_of(&r->insns[pc], pc);
	struct condition c;
	int split;
	if (goes_back(r, pc))
		return end_unknown(r, step, st, pc, "a loop");
	if (!jump_condition(r, st, pc, r->steps[step].mask, &c, &split))
		return false;
	if (split != NO_SPLIT) {
		split_words(r, step, st, pc, split);
		return true;
	}
	if (pc + 1 >= r->n)
		return decoder_fail(r, "it ends without an exit");
	uint32_t no = c.no ? step_at(r, pc + 1, st, c.no) : NO_STEP;
	uint32_t yes = c.yes ? step_at(r, (uint32_t)to, st, c.yes) : NO_STEP;
	branch(r, step, &c, yes, no);
	return true;
}

/* A function of its own that is too much to be read: what it returns is not known, and what it wrote neither. */
static bool skip_function(struct decoder *r, struct state *st, uint32_t pc, uint32_t to)
{
	memset(r->written, true, r->dump->nmaps);
	stack_forget(st);
	for (int i = 1; i <= 5; i++)
		st->reg[i] = (struct value){.kind = V_NONE};
	st->reg[0] = value_unknown(r, st, pc, arena_printf(r->arena, "what its function (instruction %u) returns", to));
	return true;
}

static bool own_call(struct decoder *r, uint32_t step, struct state *st, uint32_t pc)
{
	int64_t to = target_of(&r->insns[pc], pc);
	uint32_t depth = st->up ? st->up->depth : 0;
	if (!to)
		return end_unknown(r, step, st, pc, "a function of its own");
	if (depth == DEPTH_MAX || pc + 1 >= r->n)
		return decoder_fail(r, "instruction %u calls too deep", pc);
	if (task_call(r, st, pc, (uint32_t)to))
		return go(r, step, pc + 1, st);
	if (r->skips)
		return skip_function(r, st, pc, (uint32_t)to) && go(r, step, pc + 1, st);
	struct caller *up = arena_alloc(r->arena, sizeof *up);
	*up = (struct caller){.back = pc + 1, .up = st->up, .depth = depth + 1};
	memcpy(up->saved, &st->reg[6], sizeof up->saved);
	for (int i = 0; i < REGISTERS; i++)
		if (!i || i > 5)
			st->reg[i] = (struct value){.kind = V_NONE};
	st->up = up;
	return go(r, step, (uint32_t)to, st);
}

/* ---- look-ups ------------------------------------------------------------------------------------ */

static void clobber(struct state *st)
{
	for (int i = 0; i <= 5; i++)
		st->reg[i] = (struct value){.kind = V_NONE};
}

/* It is there or not, nobody knows. */
static bool unknown_lookup(struct decoder *r, uint32_t step, struct state *st, uint32_t pc)
{
	struct value v = value_unknown(r, st, pc, "whether a map has an entry");
	struct condition c;
	uint16_t mask = r->steps[step].mask;
	if (!not_zero(r, st, pc, &v, mask, &c))
		return false;
	clobber(st);
	st->reg[0] = (struct value){.kind = V_FOREIGN, .a = true};
	uint32_t yes = step_at(r, pc + 1, st, mask);
	st->reg[0] = value_const(0);
	uint32_t no = step_at(r, pc + 1, st, mask);
	branch(r, step, &c, yes, no);
	return true;
}

/* Goes on at `next` with the entry, or without one. */
static bool known_lookup(struct decoder *r, uint32_t step, struct state *st, uint32_t pc, uint32_t next, int64_t behind)
{
	const uint32_t map = st->reg[1].a;
	const struct value key = st->reg[2];
	const struct state before = *st;
	uint16_t mask = r->steps[step].mask;
	node *conds = arena_alloc(r->arena, (r->ngroups[map] + 1) * sizeof *conds);
	for (uint32_t g = 0; g < r->ngroups[map]; g++)
		if (!key_condition(r, &before, map, g, &key, &conds[g]))
			return unknown_lookup(r, step, st, pc);
	clobber(st);
	for (uint32_t g = 0; g < r->ngroups[map]; g++) {
		st->reg[0] = (struct value){.kind = V_ENTRY, .a = map, .b = g, .k = -behind};
		uint32_t yes = step_at(r, next, st, mask), more = step_more(r, step);
		r->steps[step].cond = conds[g];
		r->steps[step].yes = yes;
		r->steps[step].no = more;
		step = more;
	}
	st->reg[0] = value_const(0);
	uint32_t none = step_at(r, next, st, mask);
	r->steps[step].yes = none;
	return true;
}

static bool lookup(struct decoder *r, uint32_t step, struct state *st, uint32_t pc, int32_t function)
{
	const struct value *m = &st->reg[1];
	int64_t behind = 0;
	bool readable = function != DUMP_HASH_ELEMENT || behind_element(r, pc, &behind);
	bool known = m->kind == V_MAP && !m->k && m->a < r->dump->nmaps && readable && map_groups(r, m->a);
	/* a program may add entries to a hash itself; an array has all of them always */
	if (known && r->written[m->a] && r->dump->maps[m->a].type != BPF_MAP_TYPE_ARRAY)
		known = false;
	if (pc + 1 >= r->n)
		return decoder_fail(r, "it ends without an exit");
	return known ? known_lookup(r, step, st, pc, pc + 1, behind) : unknown_lookup(r, step, st, pc);
}

/* One in an array, which the kernel has written out. */
static uint32_t written_out(struct decoder *r, const struct state *st, uint32_t pc)
{
	uint32_t n = array_lookup(r, pc);
	const struct value *map = &st->reg[1], *key = &st->reg[2];
	bool known = n && pc + n < r->n && map->kind == V_MAP && !map->k && map->a < r->dump->nmaps && key->kind == V_STACK &&
	             r->dump->maps[map->a].type == BPF_MAP_TYPE_ARRAY && map_groups(r, map->a);
	return known ? n : 0;
}

/* ---- execution -------------------------------------------------------------------------------------- */

/* What ends a step, -1: nothing yet. */
static int control(struct decoder *r, uint32_t step, struct state *st, uint32_t *pc)
{
	const struct bpf_insn *in = &r->insns[*pc];
	const char *name;
	int64_t to = target_of(in, *pc);
	if (is_exit(in))
		return leave(r, step, st, *pc);
	if (is_own_call(in))
		return own_call(r, step, st, *pc);
	if (is_call(in)) {
		int32_t function = in->src_reg ? DUMP_UNKNOWN_FUNCTION : called_function(r, *pc, &name);
		if (in->src_reg)
			name = "a function of the kernel";
		if (function == BPF_FUNC_map_lookup_elem || function == DUMP_HASH_ELEMENT)
			return lookup(r, step, st, *pc, function);
		if (function == BPF_FUNC_tail_call)
			return end_unknown(r, step, st, *pc, "another program that it calls");
		if (!call_step(r, st, *pc, function, name))
			return false;
		++*pc;
		return -1;
	}
	if (BPF_OP(in->code) != BPF_JA)
		return conditional(r, step, st, *pc);
	if (goes_back(r, *pc))
		return end_unknown(r, step, st, *pc, "a loop");
	*pc = (uint32_t)to;
	return -1;
}

/* From a step to the next condition, meeting or end. */
static bool execute(struct decoder *r, uint32_t step)
{
	struct state st = *r->steps[step].state;
	uint32_t pc = r->steps[step].pc;
	uint16_t mask = r->steps[step].mask;
	bool ok = true;
	for (uint32_t first = pc; ok; first = UINT32_MAX) {
		int split = NO_SPLIT;
		if (pc >= r->n)
			return decoder_fail(r, "it ends without an exit");
		if (pc != first && r->leader[pc])
			return go(r, step, pc, &st);
		if (++r->executed > EXECUTED_MAX)
			return decoder_fail(r, "reading it takes more than %d steps", EXECUTED_MAX);
		if (is_jump(&r->insns[pc])) {
			int done = control(r, step, &st, &pc);
			if (done >= 0)
				return done;
			continue;
		}
		uint32_t whole = written_out(r, &st, pc);
		if (whole)
			return known_lookup(r, step, &st, pc, pc + whole, 0);
		switch (BPF_CLASS(r->insns[pc].code)) {
		case BPF_ALU:
		case BPF_ALU64: ok = alu_step(r, &st, pc, mask, &split); break;
		case BPF_LDX: ok = load_step(r, &st, pc); break;
		case BPF_ST:
		case BPF_STX: ok = store_step(r, &st, pc); break;
		default: ok = wide_step(r, &st, pc); break;
		}
		if (split != NO_SPLIT) {
			split_words(r, step, &st, pc, split);
			return true;
		}
		pc += is_wide(&r->insns[pc]) ? 2 : 1;
	}
	return ok;
}

static bool execute_all(struct decoder *r)
{
	struct state st = {.retval = 0};
	uint32_t step;
	st.reg[1] = (struct value){.kind = V_CTX};
	step_at(r, 0, &st, UINT16_MAX);
	while ((step = step_next(r)) != NO_STEP) {
		if (!execute(r, step))
			return false;
		if (r->nsteps > STEPS_MAX)
			return decoder_fail(r, "its registers have too many values at once");
		if (!diagram_ok(r->dg))
			return decoder_fail(r, "its conditions take more than %d nodes", NODES_MAX);
	}
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* Reads it once, with the maps in r->written not known. */
static bool read_once(struct decoder *r, node *out)
{
	r->nsteps = r->norder = r->nheap = r->executed = r->unknown = 0;
	r->known = (struct table){0};
	if (!execute_all(r))
		return false;
	*out = steps_diagram(r);
	return diagram_ok(r->dg) || decoder_fail(r, "it has more than %d nodes", NODES_MAX);
}

/* May its functions be skipped? Not when they may change the verdict otherwise than by what they return. */
static bool may_skip(const struct decoder *r)
{
	bool own = false, sets = false;
	const char *name;
	for (uint32_t pc = 0; pc < r->n; pc += is_wide(&r->insns[pc]) ? 2 : 1) {
		own |= is_own_call(&r->insns[pc]);
		sets |= is_call(&r->insns[pc]) && !r->insns[pc].src_reg && called_function(r, pc, &name) == BPF_FUNC_set_retval;
	}
	return own && !sets;
}

/* A program that writes to a map whose contents it was read with is read again without them. */
static bool read_program(struct decoder *r, node *out)
{
	size_t n = r->dump->nmaps;
	bool *before = arena_alloc(r->arena, n + 1);
	do {
		memcpy(before, r->written, n);
		if (!read_once(r, out))
			return false;
	} while (memcmp(before, r->written, n));
	return true;
}

/* Whole; or, when that makes too many values that are not understood, with each function as one of them. Files whose names
 * are not known are no answer: then which one it is is not understood. */
static bool read_whole(struct decoder *r, node *out)
{
	bool read = read_program(r, out);
	if (read && files_without_names(r, *out)) {
		r->nameless = true;
		read = read_program(r, out);
	}
	if (read || !r->too_many || !may_skip(r))
		return read;
	r->skips = true;
	r->why = NULL;
	return read_program(r, out);
}

int decode_program(struct arena *a, struct diags *d, const char *name, const struct dump *dump,
                   struct diagrams *dg, struct terms *ts, size_t first_unknown, struct decoded *out)
{
	struct arena *scratch = arena_scratch(a);
	struct decoder r = {.arena = scratch, .keep = a, .terms = ts, .dg = dg, .dump = dump, .insns = dump->insns, .n = dump->ninsns,
	                   .first_unknown = first_unknown};
	size_t maps = dump->nmaps + 1;
	node verdict = 0;
	r.groups = arena_alloc(scratch, maps * sizeof *r.groups);
	r.ngroups = arena_alloc(scratch, maps * sizeof *r.ngroups);
	r.group_of_first = arena_alloc(scratch, maps * sizeof *r.group_of_first);
	r.written = arena_alloc(scratch, maps);
	bool ok = r.n && r.n <= INSNS_MAX ? scan_program(&r) && read_whole(&r, &verdict)
	                                  : decoder_fail(&r, "it has %zu instructions", r.n);
	if (ok)
		*out = (struct decoded){.verdict = requests_within(dg, verdict, diagram_terminal(OUT_DENY)), .unknown = r.unknown,
		                        .untold = r.untold};
	else
		diag_fail(d, "bpftool prog dump xlated id ID shows its instructions", "%s cannot be read: %s", name,
		          arena_strdup(d->arena, r.why));
	arena_free(scratch);
	return ok ? 0 : -1;
}
