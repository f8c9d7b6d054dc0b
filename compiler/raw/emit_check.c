/*
 * emit_check.c - what can be no program: what the kernel refuses to load, said at its line, and what
 * no file can say.
 */
#include "compiler/raw/emit.h"

#include <asm/ptrace.h>
#include <string.h>

enum { RAW_TRACEPOINT_BYTES = 12 * 8, TRACEPOINT_BYTES = 8192, TRACEPOINT_FIRST = 8 };

struct checker {
	struct arena *arena; /* of the check alone */
	const struct policy *policy;
	const struct raw *raw;
	struct diags *d;
	bool gpl;       /* is the license one */
	bool *made;     /* by value */
	bool *seen;     /* by term: below a step before */
	term *todo;
	size_t ntodo, todo_cap;
	const struct step *step; /* NULL: the result */
};

static int refuse(const struct checker *c, const char *hint, const char *text)
{
	diag_add(c->d, DIAG_ERROR, c->step ? c->step->at : c->raw->at, hint, "%s", text);
	return -1;
}

static int broken(const struct checker *c, const char *text)
{
	return refuse(c, "this is a bug of the compiler: please report it with the program", text);
}

/* As the kernel compares the text of a license. */
static bool is_gpl(const char *license)
{
	static const char *const texts[] = {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
	                                    "Dual MIT/GPL", "Dual MPL/GPL"};
	for (size_t i = 0; license && i < sizeof texts / sizeof *texts; i++)
		if (!strcmp(license, texts[i]))
			return true;
	return !license;
}

/* ---- values ------------------------------------------------------------------------------- */

/* NULL, or why the kernel lets no program of this section load the field. */
static const char *field_refused(const struct checker *c, const struct raw_field *f)
{
	uint64_t end = (uint64_t)f->offset + f->size;
	if (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8)
		return "only a number of 1, 2, 4 or 8 bytes can be read";
	if (f->offset % f->size)
		return "its offset must be a multiple of its size";
	switch (c->raw->section) {
	case RAW_KPROBE:
	case RAW_KRETPROBE:
		return end > sizeof(struct pt_regs)
		       ? arena_printf(c->d->arena, "the registers of a probe have %zu bytes", sizeof(struct pt_regs)) : NULL;
	case RAW_TRACEPOINT:
		if (f->offset < TRACEPOINT_FIRST)
			return "the first 8 bytes of a tracepoint are the kernel's own";
		return end > TRACEPOINT_BYTES ? "the kernel gives 8192 bytes of a tracepoint" : NULL;
	case RAW_RAW_TRACEPOINT:
		return end > RAW_TRACEPOINT_BYTES ? "a raw tracepoint has 12 arguments of 8 bytes" : NULL;
	default: return end > 12 || f->size != 4 ? "the request of a device has three numbers of 4 bytes" : NULL;
	}
}

static int check_value(const struct checker *c, uint32_t number)
{
	if (number >= c->raw->nvalues)
		return broken(c, "a value is read that is none");
	const struct raw_value *v = &c->raw->values[number];
	if (!v->is_field)
		return c->made[number] ? 0 : broken(c, arena_printf(c->d->arena, "%s is read before it is there", v->name));
	const char *why = field_refused(c, &v->field);
	if (!why)
		return 0;
	return refuse(c, "give the class the attrs that the kernel's structure has, in their order",
	              arena_printf(c->d->arena, "the kernel does not let this program read %s, %d bytes at offset %u: %s", v->name,
	                           v->field.size, v->field.offset, why));
}

static void push(struct checker *c, term t)
{
	if (c->seen[t])
		return;
	c->seen[t] = true;
	*ARENA_PUSH(c->arena, c->todo, c->ntodo, c->todo_cap) = t;
}

/* Every term is looked at where it is first read. */
static int check_term(struct checker *c, term t)
{
	if (t >= terms_count(c->policy->terms))
		return broken(c, "a term that is none");
	push(c, t);
	while (c->ntodo) {
		const struct term_node *n = term_get(c->policy->terms, c->todo[--c->ntodo]);
		term below[3];
		int64_t value = raw_value_of(n);
		bool device = n->op == TERM_INPUT && n->a <= IN_MINOR, param = n->op == TERM_INPUT && value < 0 && n->a >= IN_PARAM_0;
		if (value >= 0 && check_value(c, (uint32_t)value))
			return -1;
		if ((device && (c->raw->section != RAW_DEVICE || n->a == IN_ACCESS)) ||
		    (param && n->a - IN_PARAM_0 >= c->policy->nparams))
			return broken(c, "an input is read that this section does not have");
		for (size_t k = term_operands(n, below); k-- > 0;)
			push(c, below[k]);
	}
	return 0;
}

/* ---- steps ---------------------------------------------------------------------------------- */

static bool fits(const struct raw_record *r, const struct raw_operand *of, size_t n)
{
	uint64_t end = 0;
	if (r->n != n || r->size > RAW_RECORD_MAX || n > RAW_ARGS)
		return false;
	for (size_t i = 0; i < n; end = (uint64_t)r->fields[i].offset + r->fields[i].size, i++) {
		const struct raw_field *f = &r->fields[i];
		bool number = f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8;
		if (of[i].is_comm ? f->size != COMM_SIZE : !number || f->offset % f->size)
			return false;
		if (f->offset < end || (uint64_t)f->offset + f->size > r->size)
			return false;
	}
	return true;
}

static bool is_number(const struct raw_record *r)
{
	return r->n == 1 && !r->fields[0].offset && r->fields[0].size <= 8;
}

