/*
 * test_raw_emit.c - steps of raw programs as instructions and in objects: the kernel takes them, and what they leave
 * in maps is what the steps say.
 */
#include "tests/unit/raw_program.h"
#include "tests/unit/scratch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

static char said[1 << 16]; /* by libbpf */
static size_t nsaid;

static int listen(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_WARN || nsaid >= sizeof said - 1)
		return 0;
	int n = vsnprintf(said + nsaid, sizeof said - nsaid, format, args);
	nsaid += n > 0 ? (size_t)n : 0;
	nsaid = nsaid < sizeof said ? nsaid : sizeof said - 1;
	return 0;
}

/* Loaded by libbpf, which said nothing. */
static struct bpf_object *load(const struct building *b)
{
	nsaid = 0;
	*said = '\0';
	libbpf_set_print(listen);
	struct bpf_object *o = bpf_object__open_mem(b->object.data, b->object.len, NULL);
	if (!o || bpf_object__load(o) || nsaid) {
		FILE *listing = fopen("/tmp/raw_emit.asm", "w");
		emit_asm(listing, b->policy, &b->image);
		fclose(listing);
		fail_msg("%s", said);
	}
	return o;
}

static int map_of(const struct bpf_object *o, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(o, name);
	if (fd < 0)
		fail_msg("no map %s", name);
	return fd;
}

/* ---- run in a cgroup ------------------------------------------------------------------------ */

enum { ASKED_MAJOR = 42 };


/* In the cgroup: asks for a device of that number, by making its node. */
static int ask(struct env *e, int minor)
{
	char path[PATH_MAX], pid[32];
	snprintf(path, sizeof path, "%s/cgroup.procs", e->cg->path);
	int fd = open(path, O_WRONLY | O_CLOEXEC), n = snprintf(pid, sizeof pid, "%d", getpid());
	if (fd < 0 || write(fd, pid, (size_t)n) != n)
		return 2;
	close(fd);
	snprintf(path, sizeof path, "/tmp/devguard-raw-%d", getpid());
	int made = mknod(path, S_IFCHR | 0600, makedev(ASKED_MAJOR, (unsigned)minor)), error = errno;
	unlink(path);
	return made ? (error == EPERM ? 1 : 3) : 0;
}

/* The process that asks: what it got (0: allowed), and its pid. */
static int asked_by(struct env *e, int minor, pid_t *pid)
{
	*pid = fork();
	if (!*pid)
		_exit(ask(e, minor));
	return finish(*pid);
}

/* Attached to the scratch cgroup. */
static struct bpf_object *attach(struct env *e, const struct building *b)
{
	struct bpf_object *o = load(b);
	struct bpf_program *p = bpf_object__next_program(o, NULL);
	assert_int_equal(bpf_prog_attach(bpf_program__fd(p), e->cg->fd, BPF_CGROUP_DEVICE, 0), 0);
	return o;
}

static uint64_t number_at(int map, const void *key)
{
	uint64_t value = 0;
	return bpf_map_lookup_elem(map, key, &value) ? UINT64_MAX : value;
}

static void a_device_program_prints_and_counts(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "pid:4", "value:8", 64);
	raw_lost(b);
	raw_arg(raw_print(b, "access %d"), number(term_input(b->ts, IN_REQUESTED)));
	raw_add(b, counts, number(term_input(b->ts, IN_PID)), constant(b, 1));
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	pid_t pid;
	assert_int_equal(asked_by(e, 1, &pid), 0);
	assert_int_equal(number_at(map_of(o, "COUNTS"), &pid), 1);
	bpf_object__close(o);
}

/* ---- every kind of step --------------------------------------------------------------------- */

struct opened_record { uint32_t pid; char comm[16]; uint64_t delta; };
_Static_assert(offsetof(struct opened_record, delta) == 24, "as raw_fields() lays it out");

struct drained { struct opened_record first; size_t n, size; };

