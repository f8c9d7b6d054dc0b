/*
 * emit_step.c - one step as instructions: its operands, then a sequence that is always the same.
 *
 *   print    the text in the low part of the step's area, three arguments in r3 to r5
 *   get      look up; found and value are 0 before, and are stored where there is an entry
 *   set      update with BPF_ANY
 *   add      look up; where there is no entry, 0 with BPF_NOEXIST and look up again; an atomic addition
 *   out      the record to the ring
 *
 * Where a map has no place, one more is counted in the element of the map of RAW_LOST.
 */
#include "compiler/raw/emit.h"

#include <string.h>

static void move(struct code *c, int dst, int src)
{
	code_add(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void stack_address(struct code *c, int dst, int off)
{
	move(c, dst, BPF_REG_10);
	code_add(c, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, off);
}

static void call(struct code *c, int helper)
{
	code_add(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static size_t jump_if(struct code *c, uint8_t op, int reg, int32_t imm)
{
	return code_add(c, (uint8_t)(BPF_JMP | op | BPF_K), reg, 0, 0, imm);
}

static void store_imm(struct code *c, uint8_t size, int off, int32_t imm)
{
	code_add(c, (uint8_t)(BPF_ST | BPF_MEM | size), BPF_REG_10, 0, off, imm);
}

static void map_address(struct code *c, uint32_t map)
{
	*ARENA_PUSH(c->arena, c->relocs, c->nrelocs, c->relocs_cap) =
		(struct image_reloc){(uint32_t)c->n, TARGET_RAW_MAP + map};
	code_imm64(c, BPF_REG_1, 0);
}

static void lookup(struct code *c, uint32_t map, int key)
{
	map_address(c, map);
	stack_address(c, BPF_REG_2, key);
	call(c, BPF_FUNC_map_lookup_elem);
}

/* One more at the address in r0. */
static void increment(struct code *c)
{
	code_const(c, BPF_REG_1, 1);
	code_add(c, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD);
}

/* The map had no place for what the step wanted to put there. */
static void count_lost(struct raw_emitter *e, uint32_t map)
{
	struct code *c = &e->code;
	store_imm(c, BPF_W, e->layout.high, (int32_t)map);
	lookup(c, e->lost, e->layout.high);
	size_t none = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	increment(c);
	code_land(c, none);
}

/* ---- values and records ---------------------------------------------------------------- */

/* The register's number becomes the value. */
static void keep(struct raw_emitter *e, uint32_t value, int reg)
{
	int slot = e->layout.slots[value];
	if (slot)
		code_add(&e->code, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, reg, slot, 0);
}

static void keep_const(struct raw_emitter *e, uint32_t value, int32_t number)
{
	int slot = e->layout.slots[value];
	if (slot)
		store_imm(&e->code, BPF_DW, slot, number);
}

static uint8_t store_size(int size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

/* The stack takes stores at places that their size divides. */
static void clear(struct code *c, int at, int size)
{
	while (size > 0) {
		int step = at % 8 == 0 && size >= 8 ? 8 : at % 4 == 0 && size >= 4 ? 4 : at % 2 == 0 && size >= 2 ? 2 : 1;
		store_imm(c, store_size(step), at, 0);
		at += step;
		size -= step;
	}
}

static void put_field(struct raw_emitter *e, const struct raw_field *f, int at, const struct raw_operand *o)
{
	struct code *c = &e->code;
	const struct term_node *n = term_get(e->policy->terms, o->t);
	at += (int)f->offset;
	if (o->is_comm) { /* Linux 6.1 leaves what stands behind the name as it was */
		clear(c, at, COMM_SIZE);
		stack_address(c, BPF_REG_1, at);
		code_const(c, BPF_REG_2, COMM_SIZE);
		call(c, BPF_FUNC_get_current_comm);
	} else if (n->op == TERM_CONST && (f->size < 8 || (n->lo >= INT32_MIN && n->lo <= INT32_MAX))) {
		store_imm(c, store_size(f->size), at, (int32_t)(uint32_t)(uint64_t)n->lo);
	} else {
		expr_value(&e->expr, o->t, BPF_REG_2);
		code_add(c, (uint8_t)(BPF_STX | BPF_MEM | store_size(f->size)), BPF_REG_10, BPF_REG_2, at, 0);
	}
}

/* What C leaves between fields and behind the last is 0. */
static void clear_gaps(struct raw_emitter *e, const struct raw_record *r, int at)
{
	unsigned char used[RAW_RECORD_MAX] = {0};
	for (size_t i = 0; i < r->n; i++)
		memset(used + r->fields[i].offset, 1, r->fields[i].size);
	for (uint32_t word = 0; word < r->size; word += 8) {
		uint32_t n = r->size - word < 8 ? r->size - word : 8;
		if (memchr(used + word, 0, n))
			store_imm(&e->code, BPF_DW, at + (int)word, 0);
	}
}

static void put_record(struct raw_emitter *e, const struct raw_record *r, int at, const struct raw_operand *of)
{
	clear_gaps(e, r, at);
	for (size_t i = 0; i < r->n; i++)
		put_field(e, &r->fields[i], at, &of[i]);
}

static const struct raw_map *put_key(struct raw_emitter *e, const struct step *s)
{
	const struct raw_map *map = &e->raw->maps[s->map];
	put_record(e, &map->key, e->layout.low, s->args);
	return map;
}

/* ---- the kinds ---------------------------------------------------------------------------- */

/* An argument that can be loaded when the others are there. */
static bool is_simple(const struct raw_emitter *e, const struct raw_operand *o)
{
	uint8_t op = term_get(e->policy->terms, o->t)->op;
	return o->is_comm || op == TERM_CONST || op == TERM_INPUT;
}

static void put_text(struct raw_emitter *e, const struct step *s)
{
	for (size_t i = 0; i < s->ntext + 1; i += 4) {
		unsigned char four[4] = {0};
		int32_t imm;
		memcpy(four, s->text + i, s->ntext - i < 4 ? s->ntext - i : 4);
		memcpy(&imm, four, sizeof imm);
		store_imm(&e->code, BPF_W, e->layout.low + (int)i, imm);
	}
}

static void print(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	for (size_t i = 0; i < s->nargs; i++) {
		const struct raw_operand *o = &s->args[i];
		expr_fetch(&e->expr, o->is_comm ? INPUT(IN_COMM_0) : term_get(e->policy->terms, o->t)->inputs);
	}
	for (size_t i = 0; i < s->nargs; i++)
		if (!is_simple(e, &s->args[i])) {
			expr_value(&e->expr, s->args[i].t, BPF_REG_2);
			code_add(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_2, e->layout.high + 8 * (int)i, 0);
		}
	put_text(e, s);
	stack_address(c, BPF_REG_1, e->layout.low);
	code_const(c, BPF_REG_2, (int64_t)s->ntext + 1);
	for (size_t i = 0; i < s->nargs; i++) {
		int reg = BPF_REG_3 + (int)i;
		if (s->args[i].is_comm)
			stack_address(c, reg, HOME(COMM));
		else if (is_simple(e, &s->args[i]) && term_get(e->policy->terms, s->args[i].t)->op == TERM_INPUT)
			expr_input(&e->expr, term_get(e->policy->terms, s->args[i].t)->a, reg);
		else if (is_simple(e, &s->args[i]))
			code_const(c, reg, term_get(e->policy->terms, s->args[i].t)->lo);
		else
			code_add(c, BPF_LDX | BPF_MEM | BPF_DW, reg, BPF_REG_10, e->layout.high + 8 * (int)i, 0);
	}
	call(c, BPF_FUNC_trace_printk);
}

static void peek(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	struct raw_field here = s->peek;
	expr_value(&e->expr, s->args[0].t, BPF_REG_3);
	if (here.offset)
		code_add(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, (int32_t)here.offset);
	stack_address(c, BPF_REG_1, e->layout.high);
	code_const(c, BPF_REG_2, here.size);
	call(c, BPF_FUNC_probe_read_kernel); /* where it fails it leaves zeros */
	here.offset = 0;
	expr_field(c, &here, BPF_REG_10, e->layout.high, BPF_REG_1);
	keep(e, s->value, BPF_REG_1);
}

static void get(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	const struct raw_map *map = put_key(e, s);
	lookup(c, s->map, e->layout.low);
	keep_const(e, s->found, 0);
	keep_const(e, s->value, 0);
	size_t absent = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	keep_const(e, s->found, 1);
	if (e->layout.slots[s->value]) {
		expr_field(c, &map->value.fields[0], BPF_REG_0, 0, BPF_REG_1);
		keep(e, s->value, BPF_REG_1);
	}
	code_land(c, absent);
}

static void set(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	const struct raw_record *value = &e->raw->maps[s->map].value;
	put_record(e, value, e->layout.high, &s->operand);
	put_key(e, s);
	map_address(c, s->map);
	stack_address(c, BPF_REG_2, e->layout.low);
	stack_address(c, BPF_REG_3, e->layout.high);
	code_const(c, BPF_REG_4, BPF_ANY);
	call(c, BPF_FUNC_map_update_elem);
	size_t done = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	count_lost(e, s->map);
	code_land(c, done);
}

static void add(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	expr_value(&e->expr, s->operand.t, REG_OPERAND);
	const struct raw_map *map = put_key(e, s);
	lookup(c, s->map, e->layout.low);
	size_t there = jump_if(c, BPF_JNE, BPF_REG_0, 0);
	store_imm(c, BPF_DW, e->layout.high, 0);
	map_address(c, s->map);
	stack_address(c, BPF_REG_2, e->layout.low);
	stack_address(c, BPF_REG_3, e->layout.high);
	code_const(c, BPF_REG_4, BPF_NOEXIST); /* another task may have been first: fine */
	call(c, BPF_FUNC_map_update_elem);
	lookup(c, s->map, e->layout.low);
	size_t made = jump_if(c, BPF_JNE, BPF_REG_0, 0);
	count_lost(e, s->map);
	size_t done = code_add(c, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	code_land(c, there);
	code_land(c, made);
	code_add(c, (uint8_t)(BPF_STX | BPF_ATOMIC | store_size(map->value.fields[0].size)), BPF_REG_0, REG_OPERAND, 0, BPF_ADD);
	code_land(c, done);
}

static void delete(struct raw_emitter *e, const struct step *s)
{
	put_key(e, s);
	map_address(&e->code, s->map);
	stack_address(&e->code, BPF_REG_2, e->layout.low);
	call(&e->code, BPF_FUNC_map_delete_elem);
}

static void out(struct raw_emitter *e, const struct step *s)
{
	struct code *c = &e->code;
	const struct raw_record *record = &e->raw->maps[s->map].value;
	put_record(e, record, e->layout.low, s->args);
	map_address(c, s->map);
	stack_address(c, BPF_REG_2, e->layout.low);
	code_const(c, BPF_REG_3, record->size);
	code_const(c, BPF_REG_4, 0);
	call(c, BPF_FUNC_ringbuf_output);
	size_t done = jump_if(c, BPF_JEQ, BPF_REG_0, 0);
	count_lost(e, s->map);
	code_land(c, done);
}

void raw_step(struct raw_emitter *e, const struct step *s)
{
	switch (s->kind) {
	case STEP_PRINT: print(e, s); return;
	case STEP_TIME:
		call(&e->code, BPF_FUNC_ktime_get_ns);
		keep(e, s->value, BPF_REG_0);
		return;
	case STEP_CPU:
		call(&e->code, BPF_FUNC_get_smp_processor_id);
		keep(e, s->value, BPF_REG_0);
		return;
	case STEP_PEEK: peek(e, s); return;
	case STEP_GET: get(e, s); return;
	case STEP_SET: set(e, s); return;
	case STEP_ADD: add(e, s); return;
	case STEP_DELETE: delete(e, s); return;
	case STEP_OUT: out(e, s); return;
	default: return; /* an IF is for emit.c */
	}
}
