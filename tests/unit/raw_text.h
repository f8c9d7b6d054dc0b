/* raw_text.h - raw programs by chance, as text: early returns, methods of their own, loops, fields, maps, prints. */
#ifndef DEVGUARD_TESTS_RAW_TEXT_H
#define DEVGUARD_TESTS_RAW_TEXT_H

#include "tests/unit/policy_files.h"

struct raw_text {
	struct arena *arena;
	struct rng *rng;
	FILE *out;
	bool device;  /* its section is cgroup/dev */
	bool kernel;  /* only what the kernel will answer as a world does: no clock, no addresses */
	const char *tag; /* what is printed begins with it */
	int methods;  /* own ones that may be called: m0 ... */
	int vars;     /* v0 ... hold small Integers */
	int depth;    /* of statements below others */
	bool context; /* `ctx` is there */
};

static inline void rt_statements(struct raw_text *g, int n);

static inline uint32_t rt_pick(struct raw_text *g, uint32_t n) { return below(g->rng, n); }

static inline const char *rt_constant(struct raw_text *g)
{
	static const int numbers[] = {0, 1, 2, 3, 5, 7, 8, 10, 15, 16, 100, 255, 256, 1000, 4095, 65535, 65536, -1, -3, -128};
	return arena_printf(g->arena, "%d", numbers[rt_pick(g, COUNT(numbers))]);
}

static inline const char *rt_leaf(struct raw_text *g)
{
	static const char *const device[] = {"ctx.major", "ctx.minor", "ctx.access_type", "ctx.access_type >> 16", "ctx.minor & 0xff"};
	static const char *const tracing[] = {"(ctx.a & 0xffff)", "(ctx.b & 7)", "(ctx.c & 0xffffffff)", "(ctx.b >> 40)", "ctx.a.clamp(-100, 100)"};
	static const char *const facts[] = {"pid", "uid", "gid", "tid", "(cgroup_id & 0xffff)"};
	static const char *const memory[] = {"S.at(ctx.a).word", "S.at(ctx.b).half", "S.at(ctx.a + 16).byte", "S.at(ctx.c).small", "(S.at(ctx.c).long & 0xffffff)"};
	uint32_t kind = rt_pick(g, 10);
	if (kind < 3 && g->vars)
		return arena_printf(g->arena, "v%u", rt_pick(g, (uint32_t)g->vars));
	if (kind < 6 && g->context)
		return g->device ? device[rt_pick(g, COUNT(device))] : tracing[rt_pick(g, COUNT(tracing))];
	if (kind == 6)
		return facts[rt_pick(g, COUNT(facts) - (g->kernel && !g->device))];
	if (kind == 7 && g->context && !g->device && !g->kernel)
		return memory[rt_pick(g, COUNT(memory))];
	return rt_constant(g);
}

static inline const char *rt_number(struct raw_text *g, int deep);

static inline const char *rt_condition(struct raw_text *g, int deep)
{
	static const char *const tests[] = {"==", "!=", "<", "<=", ">", ">="};
	if (deep > 0 && rt_pick(g, 3) == 0) {
		const char *x = rt_condition(g, deep - 1), *y = rt_condition(g, deep - 1);
		switch (rt_pick(g, 3)) {
		case 0: return arena_printf(g->arena, "(%s && %s)", x, y);
		case 1: return arena_printf(g->arena, "(%s || %s)", x, y);
		default: return arena_printf(g->arena, "!(%s)", x);
		}
	}
	const char *x = rt_number(g, deep - 1);
	switch (rt_pick(g, 8)) {
	case 0: return arena_printf(g->arena, "[1, 3, %s].include?(%s)", rt_constant(g), x);
	case 1: return arena_printf(g->arena, "(%s).between?(1, 300)", x);
	case 2: return arena_printf(g->arena, "(%s) & 1 == 0", x);
	default: return arena_printf(g->arena, "%s %s %s", x, tests[rt_pick(g, COUNT(tests))], rt_pick(g, 2) ? rt_constant(g) : rt_number(g, deep - 1));
	}
}

