/*
 * prover_call.c - functions of the kernel that a raw program calls: each that does something must be what the step
 * does that comes next.
 */
#include "compiler/raw/verify.h"

#include <string.h>

static bool is_step(const struct prover *v, const struct state *st, enum step_kind kind, enum phase phase)
{
	const struct step *s = prover_step(v, st);
	return s && s->kind == kind && st->phase == phase;
}

/* ---- arguments ------------------------------------------------------------------------------------------------- */

/* So many bytes of the stack from the address in a register, NULL: it is none. */
static struct cell *bytes_at(struct state *st, int reg, size_t size)
{
	const struct value *x = &st->reg[reg];
	if (x->kind != V_STACK || x->n < -STACK_SIZE || x->n + (int64_t)size > 0)
		return NULL;
	return &st->stack[STACK_SIZE + x->n];
}

static bool is_number(const struct prover *v, const struct state *st, int reg, int64_t want)
{
	int64_t k;
	return prover_const(v, &st->reg[reg], &k) && k == want;
}

static bool is_map(const struct state *st, uint32_t map)
{
	return st->reg[1].kind == V_MAP && st->reg[1].a == map;
}

static bool is_comm(struct prover *v, const struct state *st, const struct cell *c)
{
	for (unsigned i = 0; i < COMM_SIZE; i++)
		if (!prover_cell_is(v, st, &c[i], term_input(v->terms, i < 8 ? IN_COMM_0 : IN_COMM_1), i % 8))
			return false;
	return true;
}

static bool is_operand(struct prover *v, const struct state *st, const struct cell *c, const struct raw_operand *o,
                       unsigned size)
{
	if (o->is_comm)
		return is_comm(v, st, c);
	for (unsigned i = 0; i < size; i++)
		if (!prover_cell_is(v, st, &c[i], o->t, i))
			return false;
	return true;
}

static bool is_zero(const struct cell *c)
{
	return c->kind == CELL_CONST && !c->k;
}

/* Are the bytes a record of these operands, 0 where it has no field? */
static bool is_record(struct prover *v, const struct state *st, const struct cell *c, const struct raw_record *r,
                      const struct raw_operand *of)
{
	bool used[RAW_RECORD_MAX] = {false};
	if (!c)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct raw_field *f = &r->fields[i];
		memset(used + f->offset, true, f->size);
		if (!is_operand(v, st, c + f->offset, &of[i], f->size))
			return false;
	}
	for (uint32_t i = 0; i < r->size; i++)
		if (!used[i] && !is_zero(&c[i]))
			return false;
	return true;
}

static const struct raw_map *map_of(const struct prover *v, const struct step *s)
{
	return &v->raw->maps[s->map];
}

/* The map and the key of a step in r1 and r2? */
static bool is_key(struct prover *v, struct state *st, const struct step *s)
{
	const struct raw_record *key = &map_of(v, s)->key;
	return is_map(st, s->map) && is_record(v, st, bytes_at(st, BPF_REG_2, key->size), key, s->args);
}

/* ---- what a call leaves ---------------------------------------------------------------------------------------- */

/* What a step looked up is what it was at that moment: not after another call. */
static void after_call(struct state *st, struct value answer)
{
	for (int i = 0; i < 10; i++)
		if (i <= BPF_REG_5 || st->reg[i].kind == V_ENTRY || st->reg[i].kind == V_ANSWER)
			st->reg[i] = (struct value){0};
	st->reg[BPF_REG_0] = answer;
}

/* A value that a step made. */
static void make(struct state *st, uint32_t value)
{
	st->known[value] = (struct known){0};
}

/* ---- maps ------------------------------------------------------------------------------------------------------ */

static bool look_up_lost(struct prover *v, struct state *st)
{
	const struct cell *c = bytes_at(st, BPF_REG_2, 4);
	const struct step *s = prover_step(v, st);
	if (v->lost < 0 || !is_map(st, (uint32_t)v->lost) || !c)
		return prover_refuse(v, st, "what found no place is not counted");
	for (unsigned i = 0; i < 4; i++)
		if (!prover_cell_is(v, st, &c[i], term_const(v->terms, s->map), i))
			return prover_refuse(v, st, "what found no place is counted for another map");
	after_call(st, (struct value){.kind = V_ENTRY, .a = st->place, .b = true});
	st->phase = PHASE_COUNT;
	return true;
}