static int drain(void *arg, void *data, size_t size)
{
	struct drained *d = arg;
	d->size = size;
	if (!d->n++ && size == sizeof d->first)
		memcpy(&d->first, data, size);
	return 0;
}

static void every_step_leaves_what_it_says(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "pid:4", "value:8", 64);
	uint32_t names = raw_map(b, "NAMES", RAW_TABLE, "minor:4", "comm:16", 64);
	uint32_t small = raw_map(b, "SMALL", RAW_TABLE, "a:1 minor:4 comm:16", "value:-2", 64);
	uint32_t busy = raw_map(b, "BUSY", RAW_PERCPU, "pid:4", "value:8", 64);
	uint32_t cells = raw_map(b, "CELLS", RAW_ARRAY, "index:4", "value:8", 16);
	uint32_t events = raw_map(b, "EVENTS", RAW_RING, "", "pid:4 comm:16 delta:8", 4096);
	raw_lost(b);
	term minor = term_input(b->ts, IN_MINOR), pid = term_input(b->ts, IN_PID), found;

	raw_set(b, names, number(minor), the_comm());
	struct step *s = raw_put(b, STEP_SET, small);
	raw_arg(s, number(constant(b, 7)));
	raw_arg(s, number(minor));
	raw_arg(s, the_comm());
	s->operand = number(term_op(b->ts, TERM_SUB, constant(b, -3), minor));
	raw_add(b, counts, number(pid), constant(b, INT64_C(1) << 40));
	raw_add(b, counts, number(pid), minor);
	term count = raw_get(b, counts, number(pid), &found);
	raw_set(b, cells, number(constant(b, 0)), number(count));
	raw_set(b, cells, number(constant(b, 1)), number(found));
	term absent = raw_get(b, counts, number(constant(b, 0)), &found);
	raw_set(b, cells, number(constant(b, 2)), number(term_op(b->ts, TERM_ADD, absent, constant(b, 5))));
	raw_set(b, cells, number(constant(b, 3)), number(found));
	raw_add(b, busy, number(pid), constant(b, 1));
	raw_add(b, cells, number(constant(b, 16)), constant(b, 1)); /* no such element */
	term before = raw_time(b), cpu = raw_cpu(b), after = raw_time(b);
	raw_set(b, cells, number(constant(b, 4)), number(term_op(b->ts, TERM_SUB, after, before)));
	raw_set(b, cells, number(constant(b, 5)), number(cpu));
	s = raw_put(b, STEP_OUT, events);
	raw_arg(s, number(pid));
	raw_arg(s, the_comm());
	raw_arg(s, number(constant(b, INT64_MIN)));
	raw_set(b, counts, number(constant(b, 77)), number(constant(b, -1)));
	raw_set(b, counts, number(constant(b, 78)), number(constant(b, INT64_MAX)));
	s = raw_put(b, STEP_DELETE, counts);
	raw_arg(s, number(constant(b, 77)));
	s = raw_print(b, "x %s %d %lld");
	raw_arg(s, the_comm());
	raw_arg(s, number(term_op(b->ts, TERM_MUL, minor, minor)));
	raw_arg(s, number(constant(b, INT64_MIN)));
	raw_object(b);

	struct bpf_object *o = attach(e, b);
	struct drained d = {0};
	struct ring_buffer *ring = ring_buffer__new(map_of(o, "EVENTS"), drain, &d, NULL);
	pid_t asked;
	assert_int_equal(asked_by(e, 9, &asked), 0);

	uint32_t key = 9, cell[7] = {0, 1, 2, 3, 4, 5, 4};
	char name[16];
	const char own_name[16] = "test_raw_emit";
	assert_int_equal(bpf_map_lookup_elem(map_of(o, "NAMES"), &key, name), 0);
	assert_memory_equal(name, own_name, 16);
	struct { uint8_t a, gap[3]; uint32_t minor; char comm[16]; } of = {.a = 7, .minor = 9, .comm = "test_raw_emit"};
	assert_int_equal((int16_t)number_at(map_of(o, "SMALL"), &of), -12);
	assert_int_equal(number_at(map_of(o, "COUNTS"), &asked), (INT64_C(1) << 40) + 9);
	assert_int_equal(number_at(map_of(o, "CELLS"), &cell[0]), (INT64_C(1) << 40) + 9);
	assert_int_equal(number_at(map_of(o, "CELLS"), &cell[1]), 1);
	assert_int_equal(number_at(map_of(o, "CELLS"), &cell[2]), 5);
	assert_int_equal(number_at(map_of(o, "CELLS"), &cell[3]), 0);
	uint64_t each[256] = {0}, sum = 0;
	assert_int_equal(bpf_map_lookup_elem(map_of(o, "BUSY"), &asked, each), 0);
	for (int i = 0; i < libbpf_num_possible_cpus(); i++)
		sum += each[i];
	assert_int_equal(sum, 1);
	assert_true((int64_t)number_at(map_of(o, "CELLS"), &cell[4]) >= 0);
	assert_true(number_at(map_of(o, "CELLS"), &cell[5]) < (uint64_t)libbpf_num_possible_cpus());
	assert_int_equal(number_at(map_of(o, "devguard_lost"), &cell[6]), 1);
	key = 77;
	assert_int_equal(number_at(map_of(o, "COUNTS"), &key), UINT64_MAX);
	key = 78;
	assert_int_equal(number_at(map_of(o, "COUNTS"), &key), INT64_MAX);
	assert_int_equal(ring_buffer__consume(ring), 1);
	assert_int_equal(d.size, sizeof d.first);
	assert_int_equal(d.first.pid, asked);
	assert_string_equal(d.first.comm, "test_raw_emit");
	assert_true((int64_t)d.first.delta == INT64_MIN);
	ring_buffer__free(ring);
	bpf_object__close(o);
}

