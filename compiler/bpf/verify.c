/*
 * verify.c - proves that a program means what its policy means.
 *
 * The instructions are read back in two passes over a program that only jumps
 * forward. Forwards, every register is known as an input, a term or an address
 * (or not at all: where two paths meet with different values it is forgotten).
 * Backwards, each instruction gets the diagram of the verdict from there on: an
 * exit is a terminal, a conditional jump chooses between two diagrams. The
 * diagram of the first instruction must be the very node the policy has. Where all
 * ways meet, the program is cut: what is before has a diagram of its own, in which
 * OUT_PASS stands for going on, and is overlaid on what follows once, not at each
 * of its instructions.
 *
 * A program that reports ends in a tail (report.c), entered by jumps with the
 * outcome in a register: such a jump is a terminal too, and the tail must be what
 * the emitter writes, bit by bit.
 *
 * Only what the emitter writes is understood; everything else is refused. The
 * device's fields are taken as raw 32-bit values, so that a program that lets a
 * request outside the domain pass is refused as well.
 */
#include "compiler/bpf/verify.h"
#include "policy/budget.h"

#include <inttypes.h>
#include <string.h>

/* A search tree read back passes through a node of each of its depths. */
enum { PROOF_BUDGET = 3 * DIAGRAM_BUDGET };

static void forget_differences(struct state *into, const struct state *other)
{
	for (int i = 0; i < 11; i++)
		if (!verify_same_value(&into->reg[i], &other->reg[i]))
			into->reg[i] = (struct value){0};
	for (int i = 0; i < HOME_SLOTS; i++)
		if (!verify_same_value(&into->slot[i], &other->slot[i]))
			into->slot[i] = (struct value){0};
	for (int i = 0; i < TASK_SLOTS; i++)
		if (!verify_same_value(&into->task[i], &other->task[i]))
			into->task[i] = (struct value){0};
}

/* ---- jumps ----------------------------------------------------------------------------- */

static node interval(struct verifier *v, uint32_t var, int64_t lo, int64_t hi)
{
	int64_t min = diagram_var_min(v->dg, var), max = diagram_var_max(v->dg, var);
	struct edge e[3];
	size_t n = 0;
	if (lo > max || hi < min || lo > hi)
		return diagram_terminal(OUT_PASS);
	if (lo > min)
		e[n++] = (struct edge){lo - 1, diagram_terminal(OUT_PASS)};
	e[n++] = (struct edge){hi < max ? hi : max, diagram_terminal(OUT_ALLOW)};
	if (hi < max)
		e[n++] = (struct edge){max, diagram_terminal(OUT_PASS)};
	return diagram_switch(v->dg, var, e, n);
}

static node negate(struct verifier *v, node n)
{
	return diagram_ite(v->dg, n, diagram_terminal(OUT_PASS), diagram_terminal(OUT_ALLOW));
}

/* A raw input compared with a constant. */
static bool compare_raw(struct verifier *v, uint8_t op, bool narrow, uint32_t var, int64_t k, node *out)
{
	int64_t max = diagram_var_max(v->dg, var);
	bool is_unsigned = op == BPF_JGT || op == BPF_JLE;
	if (narrow && max > UINT32_MAX)
		return verify_refuse(v, "32-bit comparison of a 64-bit value");
	if (narrow)
		k = (uint32_t)k;
	if (is_unsigned && (k < 0 || max == INT64_MAX))
		return verify_refuse(v, "unsigned comparison of a signed value");
	switch (op) {
	case BPF_JEQ: *out = interval(v, var, k, k); return true;
	case BPF_JNE: *out = negate(v, interval(v, var, k, k)); return true;
	case BPF_JGT:
	case BPF_JSGT: *out = k == INT64_MAX ? diagram_terminal(OUT_PASS)
	                                     : interval(v, var, k + 1, INT64_MAX);
		return !(narrow && op == BPF_JSGT) || verify_refuse(v, "signed 32-bit comparison");
	case BPF_JLE:
	case BPF_JSLE: *out = interval(v, var, INT64_MIN, k);
		return !(narrow && op == BPF_JSLE) || verify_refuse(v, "signed 32-bit comparison");
	default: return verify_refuse(v, "unknown comparison of an input");
	}
}

static bool compare_terms(struct verifier *v, uint8_t op, term a, term b, node *out)
{
	struct terms *ts = v->policy->terms;
	term t;
	switch (op) {
	case BPF_JEQ: t = term_eq(ts, a, b); break;
	case BPF_JNE: t = term_not(ts, term_eq(ts, a, b)); break;
	case BPF_JSLT: t = term_lt(ts, a, b); break;
	case BPF_JSGE: t = term_not(ts, term_lt(ts, a, b)); break;
	default: return verify_refuse(v, "unknown comparison");
	}
	*out = diagram_of_term(v->dg, t);
	return true;
}

