/*
 * object_sample.h - a policy with every kind of term and field, a program for
 * it, and the object of both: what the tests of objects work on.
 */
#ifndef DEVGUARD_OBJECT_SAMPLE_H
#define DEVGUARD_OBJECT_SAMPLE_H

#include "compiler/object/internal.h"
#include "tests/unit/fixture.h"
#include "policy/device.h"

#include <elf.h>
#include <linux/bpf.h>

enum { LDIMM64 = BPF_LD | BPF_IMM | BPF_DW };

/* Reads both parameters, does nothing with them, allows. */
static const struct bpf_insn code[] = {
	{.code = LDIMM64, .dst_reg = 2},
	{0},
	{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 2},
	{.code = LDIMM64, .dst_reg = 3},
	{0},
	{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 3, .src_reg = 3},
	{.code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = 2, .src_reg = 3, .off = 1},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
	{.code = BPF_JMP | BPF_EXIT},
};
enum { NCODE = sizeof code / sizeof *code, LONGEST = 8 };
static const struct image_line lines[] = {{0, 3, 0}, {3, 4, 0}, {7, 6, 0}, {8, 0, 0}};
static const struct image_reloc relocs[] = {{3, 0}, {0, 1}};
static const struct image image = {code, NCODE, lines, 4, relocs, 2, NCODE, LONGEST, 0};

struct setup {
	struct arena *arena;
	struct diags d;
};

static inline struct setup begin(void)
{
	struct setup s = {.arena = arena_new()};
	assert_non_null(s.arena);
	return s;
}

static inline struct diags *diags_of(struct setup *s)
{
	diags_init(&s->d, s->arena);
	return &s->d;
}

static inline struct interval *interval(struct arena *a, int64_t lo, int64_t hi)
{
	struct interval *v = arena_alloc(a, sizeof *v);
	*v = (struct interval){lo, hi};
	return v;
}

/* A policy with every kind of term and field. */
static inline struct policy *sample(struct arena *a)
{
	struct policy *p = arena_alloc(a, sizeof *p);
	*p = (struct policy){.arena = a,
	                     .terms = terms_new(a),
	                     .name = "gpu?",
	                     .file = "dir/my gpu.rb",
	                     .default_allow = true,
	                     .default_at = {"dir/my gpu.rb", 9, 2}};
	p->nparams = p->params_cap = 2;
	p->params = arena_alloc(a, 2 * sizeof *p->params);
	p->params[0] = (struct param){"gpu", 3, 0, 15};
	p->params[1] = (struct param){"low", -5, INT64_MIN, INT64_MAX};
	terms_param(p->terms, IN_PARAM_0, "gpu", 0, 15);

	struct terms *ts = p->terms;
	term minor = term_input(ts, IN_MINOR), gpu = term_input(ts, IN_PARAM_0);
	term low = term_input(ts, IN_PARAM_0 + 1), t = minor;
	for (enum term_op op = TERM_ADD; op < TERM_OPS; op++)
		t = term_op(ts, op, t, op % 2 ? gpu : low);
	term device = term_and(ts, term_eq(ts, term_input(ts, IN_MAJOR), term_const(ts, 195)),
	                       term_eq(ts, term_input(ts, IN_TYPE), term_const(ts, DEV_CHAR)));
	term odd = term_lt(ts, t, term_const(ts, -77));

	p->nrules = p->rules_cap = 3;
	p->rules = arena_alloc(a, 3 * sizeof *p->rules);
	p->rules[0] = (struct rule){.at = {p->file, 3, 1},
	                            .label = "a \"label\"\x1b[31m",
	                            .source = "allow \"c 195:*\" \x1b",
	                            .block = 4,
	                            .devices = device,
	                            .match = term_and(ts, device, term_not(ts, odd)),
	                            .npatterns = 1,
	                            .nraises = 1};
	p->rules[0].patterns = arena_alloc(a, sizeof(struct pattern));
	p->rules[0].patterns[0] = (struct pattern){
		DEV_CHAR,   interval(a, 195, 195), interval(a, 0, MINOR_MAX), 1, 1, ACC_READ,
		"c 195:* r", false};
	p->rules[0].raises = arena_alloc(a, sizeof(struct raise));
	p->rules[0].raises[0] = (struct raise){term_and(ts, odd, term_eq(ts, minor, gpu)),
	                                       {"lib.rb", 4, 0},
	                                       "divided by 0"};
	p->rules[1] = (struct rule){.deny = true,
	                            .at = {p->file, 4, 0},
	                            .devices = T_TRUE,
	                            .match = T_FALSE,
	                            .block = 0};
	p->rules[2] = (struct rule){.at = {NULL, 6, 0},
	                            .source = "allow { }",
	                            .devices = T_TRUE,
	                            .match = T_TRUE,
	                            .block = 1};
	p->nclaims = p->claims_cap = 2;
	p->claims = arena_alloc(a, 2 * sizeof *p->claims);
	p->claims[0].what = p->rules[0];
	p->claims[0].what.nraises = 0;
	p->claims[1] = (struct claim){true, {.at = {"lib.rb", 8, 0}, .label = "all", .devices = T_TRUE, .match = odd, .block = -1}};
	return p;
}

static inline struct bytes write_object(struct arena *a, const struct policy *p,
                                        const struct image *img)
{
	struct diags d;
	struct bytes out = {0};
	diags_init(&d, a);
	assert_int_equal(object_write(p, img, &d, &out), 0);
	assert_int_equal(d.n, 0);
	return out;
}

/* The bytes of a section, for looking inside and for damage. */
static inline struct bytes section(struct bytes o, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)o.data;
	const Elf64_Shdr *sh = (const void *)(o.data + eh->e_shoff);
	const char *names = (const char *)o.data + sh[eh->e_shstrndx].sh_offset;
	for (int i = 1; i < eh->e_shnum; i++)
		if (!strcmp(names + sh[i].sh_name, name))
			return (struct bytes){o.data + sh[i].sh_offset, sh[i].sh_size};
	return (struct bytes){0};
}

/* Reads in an arena of its own; what is wrong must have been said. */
static inline int try_read(const void *data, size_t len)
{
	struct setup s = begin();
	struct diags *d = diags_of(&s);
	struct policy *p = NULL;
	struct image img;
	int result = object_read(s.arena, d, "x.o", data, len, &p, &img);
	assert_int_equal(result ? 1 : 0, d->errors);
	if (result) {
		assert_non_null(d->items[0].hint);
		assert_string_equal(d->items[0].at.file, "x.o");
	} else {
		assert_non_null(p);
	}
	arena_free(s.arena);
	return result;
}

#endif