static bool look_up(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	struct value entry = {.kind = V_ENTRY, .a = st->place, .b = true};
	if (st->phase == PHASE_LOST)
		return look_up_lost(v, st);
	bool gets = is_step(v, st, STEP_GET, PHASE_NEW), adds = is_step(v, st, STEP_ADD, PHASE_NEW),
	     again = is_step(v, st, STEP_ADD, PHASE_PUT);
	if ((!gets && !adds && !again) || !is_key(v, st, s))
		return prover_refuse(v, st, "it looks up what the next step does not");
	after_call(st, entry);
	if (gets) {
		make(st, s->found);
		make(st, s->value);
		prover_advance(v, st);
	} else {
		st->phase = again ? PHASE_AGAIN : PHASE_LOOKED;
	}
	return true;
}

static bool update(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	bool sets = is_step(v, st, STEP_SET, PHASE_NEW), puts = is_step(v, st, STEP_ADD, PHASE_ABSENT);
	if ((!sets && !puts) || !is_key(v, st, s))
		return prover_refuse(v, st, "it puts something in a map that the next step does not");
	const struct raw_record *value = &map_of(v, s)->value;
	const struct cell *c = bytes_at(st, BPF_REG_3, value->size);
	static const struct raw_record nothing = {0};
	struct raw_record zeros = nothing;
	zeros.size = value->size;
	if (!is_record(v, st, c, sets ? value : &zeros, &s->operand))
		return prover_refuse(v, st, "it puts another value in a map");
	if (!is_number(v, st, BPF_REG_4, sets ? BPF_ANY : BPF_NOEXIST))
		return prover_refuse(v, st, "it puts a value in a map with other flags");
	after_call(st, sets ? (struct value){.kind = V_ANSWER, .a = st->place} : (struct value){0});
	st->phase = sets ? PHASE_ANSWERED : PHASE_PUT;
	return true;
}

static bool delete(struct prover *v, struct state *st)
{
	if (!is_step(v, st, STEP_DELETE, PHASE_NEW) || !is_key(v, st, prover_step(v, st)))
		return prover_refuse(v, st, "it takes something out of a map that the next step does not");
	after_call(st, (struct value){0});
	prover_advance(v, st);
	return true;
}

static bool output(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	if (!is_step(v, st, STEP_OUT, PHASE_NEW) || !is_map(st, s->map))
		return prover_refuse(v, st, "it sends a record that the next step does not");
	const struct raw_record *record = &map_of(v, s)->value;
	if (!is_number(v, st, BPF_REG_3, record->size) || !is_number(v, st, BPF_REG_4, 0) ||
	    !is_record(v, st, bytes_at(st, BPF_REG_2, record->size), record, s->args))
		return prover_refuse(v, st, "it sends another record");
	after_call(st, (struct value){.kind = V_ANSWER, .a = st->place});
	st->phase = PHASE_ANSWERED;
	return true;
}

