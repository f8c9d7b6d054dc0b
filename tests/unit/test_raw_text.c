/*
 * Raw programs by chance, each run in some worlds: what mruby does with the text is what the steps do that were lifted
 * from it, and what their instructions do, simulated and in the kernel.
 */
#include "compiler/raw/world.h"
#include "policy/raw_record.h"
#include "tests/unit/compiled.h"
#include "tests/unit/raw_kernel.h"
#include "tests/unit/raw_text.h"

#include <inttypes.h>
#include <time.h>

enum { WORLDS = 6, CONTEXT_BYTES = 96 };

/* What may be said of a program made by chance: it is the program's own fault. */
static const char *const expected[] = {
	"may leave 64 bits", "may be negative on one request", "and this may be from ", "has the cells 0 to ", "values at once", "a shift may",
	"undefined method '+' for nil", "undefined method '-' for nil", "more than",
};
/* What the compiler cannot do yet, seldom. */
static const char *const limits[] = {
	"cannot be proven", "hangs on what it learned on one of several ways", "none of its own", "(in `clamp` of an Integer)",
};

struct counts { size_t programs, refused, limited, runs, effects, raised; };

static bool says_one(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(text, list[i]))
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

/* `full`: some have no more room than for what is in them. */
static void fill_maps(struct raw_world *w, struct rng *g, bool full)
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
		if (full && r->maps[map].kind == RAW_TABLE && below(g, 4) == 0)
			w->stores[map].room = (uint32_t)w->stores[map].n;
	}
}

static const unsigned char *random_context(struct arena *a, struct rng *g)
{
	unsigned char *context = arena_alloc(a, CONTEXT_BYTES);
	for (size_t i = 0; i < CONTEXT_BYTES; i += 8)
		raw_store(context + i, 8, below(g, 2) ? (int64_t)word(g) : number_near(g));
	return context;
}