static inline const char *rt_number(struct raw_text *g, int deep)
{
	if (deep <= 0)
		return rt_leaf(g);
	const char *x = rt_number(g, deep - 1), *y = rt_number(g, deep - 1);
	switch (rt_pick(g, 16)) {
	case 0:
	case 1: return arena_printf(g->arena, "(%s + %s)", x, y);
	case 2: return arena_printf(g->arena, "(%s - %s)", x, y);
	case 3: return arena_printf(g->arena, "((%s & 0xffff) * %s)", x, rt_constant(g));
	case 4: return arena_printf(g->arena, "(%s / %u)", x, 1 + rt_pick(g, 9));
	case 5: return arena_printf(g->arena, "(%s %% %u)", x, 2 + rt_pick(g, 9));
	case 6: return arena_printf(g->arena, "(%s & %s)", x, y);
	case 7: return arena_printf(g->arena, "(%s | %s)", x, y);
	case 8: return arena_printf(g->arena, "(%s ^ %s)", x, y);
	case 9: return arena_printf(g->arena, "(%s >> %u)", x, rt_pick(g, 12));
	case 10: return arena_printf(g->arena, "((%s & 255) << %u)", x, rt_pick(g, 9));
	case 11: return arena_printf(g->arena, "(%s ? %s : %s)", rt_condition(g, deep - 1), x, y);
	case 12: return arena_printf(g->arena, "[%s, %s].max", x, y);
	case 13: return arena_printf(g->arena, "(%s / ((%s & 7) + 1))", x, y);
	case 14:
		if (g->methods && deep < 3)
			return arena_printf(g->arena, "m%u(%s, %s)", rt_pick(g, (uint32_t)g->methods), x, y);
		return arena_printf(g->arena, "(~(%s))", x);
	default: return x;
	}
}

static inline void rt_line(struct raw_text *g, const char *text)
{
	fprintf(g->out, "%*s%s\n", 2 * (g->depth + 1), "", text);
}

/* A value of a map is known to be small when it is cut. */
static inline const char *rt_read(struct raw_text *g)
{
	switch (rt_pick(g, 5)) {
	case 0: return arena_printf(g->arena, "((TABLE[%s & 3] || %s) & 0xffff)", rt_number(g, 1), rt_constant(g));
	case 1: return arena_printf(g->arena, "(CELLS[%u] & 0xfff)", rt_pick(g, 4));
	case 2: return arena_printf(g->arena, "((CELLS[%s] || 7) & 0xfff)", rt_leaf(g));
	case 3: return arena_printf(g->arena, "((PAIRS[[%s & 1, comm]] || %s) & 255)", rt_leaf(g), rt_constant(g));
	default: return arena_printf(g->arena, "((EACH[%s & 3] || 0) & 4095)", rt_leaf(g));
	}
}

static inline const char *rt_map_statement(struct raw_text *g)
{
	const char *x = rt_number(g, 2);
	const char *n = arena_printf(g->arena, "%s + (uid & 0)", x); /* mruby leaves out an addition of 0 that it knows */
	switch (rt_pick(g, 14)) {
	case 0: return arena_printf(g->arena, "TABLE[%s & 3] += %s", rt_number(g, 1), n);
	case 1: return arena_printf(g->arena, "TABLE[%s & 7] = %s", rt_number(g, 1), x);
	case 2: return arena_printf(g->arena, "TABLE.delete(%s & 3)", rt_number(g, 1));
	case 3: return arena_printf(g->arena, "CELLS[%u] += %s", rt_pick(g, 4), n);
	case 4: return arena_printf(g->arena, "CELLS[%s & 3] -= %s", rt_leaf(g), n);
	case 5: return arena_printf(g->arena, "CELLS[%s & 7] = %s", rt_leaf(g), x);
	case 6: return arena_printf(g->arena, "PAIRS[[%s & 1, comm]] += %s", rt_leaf(g), n);
	case 7: return arena_printf(g->arena, "PAIRS[[%s & 1, comm]] = %s & 0xffffffff", rt_leaf(g), x);
	case 8: return arena_printf(g->arena, "EACH[%s & 3] += %s", rt_leaf(g), n);
	case 9: return arena_printf(g->arena, "HIST << %s", x);
	case 10: return arena_printf(g->arena, "RING << {number: %s & 0xffff, comm: comm, signed: %s, long: %s}", x,
		                     arena_printf(g->arena, "(%s & 127) - 64", rt_leaf(g)), rt_number(g, 1));
	case 11: return arena_printf(g->arena, "TABLE[%s & 3] = (TABLE[%s & 3] || %s) & %s", rt_leaf(g), rt_leaf(g), rt_constant(g), x);
	case 12: return arena_printf(g->arena, "EACH[%u] = EACH[%u] || %s", rt_pick(g, 4), rt_pick(g, 4), x);
	default: return "EACH.delete(pid & 3)";
	}
}