/* An addition to an entry that was looked up and is there: what the step adds, or one more that found no place. */
bool prover_add(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	const struct step *s = prover_step(v, st);
	struct value to = st->reg[in->dst_reg], x = st->reg[in->src_reg];
	bool adds = is_step(v, st, STEP_ADD, PHASE_PRESENT), counts = s && st->phase == PHASE_COUNTING;
	if ((!adds && !counts) || to.kind != V_ENTRY || to.b || to.a != st->place || in->imm != BPF_ADD || x.kind != V_TERM)
		return prover_refuse(v, st, "it adds what the next step does not");
	const struct raw_field *f = &v->raw->maps[adds ? s->map : (uint32_t)v->lost].value.fields[0];
	bool fits = f->size == 8 ? BPF_SIZE(in->code) == BPF_DW : f->size == 4 && BPF_SIZE(in->code) == BPF_W;
	term what = adds ? s->operand.t : term_const(v->terms, 1);
	for (unsigned i = 0; i < f->size && fits; i++) {
		struct cell c = prover_byte(v, x.a, i);
		fits = prover_cell_is(v, st, &c, what, i);
	}
	if (!fits || in->off != (int)f->offset)
		return prover_refuse(v, st, "it adds another number");
	for (int i = 0; i < 10; i++)
		if (st->reg[i].kind == V_ENTRY)
			st->reg[i] = (struct value){0};
	prover_advance(v, st);
	return true;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

static bool print(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	if (!is_step(v, st, STEP_PRINT, PHASE_NEW))
		return prover_refuse(v, st, "it prints what the next step does not");
	const struct cell *c = bytes_at(st, BPF_REG_1, s->ntext + 1);
	if (!c || !is_number(v, st, BPF_REG_2, (int64_t)s->ntext + 1))
		return prover_refuse(v, st, "it prints another text");
	for (size_t i = 0; i <= s->ntext; i++)
		if (c[i].kind != CELL_CONST || c[i].k != (i < s->ntext ? (uint8_t)s->text[i] : 0))
			return prover_refuse(v, st, "it prints another text");
	for (size_t i = 0; i < s->nargs; i++) {
		int reg = BPF_REG_3 + (int)i;
		const struct cell *name = bytes_at(st, reg, COMM_SIZE);
		bool same = s->args[i].is_comm ? name && is_comm(v, st, name)
		                               : st->reg[reg].kind == V_TERM && prover_same(v, st, st->reg[reg].a, s->args[i].t);
		if (!same)
			return prover_refuse(v, st, "it prints another value");
	}
	after_call(st, (struct value){0});
	prover_advance(v, st);
	return true;
}

static bool peek(struct prover *v, struct state *st)
{
	const struct step *s = prover_step(v, st);
	if (!is_step(v, st, STEP_PEEK, PHASE_NEW))
		return prover_refuse(v, st, "it reads memory of the kernel that the next step does not");
	struct cell *c = bytes_at(st, BPF_REG_1, s->peek.size);
	term at = prover_op(v, TERM_ADD, s->args[0].t, term_const(v->terms, s->peek.offset));
	if (!c || !is_number(v, st, BPF_REG_2, s->peek.size) || st->reg[BPF_REG_3].kind != V_TERM ||
	    !prover_same(v, st, st->reg[BPF_REG_3].a, at))
		return prover_refuse(v, st, "it reads other memory of the kernel");
	make(st, s->value);
	for (unsigned i = 0; i < s->peek.size; i++)
		c[i] = prover_byte(v, prover_value(v, s->value), i);
	after_call(st, (struct value){0});
	prover_advance(v, st);
	return true;
}

/* The clock and the number of the processor. */
static bool ask(struct prover *v, struct state *st, enum step_kind kind)
{
	const struct step *s = prover_step(v, st);
	if (!is_step(v, st, kind, PHASE_NEW))
		return prover_refuse(v, st, "it asks for the %s, which the next step does not",
		                     kind == STEP_TIME ? "time" : "processor");
	make(st, s->value);
	after_call(st, prover_of_term(prover_value(v, s->value)));
	prover_advance(v, st);
	return true;
}

static bool name(struct prover *v, struct state *st)
{
	struct cell *c = bytes_at(st, BPF_REG_1, COMM_SIZE);
	if (!c || !is_number(v, st, BPF_REG_2, COMM_SIZE))
		return prover_refuse(v, st, "unknown arguments of a function");
	for (unsigned i = 0; i < COMM_SIZE; i++) /* Linux 6.1 leaves what stands behind the name as it was */
		if (!is_zero(&c[i]))
			return prover_refuse(v, st, "the name of the process is written over something");
	for (unsigned i = 0; i < COMM_SIZE; i++)
		c[i] = prover_byte(v, term_input(v->terms, i < 8 ? IN_COMM_0 : IN_COMM_1), i % 8);
	after_call(st, (struct value){0});
	return true;
}

static bool pair(struct prover *v, struct state *st, enum input low, enum input high)
{
	after_call(st, (struct value){.kind = V_PAIR, .a = term_input(v->terms, low), .b = term_input(v->terms, high)});
	return true;
}

bool prover_call(struct prover *v, struct state *st, const struct bpf_insn *in)
{
	if (in->src_reg || in->dst_reg || in->off)
		return prover_refuse(v, st, "unknown call");
	prover_settle(v, st);
	switch (in->imm) {
	case BPF_FUNC_map_lookup_elem: return look_up(v, st);
	case BPF_FUNC_map_update_elem: return update(v, st);
	case BPF_FUNC_map_delete_elem: return delete(v, st);
	case BPF_FUNC_ringbuf_output: return output(v, st);
	case BPF_FUNC_trace_printk: return print(v, st);
	case BPF_FUNC_probe_read_kernel: return peek(v, st);
	case BPF_FUNC_ktime_get_ns: return ask(v, st, STEP_TIME);
	case BPF_FUNC_get_smp_processor_id: return ask(v, st, STEP_CPU);
	case BPF_FUNC_get_current_comm: return name(v, st);
	case BPF_FUNC_get_current_uid_gid: return pair(v, st, IN_UID, IN_GID);
	case BPF_FUNC_get_current_pid_tgid: return pair(v, st, IN_TID, IN_PID);
	case BPF_FUNC_get_current_cgroup_id:
		after_call(st, prover_of_term(term_input(v->terms, IN_CGROUP_ID)));
		return true;
	case BPF_FUNC_ktime_get_boot_ns:
		after_call(st, (struct value){.kind = V_NANOS});
		return true;
	default: return prover_refuse(v, st, "call of an unknown function");
	}
}
