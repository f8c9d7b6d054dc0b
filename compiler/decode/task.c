/*
 * task.c - functions of ours that read the calling task (compiler/task/), recognised in what the kernel shows.
 *
 * Nothing is understood of such a function but that it is one: on each way through it every instruction is the reader's,
 * with the offsets of this kernel's structures. The kernel leaves out what it knows: the ways that the features in the
 * frozen .rodata close, comparisons of pointers that are never null, jumps to the next instruction. Then its own look-up
 * in a hash stands in the place of the function that looks up. What a reader of one name might do otherwise, it is not
 * that reader; then it is read as any function is.
 */
#include "compiler/decode/internal.h"
#include "policy/image.h"

#include <endian.h>
#include <string.h>

struct task_reader {
	uint32_t at;     /* its first instruction */
	int reader;      /* enum reader, or NOT_OURS */
	bool untold;     /* with these features it never tells anything */
};
enum { NOT_OURS = -1, CODE_REGISTERS = 10 };

/* A register of the reader on the way to an instruction. */
struct known {
	enum { K_ANY, K_NUMBER, K_HEADER } kind; /* K_HEADER: the address of the program's header */
	int64_t k;
};

/* An instruction of the reader and that of the program. */
struct place {
	bool reached;
	uint32_t at;
	struct known reg[CODE_REGISTERS];
};

struct match {
	const struct decoder *r;
	const struct reader_code *code;
	struct place *places;
	bool tells;
};

const struct dump_field *decode_fields(struct arena *a, size_t *n)
{
	struct dump_field *list = arena_alloc(a, TASK_FIELDS * sizeof *list);
	for (int f = 0; f < TASK_FIELDS; f++) {
		const char *path = task_fields[f].name;
		for (int i = 0; i < TASK_FIELDS; i++) /* in a structure that is inside another one */
			if (task_fields[i].shape == FIELD_INSIDE && task_fields[i].to == task_fields[f].owner)
				path = arena_printf(a, "%s.%s", task_fields[i].name, path);
		list[f] = (struct dump_field){task_structs[field_root((enum task_field)f)], path};
	}
	*n = TASK_FIELDS;
	return list;
}

/* ---- what instructions are -------------------------------------------------------------------- */

static const struct image_reloc *reloc_at(const struct reader_code *c, size_t e)
{
	for (size_t i = 0; i < c->nrelocs; i++)
		if (c->relocs[i].insn == e)
			return &c->relocs[i];
	return NULL;
}

static const struct field_record *record_at(const struct reader_code *c, size_t e)
{
	for (size_t i = 0; i < c->nrecords; i++)
		if (c->records[i].insn == e)
			return &c->records[i];
	return NULL;
}

static const struct dump_map *map_named(const struct decoder *r, const struct bpf_insn *in)
{
	for (size_t i = 0; i < r->dump->nmaps; i++)
		if (r->dump->maps[i].id == (uint32_t)in->imm)
			return &r->dump->maps[i];
	return NULL;
}

static bool is_header(const struct dump_map *m)
{
	uint64_t magic = 0;
	if (!m || !m->known || m->n != 1 || m->value_size < sizeof(struct image_header))
		return false;
	memcpy(&magic, m->values, sizeof magic);
	return le64toh(magic) == IMAGE_MAGIC;
}

static bool is_who(const struct dump_map *m)
{
	return m && m->type == BPF_MAP_TYPE_HASH && m->key_size == sizeof(struct who_key) && m->value_size == sizeof(uint64_t) &&
	       !strcmp(m->name, WHO_MAP_NAME);
}

static bool same_address(const struct decoder *r, uint32_t target, const struct bpf_insn *in)
{
	if (!is_wide(in) || in[1].imm)
		return false;
	return target == TARGET_HEADER ? in->src_reg == BPF_PSEUDO_MAP_VALUE && is_header(map_named(r, in))
	                               : in->src_reg == BPF_PSEUDO_MAP_FD && is_who(map_named(r, in));
}

/* The field as this kernel has it; negative: it has none. */
static int64_t field_value(const struct decoder *r, const struct field_record *f)
{
	int64_t offset = (size_t)f->field < r->dump->nfields ? r->dump->fields[f->field] : DUMP_NO_FIELD;
	return f->question == FIELD_EXISTS ? offset >= 0 : offset;
}