static inline const char *rt_print(struct raw_text *g)
{
	static const char *const conversions[] = {"%d", "%d", "%u", "%x", "%lld", "%lx", "%i"};
	const char *format = arena_printf(g->arena, "%sp%u", g->tag, rt_pick(g, 100)), *values = "";
	size_t n = rt_pick(g, 4), length;
	bool text = false;
	for (size_t i = 0; i < n; i++) {
		text = !text && rt_pick(g, 4) == 0;
		format = arena_printf(g->arena, "%s %s", format, text ? "%s" : conversions[rt_pick(g, COUNT(conversions))]);
		values = arena_printf(g->arena, "%s, %s", values, text ? (rt_pick(g, 2) ? "comm" : "\"text\"") : rt_number(g, 2));
		if (text)
			n = i + 1;
	}
	length = strlen(format) + 1;
	switch (rt_pick(g, 3)) {
	case 0: return arena_printf(g->arena, "printk(\"%s\"%s)", format, values);
	case 1: return arena_printf(g->arena, "bpf_trace_printk(\"%s\"%s)", format, values);
	default: return arena_printf(g->arena, "bpf_trace_printk(\"%s\\n\", %zu%s)", format, length + 1, values);
	}
}

static inline void rt_block(struct raw_text *g, int n)
{
	int vars = g->vars; /* a variable that only one path sets may be nil */
	g->depth++;
	rt_statements(g, n);
	g->depth--;
	g->vars = vars;
}

static inline void rt_loop(struct raw_text *g)
{
	switch (rt_pick(g, 3)) {
	case 0: rt_line(g, arena_printf(g->arena, "%u.times do |i|", 1 + rt_pick(g, 3))); break;
	case 1: rt_line(g, arena_printf(g->arena, "[%s, %s, %s].each do |i|", rt_constant(g), rt_constant(g), rt_leaf(g))); break;
	default: rt_line(g, arena_printf(g->arena, "(%u..%u).each do |i|", rt_pick(g, 3), rt_pick(g, 5))); break;
	}
	if (g->vars)
		rt_line(g, arena_printf(g->arena, "  v%u += i", rt_pick(g, (uint32_t)g->vars)));
	rt_line(g, arena_printf(g->arena, "  printk(\"%si %%d\", i) if %s", g->tag, rt_condition(g, 1)));
	rt_block(g, 1);
	rt_line(g, "end");
}

static inline void rt_while(struct raw_text *g)
{
	rt_line(g, arena_printf(g->arena, "n%d = 0", g->depth));
	rt_line(g, arena_printf(g->arena, "while n%d < %u", g->depth, 1 + rt_pick(g, 3)));
	rt_line(g, arena_printf(g->arena, "  n%d += 1", g->depth));
	rt_line(g, arena_printf(g->arena, "  %s if %s", rt_pick(g, 2) ? "next" : "break", rt_condition(g, 1)));
	rt_block(g, 1);
	rt_line(g, "end");
}