static bool is_lost_map_there(const struct raw *r)
{
	for (size_t i = 0; i < r->nmaps; i++)
		if (r->maps[i].kind == RAW_LOST)
			return true;
	return false;
}

/* Steps on maps: NULL, or what is wrong. */
static const char *map_wrong(const struct checker *c, const struct step *s)
{
	const struct raw *r = c->raw;
	if (s->map >= r->nmaps)
		return "a map that is none";
	const struct raw_map *map = &r->maps[s->map];
	bool ring = map->kind == RAW_RING;
	if (ring != (s->kind == STEP_OUT) || map->kind == RAW_LOST)
		return "a map of another kind";
	if (!fits(ring ? &map->value : &map->key, s->args, s->nargs))
		return "a key or record of another shape";
	if (s->kind != STEP_GET && s->kind != STEP_DELETE && !is_lost_map_there(r))
		return "no map that counts what finds no place";
	if (s->kind == STEP_SET && !fits(&map->value, &s->operand, 1))
		return "a value of another shape";
	if ((s->kind == STEP_GET || s->kind == STEP_ADD) && !is_number(&map->value))
		return "the value of this map is no number";
	return NULL;
}

static int check_values_made(struct checker *c, const struct step *s)
{
	uint32_t made[2] = {s->value, s->found};
	for (size_t i = 0; i < (s->kind == STEP_GET ? 2 : 1); i++) {
		if (made[i] >= c->raw->nvalues || c->raw->values[made[i]].is_field || c->made[made[i]])
			return broken(c, "a step makes a value that is none of its own");
		c->made[made[i]] = true;
	}
	return 0;
}

static int check_license(const struct checker *c, const char *what)
{
	if (c->gpl)
		return 0;
	return refuse(c, "write license! \"GPL\", or leave license! out for \"Dual MIT/GPL\"",
	              arena_printf(c->d->arena, "the kernel gives %s to programs under the GPL only, and the license here is \"%s\"",
	                           what, c->raw->license));
}

static int check_operands(struct checker *c, const struct step *s)
{
	for (size_t i = 0; i < s->nargs; i++)
		if (!s->args[i].is_comm && check_term(c, s->args[i].t))
			return -1;
	if ((s->kind == STEP_SET || s->kind == STEP_ADD) && !s->operand.is_comm && check_term(c, s->operand.t))
		return -1;
	return s->kind == STEP_IF ? check_term(c, s->condition) : 0;
}

static int check_map_step(struct checker *c, const struct step *s)
{
	const char *wrong = map_wrong(c, s);
	if (wrong)
		return broken(c, wrong);
	const struct raw_map *map = &c->raw->maps[s->map];
	if (s->kind == STEP_ADD && map->value.fields[0].size < 4)
		return refuse(c, "make it :u32 or :u64", arena_printf(c->d->arena,
		              "the kernel adds to 4 or 8 bytes, and a value of %s has %d", map->name, map->value.fields[0].size));
	return 0;
}

static int check_kind(struct checker *c, const struct step *s)
{
	const uint8_t size = s->peek.size;
	switch (s->kind) {
	case STEP_PRINT:
		if (s->nargs > RAW_PRINT_ARGS || s->ntext >= RAW_PRINT_MAX)
			return broken(c, "a text to print that is too long");
		return check_license(c, "bpf_trace_printk");
	case STEP_PEEK:
		if (s->nargs != 1 || s->args[0].is_comm || (size != 1 && size != 2 && size != 4 && size != 8) || s->peek.offset > INT32_MAX)
			return broken(c, "a field of a kernel structure that is no number");
		if (c->raw->section == RAW_DEVICE)
			return refuse(c, "read it in a tracing program",
			              "a device program may not read structures of the kernel");
		return check_license(c, "bpf_probe_read_kernel");
	case STEP_TIME:
	case STEP_CPU:
	case STEP_IF: return s->nargs ? broken(c, "a step with operands that it does not have") : 0;
	case STEP_GET ... STEP_OUT: return check_map_step(c, s);
	default: return broken(c, "a step of an unknown kind");
	}
}

static int check_list(struct checker *c, const struct step *first)
{
	for (const struct step *s = first; s; s = s->next) {
		c->step = s;
		if (check_kind(c, s) || check_operands(c, s))
			return -1;
		bool makes = step_learns(s);
		if (makes && check_values_made(c, s))
			return -1;
		if (s->kind == STEP_IF && (check_list(c, s->yes) || check_list(c, s->no)))
			return -1;
	}
	return 0;
}

int raw_check(const struct policy *p, struct diags *d)
{
	const struct raw *r = p->raw;
	struct arena *scratch = arena_scratch(p->arena);
	struct checker c = {.arena = scratch, .policy = p, .raw = r, .d = d, .gpl = is_gpl(r->license)};
	c.made = arena_alloc(scratch, r->nvalues + 1);
	c.seen = arena_alloc(scratch, terms_count(p->terms) + 1);
	int failed = check_list(&c, r->steps);
	c.step = NULL;
	if (!failed && r->section != RAW_DEVICE)
		failed = check_term(&c, r->result);
	for (size_t k = 0; k < r->nasked && !failed; k++)
		failed = check_value(&c, r->asked[k]);
	if (!failed && r->nasked + p->nparams > INPUT_MAX - IN_PARAM_0)
		failed = broken(&c, "more values decide than there are inputs");
	arena_free(scratch);
	return failed;
}