static bool same_instruction(const struct match *m, uint32_t e, uint32_t d)
{
	struct bpf_insn want = m->code->insns[e];
	const struct bpf_insn *in = &m->r->insns[d];
	const struct image_reloc *address = reloc_at(m->code, e);
	const struct field_record *field = record_at(m->code, e);
	if (address)
		return in->dst_reg == want.dst_reg && same_address(m->r, address->target, in);
	if (field) {
		int64_t value = field_value(m->r, field);
		if (value < 0 || value > INT16_MAX)
			return false;
		if (BPF_CLASS(want.code) == BPF_LDX)
			want.off = (int16_t)value;
		else
			want.imm = (int32_t)value;
	}
	return !memcmp(in, &want, sizeof want) && (!is_wide(in) || !memcmp(in + 1, &m->code->insns[e + 1], sizeof want));
}

/* ---- what is known on a way ------------------------------------------------------------------- */

static void operate(struct match *m, uint32_t e, struct known *reg)
{
	const struct bpf_insn *in = &m->code->insns[e];
	const struct field_record *field = record_at(m->code, e);
	struct known *dst = &reg[in->dst_reg], any = {K_ANY, 0};
	const struct image_reloc *address = reloc_at(m->code, e);
	if (in->dst_reg >= CODE_REGISTERS || BPF_CLASS(in->code) == BPF_ST || BPF_CLASS(in->code) == BPF_STX)
		return;
	if (address) {
		*dst = address->target == TARGET_HEADER ? (struct known){K_HEADER, 0} : any;
		return;
	}
	int64_t imm = field ? field_value(m->r, field) : in->imm;
	switch (in->code) {
	case BPF_ALU64 | BPF_MOV | BPF_K: *dst = (struct known){K_NUMBER, imm}; break;
	case BPF_ALU64 | BPF_MOV | BPF_X: *dst = in->src_reg < CODE_REGISTERS ? reg[in->src_reg] : any; break;
	case BPF_ALU64 | BPF_AND | BPF_K: *dst = dst->kind == K_NUMBER ? (struct known){K_NUMBER, dst->k & imm} : any; break;
	case BPF_LDX | BPF_MEM | BPF_W:
		if (in->src_reg < CODE_REGISTERS && reg[in->src_reg].kind == K_HEADER && in->off == offsetof(struct image_header, features))
			*dst = (struct known){K_NUMBER, m->r->features};
		else
			*dst = any;
		break;
	default: *dst = any;
	}
}

/* ---- ways --------------------------------------------------------------------------------------- */

/* A way leads to an instruction of the reader, and in the program to that one. */
static bool arrive(struct match *m, int64_t e, int64_t d, const struct known *reg)
{
	const struct bpf_insn *code = m->code->insns;
	while (e < (int64_t)m->code->ninsns && code[e].code == (BPF_JMP | BPF_JA))
		e += 1 + code[e].off;
	for (size_t n = 0; d >= 0 && d < (int64_t)m->r->n && is_plain_jump(&m->r->insns[d]); n++, d = target_of(&m->r->insns[d], (size_t)d))
		if (n > m->r->n)
			return false;
	if (e >= (int64_t)m->code->ninsns || d < 0 || d >= (int64_t)m->r->n)
		return false;
	struct place *p = &m->places[e];
	if (p->reached && p->at != d)
		return false;
	for (int i = 0; i < CODE_REGISTERS; i++)
		if (!p->reached)
			p->reg[i] = reg[i];
		else if (p->reg[i].kind != reg[i].kind || p->reg[i].k != reg[i].k)
			p->reg[i] = (struct known){K_ANY, 0};
	p->reached = true;
	p->at = (uint32_t)d;
	return true;
}

/* Does the instruction before load the pointer that is compared with NULL? The kernel may know better. */
static bool is_null_check(const struct match *m, uint32_t e)
{
	const struct bpf_insn *in = &m->code->insns[e];
	const struct field_record *f = e ? record_at(m->code, e - 1) : NULL;
	return f && in->code == (BPF_JMP | BPF_JEQ | BPF_K) && !in->imm && in[-1].code == (BPF_LDX | BPF_MEM | BPF_DW) &&
	       in[-1].dst_reg == in->dst_reg && task_fields[f->field].shape == FIELD_POINTER;
}

