/*
 * test_object.c - objects: what is written is read back equal, and libbpf opens
 * it, whatever the policy, its parameters and lines are called.
 */
#include "tests/unit/object_sample.h"
#include "policy/cases.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static void assert_span(struct span x, struct span y)
{
	same_text("file", y.file, x.file);
	assert_int_equal(x.line, y.line);
	assert_int_equal(x.column, y.column);
}

/* The same function, tried on values all over. */
static void assert_term(const struct policy *p, term x, const struct policy *q, term y)
{
	uint64_t seed = 1;
	for (int i = 0; i < 200; i++) {
		int64_t in[INPUT_MAX] = {0};
		for (int k = 0; k < INPUT_MAX; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			in[k] = (int64_t)(seed >> 33) % (i % 2 ? 4 : 1 << 20);
		}
		in[IN_MAJOR] = i % 3 ? 195 : 1;
		in[IN_PARAM_0] &= 15;
		in[IN_TYPE] = 1 + (in[IN_TYPE] & 1);
		assert_int_equal(term_eval(p->terms, x, in), term_eval(q->terms, y, in));
	}
}

static void assert_rule(const struct policy *p, const struct rule *x, const struct policy *q,
                        const struct rule *y)
{
	assert_int_equal(x->deny, y->deny);
	assert_span(x->at, y->at);
	same_text("label", y->label, x->label);
	same_text("source", y->source, x->source);
	assert_int_equal(y->block, -1);
	assert_term(p, x->devices, q, y->devices);
	assert_term(p, x->match, q, y->match);
	assert_int_equal(x->npatterns, y->npatterns);
	for (size_t i = 0; i < x->npatterns; i++) {
		assert_int_equal(x->patterns[i].types, y->patterns[i].types);
		assert_int_equal(x->patterns[i].access, y->patterns[i].access);
		assert_int_equal(x->patterns[i].minors[0].hi, y->patterns[i].minors[0].hi);
		same_text("text", y->patterns[i].text, x->patterns[i].text);
	}
	assert_int_equal(x->nraises, y->nraises);
	for (size_t i = 0; i < x->nraises; i++) {
		assert_term(p, x->raises[i].when, q, y->raises[i].when);
		assert_span(x->raises[i].at, y->raises[i].at);
		same_text("what", y->raises[i].what, x->raises[i].what);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = sample(s.arena), *q;
	struct image img;
	struct bytes o = write_object(s.arena, p, &image), again;
	assert_true(object_is(o.data, o.len));
	assert_int_equal(object_read(s.arena, diags_of(&s), "x.o", o.data, o.len, &q, &img), 0);

	same_text("name", q->name, p->name);
	same_text("file", q->file, p->file);
	assert_int_equal(p->default_allow, q->default_allow);
	assert_span(p->default_at, q->default_at);
	assert_int_equal(q->nparams, 2);
	same_text("name", q->params[1].name, "low");
	assert_int_equal(q->params[0].hi, 15);
	assert_int_equal(q->params[1].lo, INT64_MIN);
	assert_int_equal(q->params[1].value, -5);
	assert_int_equal(p->nrules, q->nrules);
	for (size_t i = 0; i < p->nrules; i++)
		assert_rule(p, &p->rules[i], q, &q->rules[i]);
	assert_int_equal(p->nclaims, q->nclaims);
	for (size_t i = 0; i < p->nclaims; i++) {
		assert_int_equal(p->claims[i].always, q->claims[i].always);
		assert_rule(p, &p->claims[i].what, q, &q->claims[i].what);
	}

	assert_int_equal(img.ninsns, NCODE);
	assert_memory_equal(img.insns, code, sizeof code);
	assert_int_equal(img.longest, LONGEST);
	assert_int_equal(img.nlines, 4);
	assert_memory_equal(img.lines, lines, sizeof lines);
	assert_int_equal(img.nrelocs, 2);
	assert_int_equal(img.relocs[0].insn, 0);
	assert_int_equal(img.relocs[0].target, 1);
	assert_int_equal(img.relocs[1].insn, 3);
	assert_int_equal(img.relocs[1].target, 0);

	again = write_object(s.arena, q, &img);
	assert_int_equal(again.len, o.len);
	assert_memory_equal(again.data, o.data, o.len);
	arena_free(s.arena);
}

/* A policy without claims is written as it was before there were any; with the newer number, or with the older one
 * and claims behind its rules, it is refused. */
static void test_claims_or_none(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = sample(s.arena), *q;
	struct buffer with = {.arena = s.arena}, without = with;
	uint64_t digest, other;
	assert_int_equal(serial_write(p, diags_of(&s), &with, &digest), 0);
	p->nclaims = 0;
	assert_int_equal(serial_write(p, diags_of(&s), &without, &other), 0);
	assert_true(digest != other);
	assert_int_equal(with.data[4], SERIAL_WITH_CLAIMS);
	assert_int_equal(without.data[4], SERIAL_RULES_ONLY);
	assert_int_equal(serial_read(s.arena, diags_of(&s), "x.o", without.data, without.n, &q, &digest), 0);
	assert_int_equal(q->nclaims, 0);
	struct buffer *const both[] = {&with, &without};
	for (size_t i = 0; i < COUNT(both); i++) {
		unsigned char *b = both[i]->data;
		size_t body = both[i]->n - SERIAL_CHECK_SIZE;
		b[4] = i ? SERIAL_WITH_CLAIMS : SERIAL_RULES_ONLY;
		uint64_t sum = serial_digest(b, body);
		memcpy(b + body, &sum, sizeof sum);
		assert_int_equal(serial_read(s.arena, diags_of(&s), "x.o", b, both[i]->n, &q, &digest), -1);
	}
	arena_free(s.arena);
}

/* (minor + major) * major == 3 and minor < major, its terms made forwards or backwards,
 * with others between that no rule needs. */
static struct policy *in_order(struct arena *a, bool backwards)
{
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a, .terms = terms_new(a), .name = "order", .file = "order.rb"};
	p->nparams = p->params_cap = 2; /* that `image` reads */
	p->params = arena_alloc(a, 2 * sizeof *p->params);
	p->params[0] = (struct param){"gpu", 3, 0, 15};
	p->params[1] = (struct param){"low", -5, INT64_MIN, INT64_MAX};
	struct terms *ts = p->terms;
	term major, minor, less, product;
	if (backwards) {
		minor = term_input(ts, IN_MINOR);
		term_op(ts, TERM_BXOR, minor, term_input(ts, IN_TYPE));
		major = term_input(ts, IN_MAJOR);
		less = term_lt(ts, minor, major);
		product = term_op(ts, TERM_MUL, major, term_op(ts, TERM_ADD, major, minor));
	} else {
		term three = term_const(ts, 3);
		major = term_input(ts, IN_MAJOR);
		term_eq(ts, major, three);
		minor = term_input(ts, IN_MINOR);
		product = term_op(ts, TERM_MUL, term_op(ts, TERM_ADD, minor, major), major);
		less = term_lt(ts, minor, major);
	}
	p->nrules = p->rules_cap = 1;
	p->rules = arena_alloc(a, sizeof *p->rules);
	p->rules[0] = (struct rule){.at = {"order.rb", 1, 0}, .block = -1, .devices = T_TRUE};
	p->rules[0].match = term_and(ts, less, term_eq(ts, product, term_const(ts, 3)));
	return p;
}