/* What finds no place is counted, map by map. */
static void what_finds_no_place_is_counted(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t one = raw_map(b, "ONE", RAW_TABLE, "minor:4", "value:8", 1);
	uint32_t two = raw_map(b, "TWO", RAW_TABLE, "minor:4", "value:8", 2);
	uint32_t ring = raw_map(b, "RING", RAW_RING, "", "a:8 b:8 c:8 d:8 e:8 f:8 g:8 h:8", 4096);
	raw_lost(b);
	term minor = term_input(b->ts, IN_MINOR);
	raw_add(b, one, number(minor), constant(b, 1));
	raw_set(b, two, number(minor), number(constant(b, 1)));
	for (int i = 0; i < 20; i++) {
		struct step *s = raw_put(b, STEP_OUT, ring);
		for (int k = 0; k < 8; k++)
			raw_arg(s, number(minor));
	}
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	pid_t pid;
	for (int i = 0; i < 5; i++)
		assert_int_equal(asked_by(e, i, &pid), 0);
	uint32_t which[3] = {0, 1, 2};
	assert_int_equal(number_at(map_of(o, "devguard_lost"), &which[0]), 4);
	assert_int_equal(number_at(map_of(o, "devguard_lost"), &which[1]), 3);
	assert_int_equal(number_at(map_of(o, "devguard_lost"), &which[2]), 100 - 4096 / 72);
	bpf_object__close(o);
}

/* ---- conditions and expressions, by chance ------------------------------------------------------ */

static uint64_t seed = 88172645463325252u;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