static inline void rt_statement(struct raw_text *g)
{
	uint32_t kind = rt_pick(g, g->depth < 2 ? 16 : 10);
	switch (kind) {
	case 0:
	case 1:
		rt_line(g, arena_printf(g->arena, "v%d = %s", g->vars, rt_number(g, 3)));
		g->vars++;
		return;
	case 2:
		rt_line(g, arena_printf(g->arena, "v%d = %s", g->vars, rt_read(g)));
		g->vars++;
		return;
	case 3:
		rt_line(g, arena_printf(g->arena, "return %s if %s", rt_number(g, 1), rt_condition(g, 2)));
		return;
	case 4:
	case 5: rt_line(g, rt_print(g)); return;
	case 6:
	case 7:
	case 8: rt_line(g, rt_map_statement(g)); return;
	case 9: rt_line(g, arena_printf(g->arena, "%s unless %s", rt_map_statement(g), rt_condition(g, 2))); return;
	case 10: rt_loop(g); return;
	case 11: rt_while(g); return;
	case 12:
		rt_line(g, arena_printf(g->arena, "if (got = %s[%s & 3])", rt_pick(g, 2) ? "TABLE" : "EACH", rt_leaf(g)));
		rt_line(g, arena_printf(g->arena, "  printk(\"%sgot %%lld\", got)", g->tag));
		rt_block(g, 1);
		rt_line(g, "end");
		return;
	default:
		rt_line(g, arena_printf(g->arena, "if %s", rt_condition(g, 2)));
		rt_block(g, 1 + (int)rt_pick(g, 2));
		if (rt_pick(g, 2)) {
			rt_line(g, "else");
			rt_block(g, 1 + (int)rt_pick(g, 2));
		}
		rt_line(g, "end");
		return;
	}
}

static inline void rt_statements(struct raw_text *g, int n)
{
	while (n-- > 0)
		rt_statement(g);
}

static inline void rt_method(struct raw_text *g)
{
	int number = g->methods;
	fprintf(g->out, "def m%d(v0, v1)\n", number);
	g->vars = 2;
	g->context = false;
	g->depth = 1;
	rt_statements(g, 1 + (int)rt_pick(g, 3));
	g->depth = 0;
	rt_line(g, arena_printf(g->arena, "%s%s", rt_pick(g, 2) ? "return " : "", rt_number(g, 2)));
	fputs("end\n", g->out);
	g->methods++;
}

static inline void rt_head(struct raw_text *g)
{
	fprintf(g->out, "license! \"GPL\"\nsection! \"%s\"\nclass Ctx\n", g->device ? "cgroup/dev" : "raw_tracepoint/sys_enter");
	fputs(g->device ? "  attr :access_type, :u32\n  attr :major, :u32\n  attr :minor, :u32\nend\n"
	                : "  attr :a, :s64\n  attr :b, :u64\n  attr :c, :u64\nend\n", g->out);
	if (!g->device)
		fputs("class S\n  attr :byte, :u8\n  attr :half, :s16\n  attr :word, :u32\n  attr :long, :u64\n  attr :small, :s8\nend\n", g->out);
	fprintf(g->out, "TABLE = table :u32 => :u64, max: %u\nEACH = percpu :pid => :u64\nPAIRS = table [:u32, :comm] => :u32, max: 2\n", 1 + rt_pick(g, 4));
	fputs("CELLS = array 4\nHIST = histogram\nRING = ring number: :u16, comm: :comm, signed: :s8, long: :s64\n", g->out);
}

/* tag: "" where nothing else prints. */
static inline const char *random_raw(struct arena *a, struct rng *rng, bool device, bool kernel, const char *tag)
{
	struct arena_stream s;
	struct raw_text g = {.arena = a, .rng = rng, .out = arena_stream(a, &s), .device = device, .kernel = kernel, .tag = tag};
	rt_head(&g);
	for (uint32_t n = rt_pick(&g, 3); n; n--)
		rt_method(&g);
	g.vars = 0;
	g.context = true;
	fprintf(g.out, "def prog(ctx)\n");
	if (!kernel && rt_pick(&g, 4) == 0)
		rt_line(&g, "printk(\"at %lld on %d\", ktime_ns, cpu)");
	rt_statements(&g, 1 + (int)rt_pick(&g, 6));
	rt_line(&g, rt_number(&g, 2));
	fputs("end\n", g.out);
	return arena_text(a, &s);
}

#endif