static void test_order_of_making(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = in_order(s.arena, false), *q = in_order(s.arena, true), *r;
	struct image img;
	struct bytes forwards = write_object(s.arena, p, &image), backwards = write_object(s.arena, q, &image);
	assert_int_equal(forwards.len, backwards.len);
	assert_memory_equal(forwards.data, backwards.data, forwards.len);
	assert_int_equal(object_read(s.arena, diags_of(&s), "x.o", forwards.data, forwards.len, &r, &img), 0);
	assert_int_equal(terms_count(r->terms), 2 + 8); /* major, minor, +, *, 3, ==, <, and: none besides */
	arena_free(s.arena);
}

static struct image_header header_of(struct bytes o)
{
	struct image_header h;
	memcpy(&h, section(o, ".rodata").data, sizeof h);
	return h;
}

static void test_parameters(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = sample(s.arena), *q;
	struct image img;
	struct bytes o = write_object(s.arena, p, &image);
	struct image_header before = header_of(o);
	assert_int_equal(before.magic, IMAGE_MAGIC);
	assert_string_equal(before.name, "gpu?");
	assert_int_equal(before.nparams, 2);

	struct diags *d = diags_of(&s);
	struct param_setting gpu = {"gpu", 15, false}, bad = {"gpu", 16, false},
			     none = {"gpv", 1, false};
	assert_int_equal(object_read(s.arena, d, "x.o", o.data, o.len, &q, &img), 0);
	assert_int_equal(object_set_param(q, d, &gpu), 0);
	assert_true(gpu.used);
	assert_int_equal(object_set_param(q, d, &bad), -1);
	assert_int_equal(object_set_param(q, d, &none), -1);
	assert_non_null(strstr(d->items[1].hint, "'gpu'"));
	assert_int_equal(q->params[0].value, 15);

	o = write_object(s.arena, q, &img);
	struct image_header after = header_of(o);
	int64_t value;
	memcpy(&value, section(o, ".rodata").data + sizeof after, sizeof value);
	assert_int_equal(value, 15);
	assert_int_equal(after.digest, before.digest);
	p->rules[1].deny = false;
	assert_int_not_equal(header_of(write_object(s.arena, p, &image)).digest, before.digest);
	arena_free(s.arena);
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

/* What libbpf sees: the program's name, and variables of a DATASEC without gaps
 * for every parameter. */
static void check_open(struct bytes o, const char *function, unsigned nvars)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "devguard");
	struct bpf_object *obj = bpf_object__open_mem(o.data, o.len, &opts);
	assert_non_null(obj);
	struct bpf_program *prog = bpf_object__next_program(obj, NULL);
	assert_non_null(prog);
	assert_string_equal(bpf_program__name(prog), function);
	assert_int_equal(bpf_program__type(prog), BPF_PROG_TYPE_CGROUP_DEVICE);
	assert_int_equal(bpf_program__expected_attach_type(prog), BPF_CGROUP_DEVICE);
	struct btf *btf = bpf_object__btf(obj);
	assert_non_null(btf);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	assert_true(id > 0);
	const struct btf_type *sec = btf__type_by_id(btf, (uint32_t)id);
	assert_int_equal(btf_vlen(sec), nvars);
	for (unsigned i = 1; i < nvars; i++)
		assert_int_equal(btf_var_secinfos(sec)[i].offset,
		                 btf_var_secinfos(sec)[i - 1].offset +
		                         btf_var_secinfos(sec)[i - 1].size);
	assert_true(btf__find_by_name_kind(btf, "bpf_metadata_policy", BTF_KIND_VAR) > 0);
	bpf_object__close(obj);
}