static bool condition(struct verifier *v, const struct bpf_insn *in, node *out)
{
	bool narrow = BPF_CLASS(in->code) == BPF_JMP32;
	if (in->dst_reg > 10 || in->src_reg > 10 || (BPF_SRC(in->code) == BPF_X ? in->imm : in->src_reg))
		return verify_refuse(v, "unknown operand");
	const struct value *x = &v->now.reg[in->dst_reg];
	struct value y = BPF_SRC(in->code) == BPF_X ? v->now.reg[in->src_reg]
	                                            : verify_of_term(term_const(v->policy->terms, in->imm));
	int64_t k;
	term a, b;
	if (x->kind == V_RAW && verify_const(v, &y, &k))
		return compare_raw(v, BPF_OP(in->code), narrow, (uint32_t)x->n, k, out);
	if (narrow || !verify_term(v, x, &a) || !verify_term(v, &y, &b))
		return verify_refuse(v, "comparison of an unknown value");
	return compare_terms(v, BPF_OP(in->code), a, b, out);
}

static bool send_state(struct verifier *v, size_t pc, size_t target)
{
	if (target >= v->n)
		return verify_refuse(v, "jump out of the program");
	if (v->pending[target]) {
		forget_differences(v->pending[target], &v->now);
	} else {
		struct state *st = v->spare ? v->spare : arena_alloc(v->arena, sizeof *st);
		v->spare = st->free;
		*st = v->now;
		v->pending[target] = st;
	}
	v->reach[pc] = (uint32_t)target;
	return true;
}

/* Does the program deny from there on as it must where the fact of an input is not told? */
static bool denies_untold(const struct verifier *v, size_t at, enum input in)
{
	const struct bpf_insn *i = v->insns + at;
	outcome o = policy_untold(v->policy, in);
	const int32_t wanted[] = {(int32_t)o, policy_outcome_errno(v->policy, o)};
	const int regs[] = {REG_OUTCOME, REG_ERROR};
	size_t n = policy_has_tail(v->policy) ? (v->has_errno ? 2 : 1) : 0;
	if (at + n + 1 > v->n)
		return false;
	for (size_t k = 0; k < n; k++)
		if (i[k].code != (BPF_ALU64 | BPF_MOV | BPF_K) || i[k].dst_reg != regs[k] || i[k].src_reg || i[k].off || i[k].imm != wanted[k])
			return false;
	if (n) /* to the tail */
		return (i[n].code == (BPF_JMP | BPF_JA) || i[n].code == (BPF_JMP32 | BPF_JA)) && code_jump_target(&i[n], at + n) == v->n;
	return at + 2 <= v->n && i->code == (BPF_ALU64 | BPF_MOV | BPF_K) && !i->dst_reg && !i->src_reg && !i->off && !i->imm &&
	       i[1].code == (BPF_JMP | BPF_EXIT);
}

/* Behind the call of a reader: the way on which its fact is not told is none of the policy's. Where that one is far away, the
 * jump is over a long one. */
static bool told(struct verifier *v, size_t pc, size_t target)
{
	const struct bpf_insn *in = &v->insns[pc];
	const struct value value = {.kind = V_RAW, .n = v->now.reg[0].n}, untold = {0};
	bool far = in->code == (BPF_JMP | BPF_JSGE | BPF_K) && in->off == 1 && pc + 1 < v->n && in[1].code == (BPF_JMP32 | BPF_JA);
	if (!(far || in->code == (BPF_JMP | BPF_JSLT | BPF_K)) || in->src_reg || in->imm ||
	    !denies_untold(v, far ? code_jump_target(&in[1], pc + 1) : target, (enum input)value.n))
		return verify_refuse(v, "a fact that may not be told is used");
	v->cond[pc] = diagram_terminal(far ? OUT_ALLOW : OUT_PASS);
	v->now.reg[0] = far ? value : untold;
	if (!send_state(v, pc, target))
		return false;
	v->now.reg[0] = far ? untold : value;
	return true;
}

/* A jump to the tail: what is reported is in registers. */
static bool enter_tail(struct verifier *v, size_t pc)
{
	int64_t o, error = 0;
	const struct policy *p = v->policy;
	v->live = false;
	if (v->now.reg[REG_CTX].kind != V_CTX || !verify_const(v, &v->now.reg[REG_OUTCOME], &o) ||
	    o < 0 || o > INT32_MAX || OUTCOME_KIND((outcome)o) == OUT_PASS)
		return verify_refuse(v, "report of an unknown outcome");
	if (v->has_errno && (!verify_const(v, &v->now.reg[REG_ERROR], &error) ||
	                     error != policy_outcome_errno(p, (outcome)o)))
		return verify_refuse(v, "a denial with the wrong errno");
	v->cond[pc] = diagram_terminal((outcome)o);
	return true;
}

