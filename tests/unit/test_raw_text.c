/*
 * Raw programs by chance, each run in some worlds: what mruby does with the text is what the steps do that were lifted
 * from it, and what their instructions do.
 */
#include "compiler/raw/world.h"
#include "policy/raw_record.h"
#include "tests/unit/compiled.h"
#include "tests/unit/raw_text.h"

#include <inttypes.h>
#include <time.h>

enum { WORLDS = 6, CONTEXT_BYTES = 96 };

/* What may be said of a program made by chance: it is the program's own fault. */
static const char *const expected[] = {
	"may leave 64 bits", "may be negative on one request", "is from ", "values at once", "a shift may", "bytes of stack", "too large",
	"more than",
};

struct counts { size_t programs, refused, runs, effects, raised; };

static bool is_expected(const char *text)
{
	for (size_t i = 0; i < COUNT(expected); i++)
		if (strstr(text, expected[i]))
			return true;
	return false;
}

/* ---- worlds ------------------------------------------------------------------------------------ */

/* Kernel memory: every address below 2^40 has bytes, made of its number; one page in four cannot be read. */
static bool peek(const struct raw_world *w, uint64_t address, void *to, size_t n)
{
	unsigned char *bytes = to;
	(void)w;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = address + i;
		if (at >> 40 || at >> 12 & 1)
			return false;
		bytes[i] = (unsigned char)((at * 0x9e3779b97f4a7c15ull) >> 56);
	}
	return true;
}

static int64_t number_near(struct rng *g)
{
	static const int64_t near[] = {0, 1, 2, 3, 4, 5, 7, 8, 10, 15, 16, 255, 256, 300, 4095};
	return below(g, 4) ? near[below(g, COUNT(near))] : below(g, 1u << 20);
}

static uint64_t word(struct rng *g)
{
	return (uint64_t)below(g, UINT32_MAX) << 32 | below(g, UINT32_MAX);
}

static void fill_maps(struct raw_world *w, struct rng *g)
{
	const struct raw *r = w->policy->raw;
	for (uint32_t map = 0; map < r->nmaps; map++) {
		unsigned char key[RAW_RECORD_MAX] = {0}, value[RAW_RECORD_MAX] = {0};
		if (r->maps[map].kind == RAW_RING || r->maps[map].kind == RAW_LOST)
			continue;
		for (uint32_t n = below(g, 4); n; n--) {
			raw_store(key, 4, below(g, 4));
			if (r->maps[map].key.n == 2)
				memcpy(key + r->maps[map].key.fields[1].offset, &w->inputs[IN_COMM_0], COMM_SIZE);
			raw_store(value, r->maps[map].value.size, below(g, 3) ? number_near(g) : (int64_t)word(g));
			world_put(w, map, key, value, false);
		}
		if (r->maps[map].kind == RAW_TABLE && below(g, 4) == 0)
			w->stores[map].room = (uint32_t)w->stores[map].n;
	}
}

static struct raw_world random_world(struct arena *a, const struct policy *p, struct rng *g)
{
	static const char *const names[] = {"sh", "qemu-system-x86", "a", "systemd-udevd"};
	struct raw_world w = {.arena = a, .policy = p, .time = word(g) >> 8, .tick = 1 + below(g, 1000), .cpu = below(g, 64), .seed = word(g), .peek = peek};
	char comm[COMM_SIZE] = {0};
	unsigned char *context = arena_alloc(a, CONTEXT_BYTES);
	snprintf(comm, sizeof comm, "%s", names[below(g, COUNT(names))]);
	w.inputs[IN_TYPE] = below(g, 2) ? DEV_CHAR : DEV_BLOCK;
	w.inputs[IN_REQUESTED] = below(g, 8);
	w.inputs[IN_MAJOR] = number_near(g) & MAJOR_MAX;
	w.inputs[IN_MINOR] = number_near(g);
	w.inputs[IN_PID] = 1 + number_near(g);
	w.inputs[IN_TID] = 1 + number_near(g);
	w.inputs[IN_UID] = below(g, 8) ? number_near(g) : UINT32_MAX;
	w.inputs[IN_GID] = number_near(g);
	w.inputs[IN_CGROUP_ID] = (int64_t)(word(g) >> 20);
	memcpy(&w.inputs[IN_COMM_0], comm, 8);
	memcpy(&w.inputs[IN_COMM_1], comm + 8, 8);
	for (size_t i = 0; i < CONTEXT_BYTES; i += 8)
		raw_store(context + i, 8, below(g, 2) ? (int64_t)word(g) : number_near(g));
	w.context = context;
	w.ncontext = CONTEXT_BYTES;
	world_maps(&w);
	fill_maps(&w, g);
	return w;
}

/* ---- logs -------------------------------------------------------------------------------------- */