/* Behind the texts of .rodata stands the policy as in .devguard, if it is not too large. */
static void test_policy_in_rodata(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = sample(s.arena);
	size_t n;
	p->meaning = "reads nothing";
	struct bytes o = write_object(s.arena, p, &image), ro = section(o, ".rodata"), whole = section(o, ".devguard");
	assert_string_equal(image_behind(ro.data, ro.len, 0, &n), p->name);
	assert_string_equal(image_behind(ro.data, ro.len, IMAGE_TEXT_MEANING, &n), p->meaning);
	const void *policy = image_behind(ro.data, ro.len, IMAGE_TEXTS, &n);
	assert_non_null(policy);
	assert_int_equal(n, whole.len);
	assert_memory_equal(policy, whole.data, n);
	for (size_t cut = 0; cut < ro.len; cut++) { /* nothing beyond the end is read */
		unsigned char *copy = malloc(cut + 1);
		memcpy(copy, ro.data, cut);
		const char *at = image_behind(copy, cut, IMAGE_TEXTS, &n);
		assert_true(!at || (at >= (const char *)copy && at + n == (const char *)copy + cut));
		free(copy);
	}
	struct image_header h;
	memcpy(&h, ro.data, sizeof h);
	h.nparams = UINT32_MAX;
	memcpy((void *)ro.data, &h, sizeof h);
	assert_null(image_behind(ro.data, ro.len, IMAGE_TEXTS, &n));
	h.nparams = 0;
	h.magic++;
	memcpy((void *)ro.data, &h, sizeof h);
	assert_null(image_behind(ro.data, ro.len, 0, &n));

	char *label = arena_alloc(s.arena, IMAGE_POLICY_MAX + 1);
	memset(label, 'x', IMAGE_POLICY_MAX);
	p->rules[0].label = label;
	ro = section(write_object(s.arena, p, &image), ".rodata");
	assert_null(image_behind(ro.data, ro.len, IMAGE_TEXTS, &n));
	arena_free(s.arena);
}