static term some_number(struct building *b, int depth)
{
	static const int64_t numbers[] = {0, 1, 2, -1, 7, 100, -100, INT32_MAX, INT32_MIN, INT64_C(1) << 33,
	                                  -(INT64_C(1) << 33), INT64_MIN, INT64_MAX};
	static const enum term_op ops[] = {TERM_ADD, TERM_SUB, TERM_MUL, TERM_BAND, TERM_BOR, TERM_BXOR, TERM_SHL, TERM_SHR,
	                                   TERM_DIV, TERM_MOD};
	if (!depth || !below(5))
		return below(2) ? constant(b, numbers[below(COUNT(numbers))]) : term_input(b->ts, below(2) ? IN_MINOR : IN_MAJOR);
	term x = some_number(b, depth - 1), y = some_number(b, depth - 1);
	if (!below(5))
		return term_ite(b->ts, term_lt(b->ts, some_number(b, depth - 1), y), x, y);
	return term_op(b->ts, ops[below(COUNT(ops))], x, y);
}

static term some_condition(struct building *b, int depth)
{
	if (!depth || !below(6)) {
		term x = some_number(b, 2), y = some_number(b, 1);
		return below(2) ? term_lt(b->ts, x, y) : term_eq(b->ts, term_op(b->ts, TERM_MOD, x, constant(b, 3)), constant(b, below(3)));
	}
	term x = some_condition(b, depth - 1), y = below(6) ? some_condition(b, depth - 1) : term_not(b->ts, x);
	switch (below(4)) {
	case 0: return term_and(b->ts, x, y);
	case 1: return term_or(b->ts, x, y);
	case 2: return term_not(b->ts, x);
	default: return term_or(b->ts, term_and(b->ts, x, term_not(b->ts, y)), term_and(b->ts, term_not(b->ts, x), y));
	}
}

enum { TRIED = 48 };

/* Each condition with a step on either side, or on one; each number in an element of an array. */
static void by_chance(struct env *e, int depth)
{
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t yes = raw_map(b, "YES", RAW_ARRAY, "index:4", "value:8", TRIED);
	uint32_t no = raw_map(b, "NO", RAW_ARRAY, "index:4", "value:8", TRIED);
	uint32_t numbers = raw_map(b, "NUMBERS", RAW_ARRAY, "index:4", "value:8", TRIED);
	raw_lost(b);
	term values[TRIED];
	for (int i = 0; i < TRIED; i++) {
		values[i] = some_number(b, depth + 2);
		struct step *s = raw_if(b, some_condition(b, depth));
		int sides = (int)below(3);
		if (sides != 0)
			raw_add(b, yes, number(constant(b, i)), constant(b, 1));
		raw_else(b, s);
		if (sides != 1)
			raw_add(b, no, number(constant(b, i)), constant(b, 1));
		raw_end(b);
		raw_set(b, numbers, number(constant(b, i)), number(values[i]));
	}
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	uint64_t want_yes[TRIED] = {0}, want_no[TRIED] = {0};
	for (int minor = 0; minor < 12; minor++) {
		int64_t in[INPUT_MAX] = {[IN_TYPE] = DEV_CHAR, [IN_REQUESTED] = 1, [IN_MAJOR] = ASKED_MAJOR, [IN_MINOR] = minor * minor};
		const struct step *s = b->raw->steps;
		pid_t pid;
		assert_int_equal(asked_by(e, minor * minor, &pid), 0);
		for (uint32_t i = 0; i < TRIED; i++, s = s->next->next) {
			bool holds = term_eval(b->ts, s->condition, in);
			want_yes[i] += holds && s->yes;
			want_no[i] += !holds && s->no;
			assert_int_equal(number_at(map_of(o, "YES"), &i), want_yes[i]);
			assert_int_equal(number_at(map_of(o, "NO"), &i), want_no[i]);
			if (number_at(map_of(o, "NUMBERS"), &i) != (uint64_t)term_eval(b->ts, values[i], in))
				fail_msg("%s", term_text(e->arena, b->ts, values[i], 1000));
		}
	}
	bpf_object__close(o);
}

static void conditions_and_numbers_by_chance(void **state)
{
	const char *given = getenv("SEED");
	seed += given ? strtoul(given, NULL, 10) : 0;
	for (int depth = 0; depth < 5; depth++)
		by_chance(*state, depth);
}

/* ---- values ---------------------------------------------------------------------------------------- */

