/*
 * btf.c - BTF for a program: types of its .rodata and its function (.BTF), and
 * the policy's lines (.BTF.ext), as bytes; and the lines read back.
 *
 * The kernel drops a BTF it dislikes without a word, and then shows no lines and
 * no metadata. So: identifiers only, every parameter named, the first line
 * record at instruction 0, offsets ascending and never inside an ldimm64. Types
 * are laid out by libbpf, which makes no system call for that.
 */
#include "compiler/object/btf.h"
#include "policy/event.h"

#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ------------------------------------------------------------------------ */

static int char_array(struct types *t, size_t n)
{
	return types_added(t, btf__add_array(t->btf, t->u32, t->chr, (uint32_t)n));
}

static int context_type(struct types *t)
{
	int ctx = types_added(t, btf__add_struct(t->btf, "bpf_cgroup_dev_ctx", 12));
	types_field(t, "access_type", t->u32, 0);
	types_field(t, "major", t->u32, 4);
	types_field(t, "minor", t->u32, 8);
	return ctx;
}

/* int FUNCTION(struct bpf_cgroup_dev_ctx *ctx); of a tracing program (void *ctx) */
static int function_type(struct types *t, const struct policy *p, const char *function)
{
	bool traces = p->raw && p->raw->section != RAW_DEVICE;
	int pointer = types_added(t, btf__add_ptr(t->btf, traces ? 0 : context_type(t)));
	int proto = types_added(t, btf__add_func_proto(t->btf, t->s32));
	types_added(t, btf__add_func_param(t->btf, "ctx", pointer));
	return types_added(t, btf__add_func(t->btf, function, BTF_FUNC_GLOBAL, proto));
}

static int header_type(struct types *t)
{
	int name = char_array(t, IMAGE_NAME_MAX);
	int tool = char_array(t, sizeof((struct image_header *)0)->tool);
	int id = types_added(t, btf__add_struct(t->btf, "image_header", sizeof(struct image_header)));
	types_field(t, "magic", t->u64, offsetof(struct image_header, magic));
	types_field(t, "version", t->u32, offsetof(struct image_header, version));
	types_field(t, "size", t->u32, offsetof(struct image_header, size));
	types_field(t, "name", name, offsetof(struct image_header, name));
	types_field(t, "tool", tool, offsetof(struct image_header, tool));
	types_field(t, "nrules", t->u32, offsetof(struct image_header, nrules));
	types_field(t, "nparams", t->u32, offsetof(struct image_header, nparams));
	types_field(t, "digest", t->u64, offsetof(struct image_header, digest));
	types_field(t, "audit", t->u32, offsetof(struct image_header, audit));
	types_field(t, "mode", t->u32, offsetof(struct image_header, mode));
	types_field(t, "generation", t->u32, offsetof(struct image_header, generation));
	types_field(t, "features", t->u32, offsetof(struct image_header, features));
	return id;
}

static int variable_type(struct types *t, const struct variable *v)
{
	switch (v->kind) {
	case VARIABLE_HEADER:
		return header_type(t);
	case VARIABLE_PARAM:
		return t->s64;
	default:
		return char_array(t, v->size);
	}
}

static void rodata_types(struct types *t, const struct variable *vars, size_t nvars)
{
	int ids[VARIABLES_MAX];
	for (size_t i = 0; i < nvars; i++) {
		int type = variable_type(t, &vars[i]);
		ids[i] = types_added(t,
		               btf__add_var(t->btf, vars[i].name, BTF_VAR_GLOBAL_ALLOCATED, type));
	}
	const struct variable *last = &vars[nvars - 1];
	types_added(t, btf__add_datasec(t->btf, ".rodata", last->offset + last->size));
	for (size_t i = 0; i < nvars; i++)
		types_added(t, btf__add_datasec_var_info(t->btf, ids[i], vars[i].offset, vars[i].size));
}

/* ---- maps ------------------------------------------------------------------------- */