static void test_names(void **state)
{
	(void)state;
	char longest[201] = "";
	memset(longest, 'x', 200);
	static const struct {
		const char *name, *function;
	} cases[] = {
		{"gpu?", "gpu_"},       {"", "policy"},
		{"9p", "_9p"},          {"größe", "gr__e"},
		{"a b\n\"c", "a_b__c"}, {"devguard_header", "devguard_header_8"},
		{"\xff\x80", "_"},
	};
	libbpf_set_print(silent);
	struct setup s = begin();
	struct policy *p = sample(s.arena);
	p->params[1].name =
		"gpu"; /* the reader refuses that; the identifiers must differ all the same */
	for (size_t i = 0; i < COUNT(cases); i++) {
		p->name = cases[i].name;
		check_open(write_object(s.arena, p, &image), cases[i].function, 8);
	}
	p->name = longest;
	p->params[1].name = "low";
	struct bytes o = write_object(s.arena, p, &image);
	assert_int_equal(strlen(header_of(o).name), IMAGE_NAME_MAX - 1);
	assert_int_equal(try_read(o.data, o.len), 0);

	char name[IMAGE_NAME_MAX];
	memcpy(longest + IMAGE_NAME_MAX - 2, "ü", 2);
	object_header_name(longest, name);
	assert_int_equal(strlen(name), IMAGE_NAME_MAX - 2);
	arena_free(s.arena);
}

static void test_lines(void **state)
{
	(void)state;
	static const struct {
		struct image_line in[4];
		size_t n;
		struct image_line out[4];
		size_t m;
	} cases[] = {
		{{{0, 0, 0}}, 0, {{0, 9, 0}}, 1},                         /* none: the default's */
		{{{2, 3, 0}}, 1, {{0, 3, 0}}, 1},                         /* the first at 0 */
		{{{0, 3, 0}, {1, 4, 0}, {2, 6, 0}}, 3, {{0, 3, 0}, {2, 4, 0}}, 2}, /* second half of an ldimm64 */
		{{{0, 3, 0}, {5, 4, 0}, {5, 5, 0}, {2, 6, 0}}, 4, {{0, 3, 0}, {5, 4, 0}}, 2}, /* not ascending */
		{{{0, 3, 0}, {NCODE, 4, 0}, {7, 1 << 30, 0}},
	         3,
	         {{0, 3, 0}, {7, 4194303, 0}},
	         2}, /* outside, too large */
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct setup s = begin();
		struct image img = image, back;
		struct policy *p = sample(s.arena);
		img.lines = cases[i].in;
		img.nlines = cases[i].n;
		struct bytes o = write_object(s.arena, p, &img);
		assert_int_equal(object_read(s.arena, diags_of(&s), "x.o", o.data, o.len, &p,
		                             &back),
		                 0);
		assert_int_equal(back.nlines, cases[i].m);
		assert_memory_equal(back.lines, cases[i].out, cases[i].m * sizeof *back.lines);
		arena_free(s.arena);
	}
}

static void test_clean_text(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool ascii;
		const char *out;
	} cases[] = {
		{"", false, ""},
		{"a\tb\x1b[0m\x7f", false, "a b\\x1b[0m\\x7f"},
		{"größe", false, "größe"},
		{"ü\x1b\xff", true, "???"},
		{"\xc2\x9b", false, "\\xc2\\x9b"},
		{"\xe2\x80\xae", false, "\\xe2\\x80\\xae"},
		{"\xc0\x80\xed\xa0\x80", false, "\\xc0\\x80\\xed\\xa0\\x80"},
		{"\xe2\x82", false, "\\xe2\\x82"},
		{"0123456789012345678901234", false, "01234567890123456..."},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char out[40], small[24];
		bool cut = strlen(cases[i].in) > 20;
		assert_string_equal(btf_clean_text(cut ? small : out,
		                                   cut ? sizeof small : sizeof out, cases[i].in,
		                                   cases[i].ascii),
		                    cases[i].out);
	}
}

static void test_bad_image(void **state)
{
	(void)state;
	struct setup s = begin();
	struct policy *p = sample(s.arena);
	const struct image_reloc second = {1, 0}, outside = {NCODE, 0}, param = {0, 2},
				 other = {8, 0};
	const struct image bad[] = {
		{code, 0, NULL, 0, NULL, 0, 0, 0, 0},        {code, 1, NULL, 0, NULL, 0, 0, 0, 0},
		{code, NCODE, NULL, 0, &second, 1, 0, 0, 0}, {code, NCODE, NULL, 0, &outside, 1, 0, 0, 0},
		{code, NCODE, NULL, 0, &param, 1, 0, 0, 0},  {code, NCODE, NULL, 0, &other, 1, 0, 0, 0},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bytes out;
		struct diags *d = diags_of(&s);
		assert_int_equal(object_write(p, &bad[i], d, &out), -1);
		assert_int_equal(d->errors, 1);
	}
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_claims_or_none), cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_order_of_making),
		cmocka_unit_test(test_policy_in_rodata),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_lines),
		cmocka_unit_test(test_clean_text), cmocka_unit_test(test_bad_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