/* A value that only one way makes is 0 on the others, also where its place had another value before. */
static void values_that_no_step_made_are_0(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t cells = raw_map(b, "CELLS", RAW_ARRAY, "index:4", "value:8", 32);
	raw_lost(b);
	term minor = term_input(b->ts, IN_MINOR), found, seen[3];
	raw_set(b, cells, number(constant(b, 0)), number(constant(b, 1000)));
	term soon = raw_get(b, cells, number(constant(b, 0)), &found); /* its place is free again at once */
	raw_set(b, cells, number(constant(b, 1)), number(soon));
	for (int i = 0; i < 3; i++) {
		struct step *outer = raw_if(b, term_lt(b->ts, constant(b, i), minor));
		struct step *inner = raw_if(b, term_eq(b->ts, minor, constant(b, 2)));
		raw_else(b, inner);
		seen[i] = raw_get(b, cells, number(constant(b, 1)), &found);
		raw_end(b);
		raw_set(b, cells, number(constant(b, 20 + i)), number(term_op(b->ts, TERM_ADD, seen[i], constant(b, 1))));
		raw_else(b, outer);
		raw_set(b, cells, number(constant(b, 20 + i)), number(constant(b, 0)));
		raw_end(b);
	}
	for (int i = 0; i < 3; i++)
		raw_set(b, cells, number(constant(b, 10 + i)), number(seen[i]));
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	for (int k = 0; k < 5; k++) {
		pid_t pid;
		assert_int_equal(asked_by(e, k, &pid), 0);
		for (int i = 0; i < 3; i++) {
			uint32_t at = 10 + (uint32_t)i, near = 20 + (uint32_t)i;
			assert_int_equal(number_at(map_of(o, "CELLS"), &at), k > i && k != 2 ? 1000 : 0);
			assert_int_equal(number_at(map_of(o, "CELLS"), &near), k > i ? (k != 2 ? 1001 : 1) : 0);
		}
	}
	bpf_object__close(o);
}

/* A loop of hundreds of rounds: the values of each round have the same places. */
static void hundreds_of_steps_fit(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
	uint32_t cells = raw_map(b, "CELLS", RAW_ARRAY, "index:4", "value:8", 400);
	raw_lost(b);
	term sum = constant(b, 0), found;
	for (int i = 0; i < 400; i++) {
		term t = raw_get(b, cells, number(constant(b, i)), &found);
		raw_if(b, term_eq(b->ts, found, constant(b, 1)));
		raw_set(b, cells, number(constant(b, i)), number(term_op(b->ts, TERM_ADD, t, constant(b, i))));
		raw_end(b);
		if (i < 30)
			sum = term_op(b->ts, TERM_ADD, sum, t);
	}
	raw_set(b, cells, number(constant(b, 0)), number(sum));
	raw_object(b);
	struct bpf_object *o = attach(e, b);
	pid_t pid;
	for (int i = 0; i < 3; i++)
		assert_int_equal(asked_by(e, 1, &pid), 0);
	uint32_t at = 399;
	assert_int_equal(number_at(map_of(o, "CELLS"), &at), 3 * 399);
	at = 0; /* what it was before, and 2 * (1 + ... + 29) */
	assert_int_equal(number_at(map_of(o, "CELLS"), &at), 3 * 435);
	bpf_object__close(o);
}

/* ---- verdicts ----------------------------------------------------------------------------------------- */