static bool leave(struct verifier *v, size_t pc)
{
	int64_t verdict;
	const struct bpf_insn *in = &v->insns[pc];
	v->live = false;
	if (in->dst_reg || in->src_reg || in->off || in->imm)
		return verify_refuse(v, "unknown exit");
	if (!verify_const(v, &v->now.reg[0], &verdict) || (verdict != 0 && verdict != 1))
		return verify_refuse(v, "exit with a value that is not 0 or 1");
	v->cond[pc] = diagram_terminal(verdict ? OUT_ALLOW : OUT_DENY);
	return true;
}

/* The one that is always taken, in 16 or 32 bits. */
static bool plain_jump(struct verifier *v, size_t pc, bool far, size_t target)
{
	const struct bpf_insn *in = &v->insns[pc];
	v->live = false;
	if (in->code != ((far ? BPF_JMP32 : BPF_JMP) | BPF_JA) || in->dst_reg || in->src_reg || (!far && in->imm))
		return verify_refuse(v, "unknown jump");
	if (target == v->n && v->n < v->image->ninsns)
		return enter_tail(v, pc);
	return send_state(v, pc, target);
}

static bool jump(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	bool far = in->code == (BPF_JMP32 | BPF_JA);
	if (in->code == (BPF_JMP | BPF_CALL))
		return verify_call(v, pc);
	if (in->code == (BPF_JMP | BPF_EXIT))
		return leave(v, pc);
	if (in->off < 0 || (far && (in->imm < 0 || in->off)))
		return verify_refuse(v, "backward jump");
	size_t target = code_jump_target(in, pc);
	verify_forget_spills(v);
	if (BPF_OP(in->code) == BPF_JA)
		return plain_jump(v, pc, far, target);
	if (v->now.reg[0].kind == V_READ && !in->dst_reg)
		return told(v, pc, target);
	return condition(v, in, &v->cond[pc]) && send_state(v, pc, target);
}

/* ---- the two passes --------------------------------------------------------------------- */

static bool step(struct verifier *v, size_t pc)
{
	const struct bpf_insn *in = &v->insns[pc];
	switch (BPF_CLASS(in->code)) {
	case BPF_ALU:
	case BPF_ALU64: return verify_alu(v, in);
	case BPF_LDX: return verify_load(v, in);
	case BPF_ST: return verify_clear(v, in);
	case BPF_STX: return verify_store(v, in);
	case BPF_JMP:
	case BPF_JMP32: return jump(v, pc);
	case BPF_LD:
		if (in->code == (BPF_LD | BPF_DW | BPF_IMM))
			return verify_wide_constant(v, pc);
		return verify_refuse(v, "unknown load");
	default: return verify_refuse(v, "unknown instruction");
	}
}

/* The line of the rule being proven, in case that the time ends here. */
static void tell_line(struct verifier *v, size_t pc)
{
	const struct image_line *lines = v->image->lines;
	while (v->line < v->image->nlines && lines[v->line].insn <= pc)
		v->line++;
	while (v->line && lines[v->line - 1].insn > pc)
		v->line--;
	budget_line(arena_budget(v->policy->arena), v->line ? lines[v->line - 1].line : 0);
}

static bool forwards(struct verifier *v, size_t *at)
{
	v->now.reg[1] = (struct value){.kind = V_CTX};
	v->now.reg[10] = (struct value){.kind = V_STACK};
	v->live = true;
	for (size_t pc = 0; pc < v->n; pc++) {
		*at = pc;
		tell_line(v, pc);
		if (v->pending[pc]) {
			verify_forget_spills(v);
			if (v->live)
				forget_differences(v->pending[pc], &v->now);
			v->now = *v->pending[pc];
			v->pending[pc]->free = v->spare;
			v->spare = v->pending[pc];
			v->live = true;
		}
		if (!v->live)
			return verify_refuse(v, "instruction that nothing reaches");
		size_t len;
		if (verify_template(v, pc, &len)) {
			pc += len - 1;
			continue;
		}
		if (!step(v, pc))
			return false;
		if (v->insns[pc].code == (BPF_LD | BPF_DW | BPF_IMM))
			pc++;
	}
	return !v->live || verify_refuse(v, "end without an exit");
}

/* Has every way through the program an instruction at pc, or ended before it? */
static bool *find_cuts(struct verifier *v)
{
	bool *cut = arena_alloc(v->arena, (v->n + 1) * sizeof *cut);
	size_t far = 0;
	for (size_t pc = 0; pc < v->n; pc++) {
		cut[pc] = far <= pc;
		far = v->reach[pc] > far ? v->reach[pc] : far;
	}
	return cut;
}