static const struct map_definition reporting[] = {
#define MAP(id, name, type, key, value, entries, flags) \
	{#name, BPF_MAP_TYPE_##type, key, value, entries, flags, NULL, TARGET_##id},
#include "policy/maps.def"
};
enum { REPORTING = sizeof reporting / sizeof *reporting, MAPS_MAX = REPORTING + 1 + RAW_MAPS_MAX };

static uint32_t raw_type(enum raw_map_kind kind)
{
	switch (kind) {
	case RAW_TABLE: return BPF_MAP_TYPE_HASH;
	case RAW_PERCPU: return BPF_MAP_TYPE_PERCPU_HASH;
	case RAW_RING: return BPF_MAP_TYPE_RINGBUF;
	default: return BPF_MAP_TYPE_ARRAY;
	}
}

static const struct map_definition who = {
	WHO_MAP_NAME, BPF_MAP_TYPE_HASH, sizeof(struct who_key), sizeof(uint64_t), WHO_ENTRIES,
	BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG, NULL, TARGET_WHO,
};

const struct map_definition *object_maps(struct arena *a, const struct policy *p, bool asks_who, size_t *n)
{
	size_t first = p->audit != AUDIT_NONE ? REPORTING : 0, more = p->raw ? p->raw->nmaps : 0;
	struct map_definition *maps = arena_alloc(a, (first + 1 + more) * sizeof *maps);
	for (*n = 0; *n < first; ++*n)
		maps[*n] = reporting[*n];
	if (asks_who)
		maps[(*n)++] = who;
	for (size_t i = 0; i < more; i++) {
		const struct raw_map *m = &p->raw->maps[i];
		maps[(*n)++] = (struct map_definition){.name = m->name, .type = raw_type(m->kind), .max_entries = m->entries,
		                                       .raw = m, .target = TARGET_RAW_MAP + (uint32_t)i};
	}
	return maps;
}

static bool has_types(const struct map_definition *m)
{
	return m->raw && m->raw->kind != RAW_RING;
}

static size_t map_fields(const struct map_definition *m, const char *names[MAP_FIELDS],
                         uint32_t values[MAP_FIELDS])
{
	const char *const all[] = {"type", "key_size", "value_size", "max_entries", "map_flags"};
	const uint32_t given[] = {m->type, m->key_size, m->value_size, m->max_entries, m->flags};
	size_t n = 0;
	for (size_t i = 0; i < MAP_FIELDS; i++)
		if (given[i]) {
			names[n] = all[i];
			values[n++] = given[i];
		}
	return n;
}

size_t map_definition_size(const struct map_definition *m)
{
	const char *names[MAP_FIELDS];
	uint32_t values[MAP_FIELDS];
	return (map_fields(m, names, values) + (has_types(m) ? 2 : 0)) * sizeof(uint64_t);
}

static int number_type(struct types *t, const struct raw_field *f)
{
	static const struct { const char *name; size_t size; bool is_signed; } kinds[] = {
		{"unsigned char", 1, false}, {"signed char", 1, true}, {"unsigned short", 2, false}, {"short", 2, true}};
	if (f->size >= 4)
		return f->size == 4 ? (f->is_signed ? t->s32 : t->u32) : (f->is_signed ? t->s64 : t->u64);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].size != f->size || kinds[i].is_signed != f->is_signed)
			continue;
		int known = btf__find_by_name_kind(t->btf, kinds[i].name, BTF_KIND_INT);
		int encoding = f->is_signed ? BTF_INT_SIGNED : 0;
		return known > 0 ? known : types_added(t, btf__add_int(t->btf, kinds[i].name, kinds[i].size, encoding));
	}
	return types_added(t, -EINVAL);
}

static int field_type(struct types *t, const struct raw_field *f)
{
	return f->size == COMM_SIZE ? char_array(t, COMM_SIZE) : number_type(t, f);
}

/* A key or value. A number alone is a number, which the kernel wants for the keys of arrays. */
static int record_type(struct types *t, const struct raw_record *r, bool alone)
{
	int types[RAW_ARGS];
	if (!r->n || r->n > RAW_ARGS)
		return types_added(t, -EINVAL);
	for (size_t i = 0; i < r->n; i++)
		types[i] = field_type(t, &r->fields[i]);
	if (alone && r->n == 1)
		return types[0];
	int id = types_added(t, btf__add_struct(t->btf, NULL, r->size));
	for (size_t i = 0; i < r->n; i++)
		types_field(t, r->fields[i].name, types[i], r->fields[i].offset);
	return id;
}