/* Denied from the third request on, by what a map holds, with a tail behind it or none. */
static void a_verdict_asks_for_values(void **state)
{
	struct env *e = *state;
	for (int audit = AUDIT_NONE; audit < AUDIT_LEVELS; audit++) {
		struct building *b = raw_begin(e->arena, RAW_DEVICE, "cgroup/dev");
		uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "minor:4", "value:8", 16);
		raw_lost(b);
		b->policy->audit = (enum audit_level)audit;
		b->policy->nparams = b->policy->params_cap = 1;
		b->policy->params = arena_alloc(e->arena, sizeof *b->policy->params);
		b->policy->params[0] = (struct param){"quota", 2, 0, 100};
		terms_param(b->ts, IN_PARAM_0, "quota", 0, 100);
		term minor = term_input(b->ts, IN_MINOR), found, other, quota = term_input(b->ts, IN_PARAM_0);
		raw_add(b, counts, number(minor), constant(b, 1));
		term count = raw_get(b, counts, number(minor), &found);
		raw_if(b, term_lt(b->ts, constant(b, 5), minor));
		term nine = raw_get(b, counts, number(constant(b, 9)), &other);
		raw_end(b);
		term passes = term_and(b->ts, term_le(b->ts, count, quota), term_eq(b->ts, nine, constant(b, 0)));
		b->raw->result = term_ite(b->ts, passes, constant(b, 1), constant(b, 0));
		term few = term_le(b->ts, raw_asks(b, count), quota);
		b->policy->rules[0].match = term_and(b->ts, few, term_eq(b->ts, raw_asks(b, nine), constant(b, 0)));
		raw_object(b);
		struct bpf_object *o = attach(e, b);
		pid_t pid;
		for (int i = 0; i < 4; i++)
			assert_int_equal(asked_by(e, 1, &pid), i >= 2);
		assert_int_equal(asked_by(e, 6, &pid), 0);
		assert_int_equal(asked_by(e, 9, &pid), 1);
		assert_int_equal(asked_by(e, 6, &pid), 1);
		assert_int_equal(asked_by(e, 2, &pid), 0);
		if (audit != AUDIT_NONE) {
			struct totals t[256] = {{0}};
			uint64_t denied = 0;
			uint32_t zero = 0;
			assert_int_equal(bpf_map_lookup_elem(map_of(o, "devguard_totals"), &zero, t), 0);
			for (int i = 0; i < libbpf_num_possible_cpus(); i++)
				denied += t[i].denied;
			assert_int_equal(denied, 4);
		}
		struct bpf_program *p = bpf_object__next_program(o, NULL);
		assert_int_equal(bpf_prog_detach2(bpf_program__fd(p), e->cg->fd, BPF_CGROUP_DEVICE), 0);
		bpf_object__close(o);
	}
}

/* ---- other sections ------------------------------------------------------------------------------------- */

/* A program of a section with what all have. */
static struct building *tracing(struct arena *a, enum raw_section section, const char *name, const char *license)
{
	struct building *b = raw_begin(a, section, name);
	b->raw->license = license;
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "pid:4 comm:16", "value:8", 64);
	uint32_t events = raw_map(b, "EVENTS", RAW_RING, "", "pid:4 comm:16 delta:8", 4096);
	raw_lost(b);
	term first = raw_field(b, "ctx.first", 8, 8), half = raw_field(b, "ctx.half", 20, -4);
	struct step *s = raw_put(b, STEP_ADD, counts);
	raw_arg(s, number(term_input(b->ts, IN_PID)));
	raw_arg(s, the_comm());
	s->operand = number(constant(b, 1));
	term peeked = raw_peek(b, first, 4, -4);
	struct step *once = raw_if(b, term_lt(b->ts, half, peeked));
	s = raw_print(b, "%s %lx %d");
	raw_arg(s, the_comm());
	raw_arg(s, number(first));
	raw_arg(s, number(peeked));
	raw_else(b, once);
	s = raw_put(b, STEP_OUT, events);
	raw_arg(s, number(term_input(b->ts, IN_TID)));
	raw_arg(s, the_comm());
	raw_arg(s, number(half));
	raw_end(b);
	b->raw->result = term_ite(b->ts, term_eq(b->ts, half, peeked), constant(b, 0), constant(b, 1));
	return b;
}