static node backwards(struct verifier *v)
{
	node *from = arena_alloc(v->arena, (v->n + 1) * sizeof *from); /* up to the next cut */
	node rest = from[v->n] = diagram_terminal(OUT_PASS);           /* from there on */
	const bool *cut = find_cuts(v);
	for (size_t pc = v->n; pc-- > 0 && diagram_ok(v->dg);) {
		const struct bpf_insn *in = &v->insns[pc];
		tell_line(v, pc);
		uint8_t class = BPF_CLASS(in->code);
		bool jumps = (class == BPF_JMP || class == BPF_JMP32) && in->code != (BPF_JMP | BPF_CALL);
		size_t target = code_jump_target(in, pc);
		if (!jumps)
			from[pc] = from[pc + 1];
		else if (BPF_OP(in->code) == BPF_EXIT)
			from[pc] = v->cond[pc];
		else if (BPF_OP(in->code) == BPF_JA)
			from[pc] = target == v->n ? v->cond[pc] : from[target];
		else
			from[pc] = diagram_ite(v->dg, v->cond[pc], from[target], from[pc + 1]);
		if (cut[pc]) {
			rest = diagram_over(v->dg, from[pc], rest);
			from[pc] = diagram_terminal(OUT_PASS);
		}
	}
	return rest;
}

/* ---- the proof ------------------------------------------------------------------------------ */

/* Is the tail what the emitter writes? Its outcome's rule must exist. */
static bool same_tail(struct verifier *v)
{
	const struct image *image = v->image;
	struct code fresh = {.arena = v->arena};
	size_t n = image->ninsns - image->tail, first = 0;
	emit_tail(&fresh, v->policy);
	while (first < image->nrelocs && image->relocs[first].insn < image->tail)
		first++;
	if (fresh.n != n || memcmp(fresh.insns, v->insns + image->tail, n * sizeof *fresh.insns) ||
	    fresh.nrelocs != image->nrelocs - first)
		return verify_refuse(v, "its tail is not that of its audit and mode");
	for (size_t i = 0; i < fresh.nrelocs; i++)
		if (image->relocs[first + i].insn != image->tail + fresh.relocs[i].insn ||
		    image->relocs[first + i].target != fresh.relocs[i].target)
			return verify_refuse(v, "its tail uses other maps");
	return true;
}

static int fail(const struct policy *p, struct diags *d, const char *hint, const char *text)
{
	diag_add(d, DIAG_ERROR, (struct span){.file = p->file}, hint, "%s", text);
	return -1;
}

static int prove(struct verifier *v, struct diags *d, node wanted)
{
	const struct policy *p = v->policy;
	size_t at = v->n;
	v->pending = arena_alloc(v->arena, (v->n + 1) * sizeof *v->pending);
	v->cond = arena_alloc(v->arena, (v->n + 1) * sizeof *v->cond);
	v->reach = arena_alloc(v->arena, (v->n + 1) * sizeof *v->reach);
	if (!v->n || (v->n < v->image->ninsns && !same_tail(v)) || !forwards(v, &at))
		return fail(p, d, "the program is damaged, or this is a bug of the compiler",
		            arena_printf(d->arena, "the program cannot be proven: instruction %zu: %s", at,
		                         v->why ? v->why : "no instructions"));
	node program = backwards(v);
	if (!diagram_ok(v->dg))
		return fail(p, d, "split the policy", arena_printf(d->arena,
		            "while proving the program: more than %d nodes", PROOF_BUDGET));
	if (program == wanted)
		return 0;
	return fail(p, d, "the program is damaged, or this is a bug of the compiler",
	            arena_printf(d->arena, "the program does not mean what the policy means: %s",
	                         diagram_witness(p, v->dg, program, wanted)));
}

int verify_image(const struct policy *p, struct diags *d, const struct policy_diagram *pd,
                 const struct image *image)
{
	struct arena *scratch = arena_scratch(p->arena);
	node wanted = policy_has_tail(p) ? pd->report : pd->verdict;
	budget_stage(arena_budget(p->arena), STAGE_PROVE);
	struct verifier v = {.policy = p, .arena = scratch, .insns = image->insns, .n = image->tail,
	                     .image = image, .has_errno = policy_has_errno(p),
	                     .reads_task = policy_reads_task(p)};
	v.dg = diagrams_kept(scratch, pd->dg, &wanted, 1);
	diagrams_allow(v.dg, PROOF_BUDGET);
	int failed = prove(&v, d, wanted);
	arena_free(scratch);
	return failed;
}
