/*
 * Programs as other tools write them (tests/dumps.d, captured from the kernel or written by hand): read as a
 * diagram, they decide each request as an interpreter does; explained as Ruby and compiled again, they are the same
 * function. $DGTEST_DUMPS names another folder with such files: then only these are tried, and counted. With
 * $DGTEST_SHOW what they are explained as is printed, and not compared.
 */
#include "compiler/decode/decode.h"
#include "policy/recover.h"
#include "tests/unit/compiled.h"
#include "tests/unit/interpret.h"
#include "tests/unit/policy_files.h"

/* ---- files -------------------------------------------------------------------------------------------- */

enum { FIRST_MAP = 1000 }; /* its id */

struct shape {
	struct arena *arena;
	const char *path;
	struct dump dump;
	struct bpf_insn *insns;
	struct dump_map *maps;
	struct dump_call *calls;
	size_t maps_cap, insns_cap, calls_cap;
	uint64_t array_head;
	const char *rules; /* lines `= RULE`: what explain says; "" */
};

static size_t hex_of(const char *text, uint8_t *out)
{
	unsigned byte;
	size_t n = 0;
	for (; sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static void read_entry(struct shape *s, const char *key, const char *value)
{
	struct dump_map *m = &s->maps[s->dump.nmaps - 1];
	assert_true(s->dump.nmaps && m->n < m->max_entries);
	assert_int_equal(hex_of(key, (uint8_t *)m->keys + m->n * m->key_size), m->key_size);
	assert_int_equal(hex_of(value, (uint8_t *)m->values + m->n * m->value_size), m->value_size);
	m->n++;
}

static void read_map(struct shape *s, const char *kind, unsigned key, unsigned value, unsigned entries)
{
	const uint32_t id = FIRST_MAP + (uint32_t)s->dump.nmaps;
	*ARENA_PUSH(s->arena, s->maps, s->dump.nmaps, s->maps_cap) = (struct dump_map){
		.id = id, .type = *kind == 'h' ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, .key_size = key,
		.value_size = value, .max_entries = entries, .known = true, .name = "", .keys = arena_alloc(s->arena, (size_t)key * entries + 1),
		.values = arena_alloc(s->arena, (size_t)value * entries + 1)};
}

static void read_call(struct shape *s, unsigned insn, const char *name)
{
	int32_t function = strstr(name, "htab_map_lookup_elem") ? DUMP_HASH_ELEMENT
	                   : strstr(name, "map_lookup_elem")    ? BPF_FUNC_map_lookup_elem
	                                                        : DUMP_UNKNOWN_FUNCTION;
	*ARENA_PUSH(s->arena, s->calls, s->dump.ncalls, s->calls_cap) = (struct dump_call){insn, function, arena_strdup(s->arena, name)};
}

static void read_insn(struct shape *s, unsigned code, unsigned dst, unsigned src, int off, int imm)
{
	bool map = code == (BPF_LD | BPF_DW | BPF_IMM) && src;
	*ARENA_PUSH(s->arena, s->insns, s->dump.ninsns, s->insns_cap) = (struct bpf_insn){
		.code = (uint8_t)code, .dst_reg = dst & 15, .src_reg = src & 15, .off = (int16_t)off, .imm = map ? FIRST_MAP + imm : imm};
}

static void read_line(struct shape *s, const char *line)
{
	unsigned code, dst, src, k, v, n;
	int off, imm;
	char word[64], key[1024], value[4096];
	if (sscanf(line, "insn %u %u %u %d %d", &code, &dst, &src, &off, &imm) == 5)
		read_insn(s, code, dst, src, off, imm);
	else if (sscanf(line, "map %15s %u %u %u", word, &k, &v, &n) == 4)
		read_map(s, word, k, v, n);
	else if (sscanf(line, "entry %1023s %4095s", key, value) == 2)
		read_entry(s, key, value);
	else if (sscanf(line, "call %u %63s", &n, word) == 2)
		read_call(s, n, word);
	else if (!strncmp(line, "= ", 2))
		s->rules = arena_printf(s->arena, "%s%s\n", s->rules, line + 2);
	else if (*line && *line != '#')
		fail_msg("%s: %s", s->path, line);
}

static void read_shape(struct shape *s, char *text)
{
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(s, line);
	s->dump.insns = s->insns;
	s->dump.maps = s->maps;
	s->dump.calls = s->calls ? s->calls : arena_alloc(s->arena, sizeof *s->calls);
	for (size_t i = 0; i + 2 < s->dump.ninsns && !s->array_head; i++)
		if (s->insns[i].code == (BPF_ALU64 | BPF_ADD | BPF_K) && s->insns[i].dst_reg == 1 && s->insns[i + 1].code == (BPF_LDX | BPF_MEM | BPF_W) &&
		    !s->insns[i + 1].dst_reg && s->insns[i + 1].src_reg == 2)
			s->array_head = (uint64_t)s->insns[i].imm;
}

/* ---- every request at a boundary ------------------------------------------------------------------------ */

enum { VALUES = 4096 };
struct values { uint32_t list[VALUES]; size_t n; };

static void around(struct values *v, int64_t k, int64_t most)
{
	for (int64_t x = k - 1; x <= k + 1; x++)
		if (x >= 0 && x <= most && v->n < VALUES)
			v->list[v->n++] = (uint32_t)x;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void once_each(struct values *v)
{
	size_t n = 0;
	assert_true(v->n < VALUES);
	qsort(v->list, v->n, sizeof *v->list, by_value);
	for (size_t i = 0; i < v->n; i++)
		if (!n || v->list[n - 1] != v->list[i])
			v->list[n++] = v->list[i];
	v->n = n;
}

/* A test of engines is of r4, the major number, or r5, the minor; other constants may be of either. */
static void boundaries(const struct shape *s, struct values *majors, struct values *minors)
{
	bool engine = s->dump.ninsns > 6 && s->insns[4].dst_reg == 4 && s->insns[4].off == 4 && s->insns[5].dst_reg == 5 && s->insns[5].off == 8;
	majors->n = minors->n = 0;
	around(majors, 0, MAJOR_MAX);
	around(majors, MAJOR_MAX, MAJOR_MAX);
	around(minors, 0, MINOR_MAX);
	around(minors, MINOR_MAX, MINOR_MAX);
	for (size_t i = 0; i < s->dump.ninsns; i++) {
		const struct bpf_insn *in = &s->insns[i];
		if (!engine || in->dst_reg == 4)
			around(majors, in->imm, MAJOR_MAX);
		if (!engine || in->dst_reg == 5)
			around(minors, in->imm, MINOR_MAX);
	}
	for (const struct dump_map *m = s->maps; m < s->maps + s->dump.nmaps; m++)
		for (size_t at = 0; m->type == BPF_MAP_TYPE_HASH && at + 4 <= m->n * m->key_size; at += 4) {
			uint32_t word;
			memcpy(&word, m->keys + at, sizeof word);
			around(majors, word, MAJOR_MAX);
			around(minors, word, MINOR_MAX);
		}
	once_each(majors);
	once_each(minors);
}

static size_t ask_boundaries(const struct shape *s, struct diagrams *dg, node verdict)
{
	static struct values majors, minors;
	size_t asked = 0;
	boundaries(s, &majors, &minors);
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (int access = 0; access <= ACC_ALL; access++)
			for (size_t i = 0; i < majors.n; i++)
				for (size_t k = 0; k < minors.n; k++, asked++) {
					const int64_t in[INPUT_MAX] = {[IN_TYPE] = type, [IN_REQUESTED] = access, [IN_MAJOR] = majors.list[i], [IN_MINOR] = minors.list[k]};
					const char *wrong;
					int missing, allow = interpret(&s->dump, s->array_head, (uint32_t)(access << 16 | type), majors.list[i], minors.list[k], &wrong);
					outcome o = diagram_eval(dg, verdict, in, ~(input_set)0, &missing);
					if (allow < 0)
						fail_msg("%s: %s", s->path, wrong);
					if (missing >= 0 || allow != (o == OUT_ALLOW))
						fail_msg("%s: %s %u:%u access %d is %s", s->path, type == DEV_BLOCK ? "b" : "c", majors.list[i], minors.list[k], access,
						         allow ? "allowed" : "denied");
				}
	return asked;
}

/* ---- the whole -------------------------------------------------------------------------------------------- */

static size_t shapes, requests;

/* Of what the kernel asks: it never asks for m together with others. */
static node asked_alone(struct diagrams *dg, node verdict)
{
	static const struct edge accesses[] = {{2, 0}, {3, 1}, {4, 0}, {5, 1}, {6, 0}, {7, 1}};
	struct edge edges[COUNT(accesses)];
	for (size_t i = 0; i < COUNT(accesses); i++)
		edges[i] = (struct edge){accesses[i].hi, diagram_terminal(accesses[i].to ? OUT_PASS : OUT_ALLOW)};
	edges[COUNT(edges) - 1].hi = diagram_var_max(dg, IN_REQUESTED);
	node asked = diagram_switch(dg, IN_REQUESTED, edges, COUNT(edges));
	return diagram_ite(dg, asked, verdict, diagram_terminal(OUT_DENY));
}

/* The Ruby that explains it, compiled: one node, in one set of diagrams. */
static void compile_again(const struct shape *s, const char *text)
{
	struct compiled c = compiled_of(text);
	struct decoded again;
	if (decode_program(c.arena, &c.diags, s->path, &s->dump, c.pd.dg, c.policy->terms, 0, &again))
		fail_msg("%s", c.diags.items[c.diags.n - 1].text);
	if (asked_alone(c.pd.dg, again.verdict) != asked_alone(c.pd.dg, c.pd.verdict))
		fail_msg("%s: what it is explained as is something else:\n%s", s->path, text);
	compiled_free(&c);
}

static void try_shape(const char *path, char *text)
{
	struct shape s = {.arena = arena_new(), .path = path, .rules = ""};
	struct diags d;
	struct decoded out;
	struct policy *p;
	const char *ruby;
	bool in_ruby;
	diags_init(&d, s.arena);
	read_shape(&s, text);
	struct terms *ts = terms_new(s.arena);
	struct diagrams *dg = diagrams_new(s.arena, ts, ORDER_FACTS_LAST);
	if (decode_program(s.arena, &d, path, &s.dump, dg, ts, 0, &out) ||
	    policy_recover(s.arena, &d, path, NULL, dg, ts, out.verdict, &p, &ruby, &in_ruby))
		fail_msg("%s", d.items[d.n - 1].text);
	if (getenv("DGTEST_SHOW"))
		print_message("%s:\n%s", path, ruby);
	else if (out.unknown || !in_ruby)
		fail_msg("%s: not all of it is understood", path);
	else if (*s.rules)
		assert_string_equal(ruby, s.rules);
	requests += ask_boundaries(&s, dg, out.verdict);
	compile_again(&s, ruby);
	shapes++;
	arena_free(s.arena);
}

static void test_shapes(void **state)
{
	const char *root = getenv("DGTEST_ROOT"), *other = getenv("DGTEST_DUMPS");
	char pattern[PATH_MAX];
	glob_t found;
	(void)state;
	if (!root && !other)
		skip();
	snprintf(pattern, sizeof pattern, "%s%s/*.dump", other ? other : root, other ? "" : "/tests/dumps.d");
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t k = 0; k < found.gl_pathc; k++) {
		struct file_text text = {0};
		int fd = open(found.gl_pathv[k], O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(read_text(fd, 16 << 20, &text), 0);
		close(fd);
		try_shape(found.gl_pathv[k], text.data);
		free(text.data);
	}
	globfree(&found);
	print_message("%zu programs, %zu requests\n", shapes, requests);
	assert_true(other || shapes > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