static const struct { enum raw_section section; const char *name; enum bpf_prog_type type; } sections[] = {
	{RAW_KPROBE, "kprobe/tcp_connect", BPF_PROG_TYPE_KPROBE},
	{RAW_KRETPROBE, "kretprobe/tcp_connect", BPF_PROG_TYPE_KPROBE},
	{RAW_TRACEPOINT, "tracepoint/syscalls/sys_enter_getpid", BPF_PROG_TYPE_TRACEPOINT},
	{RAW_RAW_TRACEPOINT, "raw_tracepoint/sys_enter", BPF_PROG_TYPE_RAW_TRACEPOINT},
};

static void every_section_is_loaded(void **state)
{
	struct env *e = *state;
	for (size_t i = 0; i < COUNT(sections); i++) {
		struct building *b = tracing(e->arena, sections[i].section, sections[i].name, "GPL");
		raw_object(b);
		struct bpf_object *o = load(b);
		struct bpf_program *p = bpf_object__next_program(o, NULL);
		assert_int_equal(bpf_program__type(p), sections[i].type);
		assert_string_equal(bpf_program__section_name(p), sections[i].name);
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof info;
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &size), 0);
		assert_true(info.btf_id && info.nr_line_info >= 6);
		assert_true(info.gpl_compatible);
		bpf_object__close(o);
	}
}

/* What a raw tracepoint counts of the calls that this process makes. */
static void a_raw_tracepoint_counts(void **state)
{
	struct env *e = *state;
	struct building *b = raw_begin(e->arena, RAW_RAW_TRACEPOINT, "raw_tracepoint/sys_enter");
	uint32_t counts = raw_map(b, "COUNTS", RAW_TABLE, "number:8", "value:8", 4096);
	uint32_t frames = raw_map(b, "FRAMES", RAW_TABLE, "low:4", "value:-4", 4096);
	raw_lost(b);
	term number_of = raw_field(b, "ctx.id", 8, 8), low = raw_field(b, "ctx.low", 8, 4), regs = raw_field(b, "ctx.regs", 0, 8);
	raw_if(b, term_eq(b->ts, term_input(b->ts, IN_PID), constant(b, getpid())));
	raw_add(b, counts, number(number_of), constant(b, 1));
	raw_set(b, frames, number(low), number(raw_peek(b, regs, 112, -4))); /* rdi of pt_regs: the first argument */
	raw_set(b, frames, number(constant(b, 100000)), number(raw_peek(b, constant(b, 8), 0, 8))); /* no such address */
	raw_end(b);
	b->raw->result = constant(b, 0);
	raw_object(b);
	struct bpf_object *o = load(b);
	int link = bpf_raw_tracepoint_open("sys_enter", bpf_program__fd(bpf_object__next_program(o, NULL)));
	if (link < 0) {
		bpf_object__close(o);
		skip();
	}
	for (int i = 0; i < 7; i++)
		syscall(SYS_dup, -4 - i);
	close(link);
	uint64_t key = SYS_dup;
	uint32_t of = SYS_dup, nowhere = 100000;
	assert_int_equal(number_at(map_of(o, "COUNTS"), &key), 7);
#ifdef __x86_64__
	assert_int_equal((int32_t)number_at(map_of(o, "FRAMES"), &of), -10);
#endif
	assert_int_equal(number_at(map_of(o, "FRAMES"), &nowhere), 0);
	bpf_object__close(o);
}

int main(int argc, char **argv)
{
	(void)argc;
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_device_program_prints_and_counts),
		SCRATCH_TEST(every_step_leaves_what_it_says),
		SCRATCH_TEST(what_finds_no_place_is_counted),
		SCRATCH_TEST(conditions_and_numbers_by_chance),
		SCRATCH_TEST(values_that_no_step_made_are_0),
		SCRATCH_TEST(hundreds_of_steps_fit),
		SCRATCH_TEST(a_verdict_asks_for_values),
		SCRATCH_TEST(every_section_is_loaded),
		SCRATCH_TEST(a_raw_tracepoint_counts),
	};
	if (!scratch_possible(argv[0]))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