static bool follow_jump(struct match *m, uint32_t e, const struct place *p)
{
	const struct bpf_insn *in = &m->code->insns[e], *as = &m->r->insns[p->at];
	int64_t taken = (int64_t)e + 1 + in->off;
	bool alike = in->code == as->code && in->dst_reg == as->dst_reg && in->src_reg == as->src_reg && in->imm == as->imm;
	if (alike)
		return arrive(m, taken, target_of(as, p->at), p->reg) && arrive(m, e + 1, (int64_t)p->at + 1, p->reg);
	const struct known *x = &p->reg[in->dst_reg];
	bool equal = in->code == (BPF_JMP | BPF_JEQ | BPF_K), unequal = in->code == (BPF_JMP | BPF_JNE | BPF_K);
	if (x->kind == K_NUMBER && (equal || unequal))
		return arrive(m, (x->k == in->imm) == equal ? taken : (int64_t)e + 1, p->at, p->reg);
	return is_null_check(m, e) && arrive(m, e + 1, p->at, p->reg);
}

static bool follow_call(struct match *m, uint32_t e, struct place *p)
{
	const struct bpf_insn *in = &m->r->insns[p->at];
	int32_t function = m->code->insns[e].imm;
	int64_t next = (int64_t)p->at + 1, behind;
	const char *name;
	if (!is_call(in) || in->src_reg)
		return false;
	int32_t is = called_function(m->r, p->at, &name);
	if (function == BPF_FUNC_map_lookup_elem && is == DUMP_HASH_ELEMENT) {
		if (!behind_element(m->r, p->at, &behind) || !behind)
			return false;
		next += 2;
	} else if (is != function) {
		return false;
	}
	for (int i = 0; i <= BPF_REG_5; i++)
		p->reg[i] = (struct known){K_ANY, 0};
	return arrive(m, e + 1, next, p->reg);
}

static bool follow(struct match *m, uint32_t e)
{
	const struct bpf_insn *in = &m->code->insns[e];
	struct place *p = &m->places[e];
	if (is_exit(in)) {
		m->tells |= p->reg[0].kind != K_NUMBER || p->reg[0].k >= 0;
		return is_exit(&m->r->insns[p->at]);
	}
	if (is_call(in))
		return follow_call(m, e, p);
	if (is_jump(in))
		return follow_jump(m, e, p);
	if (!same_instruction(m, e, p->at))
		return false;
	operate(m, e, p->reg);
	int size = is_wide(in) ? 2 : 1;
	return arrive(m, (int64_t)e + size, (int64_t)p->at + size, p->reg);
}

/* Its jumps go forward only: when an instruction comes, all ways to it have been gone. */
static bool matches(struct decoder *r, const struct reader_code *code, uint32_t at, bool *untold)
{
	struct match m = {.r = r, .code = code, .places = arena_alloc(r->arena, (code->ninsns + 1) * sizeof *m.places)};
	const struct known none[CODE_REGISTERS] = {{K_ANY, 0}};
	bool ok = arrive(&m, 0, at, none);
	for (uint32_t e = 0; e < code->ninsns && ok; e++)
		if (m.places[e].reached)
			ok = follow(&m, e);
	*untold = !m.tells;
	return ok;
}

/* ---- calls of readers ----------------------------------------------------------------------------- */

static uint32_t features_of(const struct dump *d)
{
	struct image_header h;
	for (const struct dump_map *m = d->maps; m < d->maps + d->nmaps; m++)
		if (is_header(m)) {
			memcpy(&h, m->values, sizeof h);
			return le32toh(h.features);
		}
	return 0;
}