/* A number as the kernel prints it: without `l` only 32 bits of it. */
static void put_number(FILE *out, char conversion, bool whole, int64_t n)
{
	if (conversion == 'x')
		fprintf(out, "%" PRIx64, whole ? (uint64_t)n : (uint64_t)(uint32_t)n);
	else if (conversion == 'u')
		fprintf(out, "%" PRIu64, whole ? (uint64_t)n : (uint64_t)(uint32_t)n);
	else
		fprintf(out, "%" PRId64, whole ? n : (int64_t)(int32_t)n);
}

/* The line that is seen of a format and its numbers. */
static void printed(struct arena *a, struct raw_effect *e)
{
	struct arena_stream s;
	FILE *out = arena_stream(a, &s);
	size_t n = 0;
	for (const char *c = e->text; *c; c++) {
		bool whole = false;
		if (*c != '%') {
			fputc(*c, out);
			continue;
		}
		for (c++; *c == 'l'; c++)
			whole = true;
		if (*c == 's')
			fprintf(out, "%.*s", COMM_SIZE, (const char *)e->value);
		else
			put_number(out, *c, whole, e->numbers[n]);
		n++;
	}
	*e = (struct raw_effect){.kind = EFFECT_PRINT, .line = e->line, .text = arena_text(a, &s)};
	e->ntext = strlen(e->text);
}

static void lines_printed(struct raw_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		if (log->effects[i].kind == EFFECT_PRINT)
			printed(log->arena, &log->effects[i]);
}

static void differ(const char *text, uint64_t seed, const char *engines, const char *why)
{
	fprintf(stderr, "%s\n", text); /* cmocka cuts long messages */
	fail_msg("seed %" PRIu64 ": %s: %s", seed, engines, why);
}

/* ---- one program ------------------------------------------------------------------------------- */

struct made {
	const char *text;
	uint64_t seed;
	struct ruby *ruby;
	struct policy *policy;
	const struct image *image;
};

static void run_world(struct arena *a, const struct made *m, const struct raw_world *w, struct counts *all)
{
	struct raw_world by_ruby = world_copy(w), by_steps = world_copy(w), by_machine = world_copy(w);
	struct raw_log ruby = {.arena = a}, steps = {.arena = a}, machine = {.arena = a};
	const char *why, *difference;
	assert_int_equal(raw_walk(&by_steps, &steps), 0);
	if (raw_run(&by_machine, m->image, &machine, &why))
		differ(m->text, m->seed, "instructions", why);
	if ((difference = raw_log_difference(m->policy->raw, &steps, &machine)))
		differ(m->text, m->seed, "steps, and instructions", difference);
	all->runs++;
	all->effects += steps.n;
	if (ruby_run_raw(m->ruby, &by_ruby, &ruby, &why)) {
		if (!strstr(why, "overflow"))
			differ(m->text, m->seed, "mruby raises", why);
		all->raised++;
		return;
	}
	lines_printed(&steps);
	if ((difference = raw_log_difference(m->policy->raw, &ruby, &steps)))
		differ(m->text, m->seed, "mruby, and steps", difference);
}

static void try_program(uint64_t seed, struct counts *all)
{
	struct rng g = {seed * 0x9e3779b97f4a7c15ull | 1};
	struct arena *a = arena_new();
	struct diags d;
	struct policy_diagram pd;
	struct image image;
	struct made m = {.seed = seed, .image = &image};
	for (int i = 0; i < 8; i++)
		below(&g, 2);
	diags_init(&d, a);
	m.text = random_raw(a, &g, below(&g, 2), false);
	all->programs++;
	if (ruby_compile(a, &d, &host_here, "t.rb", m.text, strlen(m.text), NULL, 0, &m.ruby, &m.policy) ||
	    compile_policy(m.policy, &d, &pd, &image)) {
		if (!d.n || !is_expected(d.items[0].text))
			differ(m.text, m.seed, "refused", d.n ? arena_printf(a, "line %d: %s", d.items[0].at.line, d.items[0].text) : "without a word");
		all->refused++;
	} else {
		for (int i = 0; i < WORLDS; i++) {
			struct raw_world w = random_world(a, m.policy, &g);
			run_world(a, &m, &w, all);
		}
	}
	if (m.ruby)
		ruby_close(m.ruby);
	arena_free(a);
}

static void programs_by_chance(void **state)
{
	const char *count = getenv("PROGRAMS"), *first = getenv("SEED");
	uint64_t programs = count ? strtoull(count, NULL, 10) : 2000, seed = first ? strtoull(first, NULL, 10) : 1;
	struct counts all = {0};
	(void)state;
	for (uint64_t i = 0; i < programs; i++)
		try_program(seed + i, &all);
	print_message("%zu programs, %zu refused, %zu runs, %zu effects, %zu left 64 bits\n", all.programs, all.refused, all.runs, all.effects, all.raised);
	assert_true(all.refused * 3 < all.programs || programs < 20);
	assert_true(all.raised * 10 < all.runs || programs < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(programs_by_chance)};
	return cmocka_run_group_tests_name("raw_text", tests, NULL, NULL);
}