/* libbpf takes a number as the length of an array, int (*max_entries)[8], and a type as a pointer to it. */
static int map_type(struct types *t, const struct map_definition *m)
{
	const char *names[MAP_FIELDS + 2];
	uint32_t values[MAP_FIELDS];
	int types[MAP_FIELDS + 2];
	size_t n = map_fields(m, names, values);
	for (size_t i = 0; i < n; i++) {
		int array = types_added(t, btf__add_array(t->btf, t->u32, t->s32, values[i]));
		types[i] = types_added(t, btf__add_ptr(t->btf, array));
	}
	if (has_types(m)) {
		bool hash = m->raw->kind == RAW_TABLE || m->raw->kind == RAW_PERCPU;
		names[n] = "key";
		types[n++] = types_added(t, btf__add_ptr(t->btf, record_type(t, &m->raw->key, !hash)));
		names[n] = "value";
		types[n++] = types_added(t, btf__add_ptr(t->btf, record_type(t, &m->raw->value, true)));
	}
	int id = types_added(t, btf__add_struct(t->btf, NULL, (uint32_t)(n * sizeof(uint64_t))));
	for (size_t i = 0; i < n; i++)
		types_field(t, names[i], types[i], i * sizeof(uint64_t));
	return id;
}

static void maps_types(struct types *t, const struct map_definition *maps, size_t n)
{
	int ids[MAPS_MAX];
	uint32_t size = 0;
	if (n > MAPS_MAX) {
		types_added(t, -E2BIG);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int type = map_type(t, &maps[i]);
		ids[i] = types_added(t, btf__add_var(t->btf, maps[i].name, BTF_VAR_GLOBAL_ALLOCATED, type));
		size += (uint32_t)map_definition_size(&maps[i]);
	}
	types_added(t, btf__add_datasec(t->btf, ".maps", size));
	size = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t len = (uint32_t)map_definition_size(&maps[i]);
		types_added(t, btf__add_datasec_var_info(t->btf, ids[i], size, len));
		size += len;
	}
}

/* ---- lines -------------------------------------------------------------------------- */

/* The lines as the kernel takes them: the first at instruction 0, ascending, at
 * the beginning of an instruction (one in the middle begins after it). */
static struct image_line *plan_lines(struct arena *a, const struct image *image, const bool *starts,
                                     int default_line, size_t *n)
{
	struct image_line *plan = arena_alloc(a, (image->nlines + 1) * sizeof *plan);
	plan[0] = image->nlines ? image->lines[0] : (struct image_line){.line = default_line};
	plan[0].insn = 0;
	*n = 1;
	for (size_t i = 1; i < image->nlines; i++) {
		struct image_line l = image->lines[i];
		if (l.insn < image->ninsns && !starts[l.insn])
			l.insn++;
		if (l.insn >= image->ninsns || l.insn <= plan[*n - 1].insn)
			continue;
		plan[(*n)++] = l;
	}
	return plan;
}

/* Which rule a line belongs to: rules sorted by file and line, the first one of a line first. */
struct line_rule {
	uint32_t file;
	int line;
	uint32_t rule;
};