static struct raw_world random_world(struct arena *a, const struct policy *p, struct rng *g, bool full)
{
	static const char *const names[] = {"sh", "qemu-system-x86", "a", "systemd-udevd"};
	struct raw_world w = {.arena = a, .policy = p, .time = word(g) >> 8, .tick = 1 + below(g, 1000), .cpu = below(g, 64), .seed = word(g), .peek = peek};
	char comm[COMM_SIZE] = {0};
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
	w.context = random_context(a, g);
	w.ncontext = CONTEXT_BYTES;
	world_maps(&w);
	fill_maps(&w, g, full);
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

/* ---- one program ------------------------------------------------------------------------------- */

struct made {
	struct arena *arena;
	const char *text;
	uint64_t seed;
	struct ruby *ruby;
	struct policy *policy;
	struct policy_diagram diagram;
	struct image image;
	bool raised; /* mruby ended it: a number left 64 bits */
};

/* An addition as the value that comes of it: where one and the same entry may be written in between, the steps store. */
static void sums_stored(const struct raw_world *before, struct raw_log *log)
{
	struct raw_world w = world_copy(before);
	for (size_t i = 0; i < log->n; i++) {
		struct raw_effect *e = &log->effects[i];
		unsigned char value[RAW_RECORD_MAX] = {0};
		if (e->kind == EFFECT_PUT)
			world_put(&w, e->map, e->key, e->value, false);
		else if (e->kind == EFFECT_DELETE)
			world_delete(&w, e->map, e->key);
		if (e->kind != EFFECT_ADD)
			continue;
		size_t size = w.policy->raw->maps[e->map].value.size;
		const struct raw_entry *was = world_find(&w, e->map, e->key);
		raw_store(value, size, (int64_t)((uint64_t)(was ? raw_load(was->value, size, false) : 0) + (uint64_t)e->numbers[0]));
		world_put(&w, e->map, e->key, value, false);
		*e = (struct raw_effect){.kind = EFFECT_PUT, .map = e->map, .key = e->key, .nkey = e->nkey, .line = e->line, .nvalue = size,
		                         .value = memcpy(arena_alloc(log->arena, size), value, size)};
	}
}

static void differ(const struct made *m, const char *engines, const char *why)
{
	fprintf(stderr, "%s\n", m->text); /* cmocka cuts long messages */
	fail_msg("seed %" PRIu64 ": %s: %s", m->seed, engines, why);
}

/* False: it is refused, with a reason that is expected. */
static bool make(struct made *m, struct counts *all)
{
	struct diags diags, *d = &diags;
	diags_init(d, m->arena);
	all->programs++;
	if (!ruby_compile(m->arena, d, &host_here, "t.rb", m->text, strlen(m->text), NULL, 0, &m->ruby, &m->policy) &&
	    !compile_policy(m->policy, d, &m->diagram, &m->image))
		return true;
	const char *why = d->n ? d->items[0].text : "without a word";
	bool limit = says_one(why, limits, COUNT(limits));
	if (!limit && !says_one(why, expected, COUNT(expected)))
		differ(m, "refused", d->n ? arena_printf(m->arena, "line %d: %s", d->items[0].at.line, why) : why);
	all->refused++;
	all->limited += limit;
	return false;
}

/* The same world for each. */
struct worlds { struct raw_world ruby, steps, machine; };

static struct worlds worlds_of(const struct raw_world *w)
{
	return (struct worlds){world_copy(w), world_copy(w), world_copy(w)};
}

/* One run by each; what the steps did, prints as lines. */
static struct raw_log run_all(struct made *m, struct worlds *w, struct counts *all)
{
	struct raw_log ruby = {.arena = m->arena}, steps = {.arena = m->arena}, machine = {.arena = m->arena};
	struct raw_world before = world_copy(&w->steps);
	const char *why, *difference;
	assert_int_equal(raw_walk(&w->steps, &steps), 0);
	if (raw_run(&w->machine, &m->image, &machine, &why))
		differ(m, "instructions", why);
	if ((difference = raw_log_difference(m->policy->raw, &steps, &machine)))
		differ(m, "steps, and instructions", difference);
	all->runs++;
	all->effects += steps.n;
	lines_printed(&steps);
	if (m->raised)
		return steps;
	if (ruby_run_raw(m->ruby, &w->ruby, &ruby, &why)) {
		if (!strstr(why, "overflow"))
			differ(m, "mruby raises", why);
		m->raised = true; /* its world is no longer that of the others */
		all->raised++;
		return steps;
	}
	sums_stored(&before, &ruby);
	sums_stored(&before, &steps);
	if ((difference = raw_log_difference(m->policy->raw, &ruby, &steps)))
		differ(m, "mruby, and steps", difference);
	return steps;
}

static struct made begin(struct arena *a, uint64_t seed, struct rng *g)
{
	*g = (struct rng){seed * 0x9e3779b97f4a7c15ull | 1};
	for (int i = 0; i < 8; i++)
		below(g, 2);
	return (struct made){.arena = a, .seed = seed};
}

static void try_program(uint64_t seed, struct counts *all)
{
	struct rng g;
	struct made m = begin(arena_new(), seed, &g);
	m.text = random_raw(m.arena, &g, below(&g, 2), false, "");
	if (make(&m, all)) {
		for (int i = 0; i < WORLDS; i++) {
			struct raw_world w = random_world(m.arena, m.policy, &g, true);
			struct worlds each = worlds_of(&w);
			m.raised = false;
			run_all(&m, &each, all);
		}
	}
	if (m.ruby)
		ruby_close(m.ruby);
	arena_free(m.arena);
}

static void programs_of(uint64_t *count, uint64_t *seed)
{
	const char *programs = getenv("PROGRAMS"), *first = getenv("SEED");
	*count = programs ? strtoull(programs, NULL, 10) : 100;
	*seed = first ? strtoull(first, NULL, 10) : 1;
}

static void told(const struct counts *all, const char *where)
{
	print_message("%zu programs, %zu refused (%zu of them could be taken), %zu runs%s, %zu effects, %zu left 64 bits\n", all->programs,
	              all->refused, all->limited, all->runs, where, all->effects, all->raised);
	assert_true(all->limited * 10 < all->programs || all->programs < 20);
	assert_true(all->refused * 3 < all->programs || all->programs < 20);
	assert_true(all->raised * 10 < all->runs || all->programs < 20);
}

static void programs_by_chance(void **state)
{
	uint64_t programs, seed;
	struct counts all = {0};
	(void)state;
	programs_of(&programs, &seed);
	for (uint64_t i = 0; i < programs; i++)
		try_program(seed + i, &all);
	told(&all, "");
}

/* ---- and the kernel ------------------------------------------------------------------------------ */

enum { REQUESTS = 5 };
_Static_assert((int)REQUESTS <= (int)NODES_MOST, "a node for each");

/* What the kernel can be asked: a read, a write, both, or mknod of a device that nobody else means. */
static struct request some_request(struct rng *g)
{
	static const int accesses[] = {ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD};
	return (struct request){.type = below(g, 2) ? DEV_CHAR : DEV_BLOCK, .access = accesses[below(g, 4)],
	                        .major = 1 + (number_near(g) & 255), .minor = number_near(g)};
}

static void take_effects(struct raw_log *whole, const struct raw_log *one)
{
	for (size_t i = 0; i < one->n; i++)
		raw_log_add(whole, &one->effects[i]);
}

static void run_device(struct made *m, const struct in_kernel *k, const struct bpf_object *o, struct raw_world *w, struct rng *g, struct counts *all)
{
	struct request requests[REQUESTS];
	char verdicts[REQUESTS];
	struct raw_log whole = {.arena = m->arena};
	for (size_t i = 0; i < REQUESTS; i++)
		requests[i] = some_request(g);
	pid_t pid = kernel_decides(k, o, (const char *)&w->inputs[IN_COMM_0], requests, REQUESTS, verdicts);
	w->inputs[IN_PID] = w->inputs[IN_TID] = pid;
	w->inputs[IN_UID] = getuid();
	w->inputs[IN_GID] = getgid();
	w->inputs[IN_CGROUP_ID] = (int64_t)k->cgroup_id;
	struct worlds each = worlds_of(w);
	for (size_t i = 0; i < REQUESTS; i++) {
		for (struct raw_world *one = &each.ruby; one <= &each.machine; one++) {
			one->inputs[IN_TYPE] = requests[i].type;
			one->inputs[IN_REQUESTED] = requests[i].access;
			one->inputs[IN_MAJOR] = requests[i].major;
			one->inputs[IN_MINOR] = requests[i].minor;
		}
		struct raw_log log = run_all(m, &each, all);
		if (verdicts[i] != log.result)
			differ(m, "the kernel decides otherwise", arena_printf(m->arena, "request %zu: %lld, and in the kernel %d", i, (long long)log.result, verdicts[i]));
		take_effects(&whole, &log);
	}
	const char *why = kernel_differs(k, o, &each.steps, &whole);
	if (why)
		differ(m, "steps, and the kernel", why);
}

static void run_tracing(struct made *m, const struct in_kernel *k, const struct bpf_object *o, struct raw_world *w, struct rng *g, struct counts *all)
{
	struct raw_log whole = {.arena = m->arena};
	prctl(PR_SET_NAME, (const char *)&w->inputs[IN_COMM_0]);
	w->inputs[IN_PID] = w->inputs[IN_TID] = getpid();
	w->inputs[IN_UID] = getuid();
	w->inputs[IN_GID] = getgid();
	struct worlds each = worlds_of(w);
	for (size_t i = 0; i < REQUESTS; i++) {
		each.ruby.context = each.steps.context = each.machine.context = random_context(m->arena, g);
		struct raw_log log = run_all(m, &each, all);
		uint32_t returned = kernel_returns(o, each.steps.context, CONTEXT_BYTES);
		if (returned != (uint32_t)log.result)
			differ(m, "the kernel returns otherwise", arena_printf(m->arena, "run %zu: %lld, and in the kernel %u", i, (long long)log.result, returned));
		take_effects(&whole, &log);
	}
	const char *why = kernel_differs(k, o, &each.steps, &whole);
	if (why)
		differ(m, "steps, and the kernel", why);
}

static void try_in_kernel(const struct in_kernel *k, uint64_t seed, struct counts *all)
{
	struct rng g;
	struct made m = begin(arena_new(), seed, &g);
	bool device = below(&g, 2);
	m.text = random_raw(m.arena, &g, device, true, k->tag);
	if (make(&m, all)) {
		struct bpf_object *o = kernel_load(k, m.policy, &m.image);
		if (!o)
			differ(&m, "the kernel", "it does not take the program");
		struct raw_world w = random_world(m.arena, m.policy, &g, false);
		kernel_fill(k, o, &w);
		(device ? run_device : run_tracing)(&m, k, o, &w, &g, all);
		bpf_object__close(o);
	}
	if (m.ruby)
		ruby_close(m.ruby);
	arena_free(m.arena);
}

static struct in_kernel kernel; /* its traces go also when a program fails */

static void programs_in_the_kernel(void **state)
{
	uint64_t programs, seed;
	struct counts all = {0};
	programs_of(&programs, &seed);
	if (!kernel_begin(&kernel, *state))
		skip();
	for (uint64_t i = 0; i < programs; i++)
		try_in_kernel(&kernel, 1000000 + seed + i, &all);
	told(&all, " in the kernel");
}

static int kernel_teardown(void **state)
{
	kernel_end(&kernel);
	return teardown(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest alone[] = {cmocka_unit_test(programs_by_chance)};
	const struct CMUnitTest with_kernel[] = {cmocka_unit_test_setup_teardown(programs_in_the_kernel, setup, kernel_teardown)};
	int failed = cmocka_run_group_tests_name("raw_text", alone, NULL, NULL);
	(void)argc;
	return scratch_possible(argv[0]) ? failed + cmocka_run_group_tests_name("raw_text_kernel", with_kernel, NULL, NULL) : failed;
}