static const struct task_reader *task_reader_at(struct decoder *r, uint32_t at)
{
	for (size_t i = 0; i < r->nreaders; i++)
		if (r->readers[i].at == at)
			return &r->readers[i];
	if (!r->codes) {
		r->codes = arena_alloc(r->arena, READERS * sizeof *r->codes);
		for (int k = 0; k < READERS; k++)
			r->codes[k] = reader_code(r->arena, (enum reader)k);
		r->features = features_of(r->dump);
	}
	struct task_reader *one = ARENA_PUSH(r->arena, r->readers, r->nreaders, r->readers_cap);
	*one = (struct task_reader){.at = at, .reader = NOT_OURS};
	for (int k = 0; k < READERS && one->reader == NOT_OURS; k++)
		if (matches(r, &r->codes[k], at, &one->untold))
			one->reader = k;
	return one;
}

/* The question that is asked with these arguments, as an input; -1: none that can be told. */
static int question(struct decoder *r, enum ask_kind kind, const struct value *arg)
{
	struct asked *asked = terms_asked(r->terms);
	struct ask ask = {.kind = kind, .number = arg[0].k};
	bool known = arg[0].kind == V_CONST && (kind != ASK_UNDER || arg[1].kind == V_CONST);
	if (!known)
		return -1;
	switch (kind) {
	case ASK_GROUP: known = ask.number >= 0 && ask.number < ID_NONE; break;
	case ASK_CAPABLE:
		known = ask.number >= 0 && ask.number < CAPABILITIES;
		ask.text = known ? capability_name((int)ask.number) : NULL;
		break;
	default:
		ask.number = arg[1].k;
		ask.text = asked_path_text(asked, ask.number);
		known = ask.text && reader_argument(&ask) == arg[0].k;
	}
	int place = known ? asked_ask(asked, kind, ask.number, ask.text, (struct span){0}) : -1;
	return place < 0 ? -1 : IN_ASK_0 + place;
}

static bool is_file(const struct asked *asked, int64_t value)
{
	size_t i = 0;
	while (i < asked->npaths && (asked->paths[i].value != value || asked->paths[i].is_cgroup))
		i++;
	return !value || i < asked->npaths; /* 0: none with a name */
}

/* Is each value of the switch that is told from the others one file with a name? The others are the last edge's. */
static bool is_named(const struct asked *asked, const struct switch_node *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		int64_t from = i ? s->edges[i - 1].hi + 1 : 0;
		if (s->edges[i].to != s->edges[s->n - 1].to && (s->edges[i].hi != from || !is_file(asked, from)))
			return false;
	}
	return true;
}

bool files_without_names(struct decoder *r, node verdict)
{
	const bool *below = diagram_below(r->arena, r->dg, &verdict, 1);
	for (node k = 0; k < diagram_nodes(r->dg); k++) {
		struct switch_node s;
		if (!below[k])
			continue;
		s = node_switch(r->dg, k);
		if (s.var < INPUT_MAX && input_kind((enum input)s.var) == FACT_FILE && !is_named(terms_asked(r->terms), &s))
			return true;
	}
	return false;
}

/* What it returns, when that is no input. */
static const char *answer_of(struct decoder *r, enum reader reader)
{
	const char *name = reader_name(reader);
	if (reader == READER_UNDER)
		return "whether it is under a cgroup whose name the program does not have";
	return reader < READER_GROUP ? arena_printf(r->arena, "which file %s is, whose names the program does not have", name)
	                             : arena_printf(r->arena, "what %s? answers", name);
}

bool task_call(struct decoder *r, struct state *st, uint32_t pc, uint32_t to)
{
	const struct task_reader *one = r->dump->nfields ? task_reader_at(r, to) : NULL;
	int in = -1;
	if (!one || one->reader == NOT_OURS)
		return false;
	const enum reader reader = (enum reader)one->reader;
	if (one->untold) /* all of these are alike: which one it is does not matter */
		r->untold = true;
	else if (reader >= READER_GROUP)
		in = question(r, (enum ask_kind)(reader - READER_GROUP), &st->reg[BPF_REG_1]);
	else if (!r->nameless || input_kind((enum input)(IN_EUID + (int)reader)) != FACT_FILE)
		in = IN_EUID + (int)reader;
	for (int i = 1; i <= 5; i++)
		st->reg[i] = (struct value){.kind = V_NONE};
	st->reg[0] = one->untold ? value_const(-1)
	             : in >= 0   ? value_term(r, term_input(r->terms, (enum input)in))
	                         : value_unknown(r, st, pc, answer_of(r, reader));
	return true;
}