static int by_line(const void *x, const void *y)
{
	const struct line_rule *a = x, *b = y;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static struct line_rule *index_rules(struct arena *a, const struct policy *p)
{
	const uint32_t *files = policy_files(a, p);
	struct line_rule *index = arena_alloc(a, p->nrules * sizeof *index);
	for (size_t i = 0; i < p->nrules; i++)
		index[i] = (struct line_rule){files[i], p->rules[i].at.line, (uint32_t)i};
	qsort(index, p->nrules, sizeof *index, by_line);
	return index;
}

static const char *line_text(const struct policy *p, const struct line_rule *index, uint32_t file, int line)
{
	const struct line_rule wanted = {file, line, 0};
	size_t lo = 0, hi = p->nrules;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (by_line(&index[mid], &wanted) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < p->nrules && index[lo].file == file && index[lo].line == line) {
		const char *source = p->rules[index[lo].rule].source;
		return source ? source : "";
	}
	if (file || line != p->default_at.line)
		return "";
	return p->default_allow ? "default :allow" : "default :deny";
}

enum {
	STRINGS_MAX = 8 << 20, /* the kernel takes 16 MB of BTF: further lines have no text */
};

static void put_line_records(struct buffer *b, struct types *t, const struct policy *p,
                             const struct line_rule *index, const struct image_line *lines,
                             size_t n)
{
	const uint32_t head[] = {RECORD_LINE, types_text(t, object_section(p)), (uint32_t)n};
	buffer_put(b, head, sizeof head);
	uint32_t file = types_text(t, policy_file(p, 0)), last = file, of = 0;
	for (size_t i = 0; i < n && !t->error; i++) {
		uint32_t line = lines[i].line < 0 ? 0 : (uint32_t)lines[i].line;
		if (line > UINT32_MAX >> LINE_BITS)
			line = UINT32_MAX >> LINE_BITS;
		if (lines[i].file != of) {
			of = lines[i].file;
			file = types_text(t, policy_file(p, of));
		}
		uint32_t text = types_text(t, last < STRINGS_MAX ? line_text(p, index, of, (int)line) : "");
		const uint32_t record[] = {lines[i].insn * 8, file, text, line << LINE_BITS};
		buffer_put(b, record, sizeof record);
		last = text > last ? text : last;
	}
}

/* The functions of .BTF.ext. */
static void put_funcs(struct buffer *b, struct types *t, const char *name, int function)
{
	const uint32_t funcs[] = {RECORD_FUNC, types_text(t, name), 1, 0, (uint32_t)function};
	buffer_put(b, funcs, sizeof funcs);
}

/* The parts of a .BTF.ext one behind the other, below a head that says where they are. */
static struct bytes make_ext(struct arena *a, const struct buffer parts[], size_t n)
{
	struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t size;
	} start = {BTF_MAGIC, BTF_VERSION, 0, (uint32_t)(sizeof start + 8 * n)};
	struct buffer b = {.arena = a};
	uint32_t at = 0;
	buffer_put(&b, &start, sizeof start);
	for (size_t i = 0; i < n; i++) {
		const uint32_t place[] = {at, (uint32_t)parts[i].n};
		buffer_put(&b, place, sizeof place);
		at += place[1];
	}
	for (size_t i = 0; i < n; i++)
		buffer_put(&b, parts[i].data, parts[i].n);
	return (struct bytes){b.data, b.n};
}

int btf_sections(const struct policy *p, const struct image *image, const struct text *text, const bool *starts,
                 const char *function, const struct variable *vars, size_t nvars,
                 const struct map_definition *maps, size_t nmaps, struct diags *d,
                 struct bytes *types, struct bytes *ext)
{
	enum { FUNCS, LINES, RECORDS, PARTS };
	size_t nlines;
	struct image_line *lines = plan_lines(d->arena, image, starts, p->default_at.line, &nlines);
	struct line_rule *index = index_rules(d->arena, p);
	struct buffer parts[PARTS] = {{.arena = d->arena}, {.arena = d->arena}, {.arena = d->arena}};
	struct task_types task;
	struct types t = types_begin(d->arena);
	if (text->n)
		types_task(&t, d->arena, &task);
	int id = function_type(&t, p, function);
	rodata_types(&t, vars, nvars);
	if (nmaps)
		maps_types(&t, maps, nmaps);
	put_funcs(&parts[FUNCS], &t, object_section(p), id);
	put_line_records(&parts[LINES], &t, p, index, lines, nlines);
	if (text->n) {
		put_text_funcs(&parts[FUNCS], &t, &task, text);
		put_text_lines(&parts[LINES], &t, &task, text);
		put_text_records(&parts[RECORDS], &task, text);
	}
	*ext = make_ext(d->arena, parts, text->n ? PARTS : RECORDS);
	if (types_finish(&t, d->arena, types))
		return diag_fail(d, "split the policy", "cannot make the program's types: libbpf refuses them: %s",
		                 strerror(t.error));
	return 0;
}
