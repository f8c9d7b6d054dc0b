/*
 * test_raw_maps.c - cgroup/raw_maps.c and raw_rings.c against maps of the running kernel, also while a process or a
 * program changes them.
 */
#include "tests/unit/reporter.h"

#include "policy/raw_record.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <bpf/libbpf.h>

enum { TABLE, BUSY, CELLS, HIST, EVENTS, LOST, MAPS };

struct maps {
	struct raw_map list[MAPS];
	int fd[MAPS], prog;
	struct raw_maps *open;
};

static struct raw_record record_of(struct env *e, const char *const *words, size_t n)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct raw_record r = {0};
	for (size_t i = 0; i < n; i++) {
		struct raw_field f = {0};
		assert_true(raw_type_of(words[i], &f));
		assert_int_equal(raw_record_add(e->arena, &r, names[i], f), RAW_ADDED);
	}
	return r;
}
#define NONE ((struct raw_bytes){NULL, 0})
#define BYTES(v) ((struct raw_bytes){&(v), sizeof(v)})
#define RECORD(e, ...) record_of(e, (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static int kernel_map(const struct raw_map *m)
{
	static const enum bpf_map_type types[] = {
		[RAW_TABLE] = BPF_MAP_TYPE_HASH, [RAW_PERCPU] = BPF_MAP_TYPE_PERCPU_HASH, [RAW_ARRAY] = BPF_MAP_TYPE_ARRAY,
		[RAW_HISTOGRAM] = BPF_MAP_TYPE_ARRAY, [RAW_RING] = BPF_MAP_TYPE_RINGBUF, [RAW_LOST] = BPF_MAP_TYPE_ARRAY};
	char name[BPF_OBJ_NAME_LEN];
	bool ring = m->kind == RAW_RING;
	snprintf(name, sizeof name, "%.15s", m->name); /* as libbpf does */
	return bpf_map_create(types[m->kind], name, ring ? 0 : m->key.size, ring ? 0 : m->value.size, m->entries, NULL);
}

/* A program that does what raw programs do: TABLE[0] += 1, BUSY[0] += 1, a record of that count to EVENTS; it only names the
 * other maps. */
static int kernel_program(const int fd[MAPS])
{
	enum { KEY = -128, ZERO = -136, RECORD = -160 };
	struct assembly s = {.n = 0};
	for (int i = KEY; i < 0; i += 8)
		put(&s, STOREI(BPF_DW, 10, i, 0));
	put(&s, STOREI(BPF_DW, 10, ZERO, 0));
	for (int i = TABLE; i <= BUSY; i++) {
		put_map(&s, 1, fd[i]);
		put(&s, MOVR(2, 10));
		put(&s, ADDI(2, KEY));
		put(&s, MOVR(3, 10));
		put(&s, ADDI(3, ZERO));
		put(&s, MOVI(4, BPF_NOEXIST));
		put(&s, CALL(BPF_FUNC_map_update_elem));
		put_map(&s, 1, fd[i]);
		put(&s, MOVR(2, 10));
		put(&s, ADDI(2, KEY));
		put(&s, CALL(BPF_FUNC_map_lookup_elem));
		put(&s, MOVI(7, 0));
		int none = put(&s, JUMP(BPF_JEQ, 0, 0));
		put(&s, MOVI(7, 1));
		put(&s, INSN(.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 7, .imm = BPF_ADD | BPF_FETCH));
		land(&s, none);
		put(&s, STORER(BPF_DW, 10, RECORD + 8 * (i - TABLE), 7)); /* the count before */
	}
	put_map(&s, 1, fd[EVENTS]);
	put(&s, MOVR(2, 10));
	put(&s, ADDI(2, RECORD));
	put(&s, MOVI(3, 16));
	put(&s, MOVI(4, 0));
	put(&s, CALL(BPF_FUNC_ringbuf_output));
	put_map(&s, 1, fd[CELLS]);
	put_map(&s, 1, fd[HIST]);
	put(&s, MOVI(0, 2));
	put(&s, INSN(.code = BPF_JMP | BPF_EXIT));
	return bpf_prog_load(BPF_PROG_TYPE_XDP, "counter", "GPL", s.code, (size_t)s.n, NULL);
}

static void run(int prog, unsigned times)
{
	char packet[64] = "";
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof packet, .repeat = (int)times);
	assert_int_equal(bpf_prog_test_run_opts(prog, &o), 0);
}

static struct raw_maps *opened(struct env *e, int prog, const struct raw_map *list, size_t n)
{
	struct raw_maps *m;
	if (raw_maps_open(e->arena, &e->d, id_of_program(prog), list, n, &m))
		fail_msg("%s", e->d.items[0].text);
	return m;
}

/* The program, and its maps as a raw program declares them; LOST is one that it does not use. */
static struct maps *maps_new(struct env *e)
{
	struct maps *m = arena_alloc(e->arena, sizeof *m);
	*m = (struct maps){.list = {
		[TABLE] = {.name = "A_NAME_OF_MORE_THAN_15_BYTES", .kind = RAW_TABLE, .key = RECORD(e, "comm", "u64"),
		           .value = RECORD(e, "u64"), .entries = RAW_TABLE_ENTRIES},
		[BUSY] = {.name = "BUSY", .kind = RAW_PERCPU, .key = RECORD(e, "u32"), .value = RECORD(e, "u64"), .entries = 64},
		[CELLS] = {.name = "CELLS", .kind = RAW_ARRAY, .key = RECORD(e, "u32"), .value = RECORD(e, "u32"), .entries = 1000},
		[HIST] = {.name = "HIST", .kind = RAW_HISTOGRAM, .key = RECORD(e, "u32"), .value = RECORD(e, "u64"),
		          .entries = RAW_SLOTS},
		[EVENTS] = {.name = "EVENTS", .kind = RAW_RING, .value = RECORD(e, "u64", "u64"), .entries = 1 << 16},
		[LOST] = {.name = "devguard_lost", .kind = RAW_LOST, .key = RECORD(e, "u32"), .value = RECORD(e, "u64"),
		          .entries = 8},
	}};
	for (int i = 0; i < MAPS; i++)
		assert_true((m->fd[i] = kernel_map(&m->list[i])) >= 0);
	m->prog = kernel_program(m->fd);
	assert_true(m->prog >= 0);
	m->open = opened(e, m->prog, m->list, MAPS);
	return m;
}

static void maps_end(struct maps *m)
{
	raw_maps_close(m->open);
	raw_maps_close(m->open); /* once more does nothing */
	for (int i = 0; i < MAPS; i++)
		close(m->fd[i]);
	close(m->prog);
}

static struct raw_answer whole(struct maps *m, int map)
{
	struct raw_answer a;
	assert_int_equal(raw_map_read(m->open, (uint32_t)map, NONE, false, &a), 0);
	return a;
}

static const unsigned char *entry(const struct raw_answer *a, uint32_t i)
{
	return a->bytes + (size_t)i * (a->key_size + (size_t)a->cpus * a->value_size);
}

/* Key i of the table. */
struct table_key { char comm[COMM_SIZE]; uint64_t n; };
static struct table_key key_of(uint64_t i)
{
	struct table_key k = {.n = i};
	snprintf(k.comm, sizeof k.comm, "name %llu", (unsigned long long)(i % 100));
	return k;
}

/* Its keys from 0 to n, each at most once; *found: how many. Others are keys behind them. The value of key i is 3 i. */
static void check_table(const struct raw_answer *a, uint32_t n, uint32_t *found)
{
	unsigned char *seen = calloc(1, 1 << 20);
	assert_non_null(seen);
	*found = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		struct table_key k, want;
		uint64_t value;
		memcpy(&k, entry(a, i), sizeof k);
		memcpy(&value, entry(a, i) + sizeof k, sizeof value);
		want = key_of(k.n);
		assert_memory_equal(&k, &want, sizeof k);
		assert_true(k.n < 1 << 20 && !seen[k.n]);
		seen[k.n] = 1;
		assert_int_equal(value, 3 * k.n);
		*found += k.n < n;
	}
	free(seen);
}

static void put_key(int fd, uint64_t i)
{
	struct table_key k = key_of(i);
	uint64_t value = 3 * i;
	bpf_map_update_elem(fd, &k, &value, BPF_ANY); /* may be full */
}

static void fill(int fd, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		put_key(fd, i);
}

/* ---- found -------------------------------------------------------------------------- */

static void found_by_name(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct raw_answer a;
	assert_int_equal(whole(m, CELLS).n, 1000);
	assert_int_equal(whole(m, HIST).n, RAW_SLOTS);
	assert_int_equal(whole(m, TABLE).n, 0);
	/* not used by it; a ring; no map */
	assert_int_equal(raw_map_read(m->open, LOST, NONE, false, &a), -ENXIO);
	assert_string_equal(raw_maps_why(-ENXIO), "the program does not use it");
	assert_int_equal(raw_map_clear(m->open, LOST), -ENXIO);
	assert_int_equal(raw_map_change(m->open, LOST, (struct raw_bytes){"\0\0\0", 4}, (struct raw_bytes){"12345678", 8}), -ENXIO);
	assert_int_equal(raw_map_read(m->open, EVENTS, NONE, false, &a), -EINVAL);
	assert_int_equal(raw_map_read(m->open, MAPS, NONE, false, &a), -EINVAL);
	/* sizes of others: of a key, of a value, no key */
	uint64_t eight = 0;
	assert_int_equal(raw_map_read(m->open, CELLS, BYTES(eight), false, &a), -EINVAL);
	assert_int_equal(raw_map_change(m->open, CELLS, BYTES(eight), BYTES(eight)), -EINVAL);
	assert_int_equal(raw_map_change(m->open, CELLS, (struct raw_bytes){&eight, 4}, BYTES(eight)), -EINVAL);
	assert_int_equal(raw_map_change(m->open, TABLE, BYTES(eight), NONE), -EINVAL);
	assert_int_equal(raw_map_change(m->open, TABLE, NONE, BYTES(eight)), -EINVAL);
	/* it outlives its program */
	close(m->prog);
	assert_int_equal(whole(m, CELLS).n, 1000);
	m->prog = dup(m->fd[0]);
	struct raw_maps *none;
	assert_int_equal(raw_maps_open(e->arena, &e->d, UINT32_MAX, m->list, MAPS, &none), -1);
	assert_error(e, "cannot open the maps of program 4294967295: No such file or directory", "");
	maps_end(m);
}

/* A map of that name that is another one is not read. */
static void others_are_not_taken(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct raw_map other[MAPS];
	struct raw_answer a;
	memcpy(other, m->list, sizeof m->list);
	other[TABLE].name = "A_NAME_OF_MORES";
	other[BUSY].kind = RAW_TABLE;
	other[CELLS].value = RECORD(e, "u64");
	other[HIST].entries--;
	raw_maps_close(m->open);
	m->open = opened(e, m->prog, other, MAPS);
	for (int i = TABLE; i <= HIST; i++)
		assert_int_equal(raw_map_read(m->open, (uint32_t)i, NONE, false, &a), -ENXIO);
	maps_end(m);
}

static void which_one_is_not_guessed(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct raw_map two[2] = {m->list[TABLE], m->list[TABLE]};
	struct raw_maps *none;
	struct raw_answer a;
	two[1].name = "A_NAME_OF_MORES_TOO"; /* the 15th byte, the last one that the kernel keeps, differs */
	none = opened(e, m->prog, two, 2);
	assert_int_equal(raw_map_read(none, 0, NONE, false, &a), 0);
	assert_int_equal(raw_map_read(none, 1, NONE, false, &a), -ENXIO);
	raw_maps_close(none);
	two[1].name = "A_NAME_OF_MORE_THINGS";
	assert_int_equal(raw_maps_open(e->arena, &e->d, id_of_program(m->prog), two, 2, &none), -1);
	assert_error(e, "the map A_NAME_OF_MORE_THINGS of the program cannot be told from another one", "15 bytes");
	/* and two of the kernel's that are as one of ours */
	struct raw_map hist = m->list[HIST];
	int fd[MAPS];
	memcpy(fd, m->fd, sizeof m->fd);
	struct raw_map as_hist = hist;
	assert_true((fd[CELLS] = kernel_map(&as_hist)) >= 0);
	int prog = kernel_program(fd);
	assert_true(prog >= 0);
	assert_int_equal(raw_maps_open(e->arena, &e->d, id_of_program(prog), &hist, 1, &none), -1);
	assert_error(e, "the map HIST of the program cannot be told from another one", "15 bytes");
	close(prog);
	close(fd[CELLS]);
	maps_end(m);
}

/* ---- read, changed ------------------------------------------------------------------ */

static void tables(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct raw_answer a;
	uint32_t found;
	fill(m->fd[TABLE], 0, RAW_TABLE_ENTRIES);
	a = whole(m, TABLE);
	assert_int_equal(a.n, RAW_TABLE_ENTRIES);
	assert_int_equal(a.key_size, sizeof(struct table_key));
	assert_int_equal(a.value_size, 8);
	assert_int_equal(a.cpus, 1);
	check_table(&a, RAW_TABLE_ENTRIES, &found);
	assert_int_equal(found, RAW_TABLE_ENTRIES);
	/* by key */
	struct table_key k = key_of(77), none = key_of(RAW_TABLE_ENTRIES);
	uint64_t value;
	assert_int_equal(raw_map_read(m->open, TABLE, BYTES(k), false, &a), 0);
	assert_int_equal(a.n, 1);
	memcpy(&value, entry(&a, 0) + a.key_size, 8);
	assert_int_equal(value, 3 * 77);
	assert_int_equal(raw_map_read(m->open, TABLE, BYTES(none), false, &a), 0);
	assert_int_equal(a.n, 0);
	/* put in, taken out */
	value = 5;
	assert_int_equal(raw_map_change(m->open, TABLE, BYTES(none), BYTES(value)), -E2BIG);
	assert_string_equal(raw_maps_why(-E2BIG), "it is full");
	assert_int_equal(raw_map_change(m->open, TABLE, BYTES(k), BYTES(value)), 0);
	assert_int_equal(raw_map_read(m->open, TABLE, BYTES(k), false, &a), 0);
	memcpy(&value, entry(&a, 0) + a.key_size, 8);
	assert_int_equal(value, 5);
	assert_int_equal(raw_map_change(m->open, TABLE, BYTES(k), NONE), 0);
	assert_int_equal(raw_map_change(m->open, TABLE, BYTES(k), NONE), 0);
	assert_int_equal(whole(m, TABLE).n, RAW_TABLE_ENTRIES - 1);
	assert_int_equal(raw_map_clear(m->open, TABLE), 0);
	assert_int_equal(whole(m, TABLE).n, 0);
	maps_end(m);
}

/* Signed numbers of 4 bytes, in slots of 8: added up as what they are. */
static void values_of_cpus(void **state)
{
	struct env *e = *state;
	int cpus = libbpf_num_possible_cpus();
	struct maps *m = maps_new(e);
	struct raw_map small = {.name = "SMALL", .kind = RAW_PERCPU, .key = RECORD(e, "u32"), .value = RECORD(e, "s32"),
	                        .entries = 16};
	int fd[MAPS];
	memcpy(fd, m->fd, sizeof m->fd);
	assert_true((fd[HIST] = kernel_map(&small)) >= 0);
	int prog = kernel_program(fd);
	assert_true(prog >= 0);
	struct raw_maps *open = opened(e, prog, &small, 1);
	int64_t *values = calloc((size_t)cpus, sizeof *values), sum = 0, got;
	struct raw_answer a;
	for (int i = 0; i < cpus; i++) {
		int32_t v = i % 2 ? -3 - i : INT32_MAX - i;
		memcpy(&values[i], &v, sizeof v);
		sum += v;
	}
	uint32_t key = 9;
	assert_int_equal(bpf_map_update_elem(fd[HIST], &key, values, BPF_ANY), 0);
	for (int by_key = 0; by_key < 2; by_key++) {
		assert_int_equal(raw_map_read(open, 0, by_key ? BYTES(key) : NONE, false, &a), 0);
		assert_true(a.n == 1 && a.key_size == 4 && a.value_size == 8 && a.cpus == 1);
		memcpy(&got, entry(&a, 0) + 4, 8);
		assert_int_equal(got, sum);
		assert_int_equal(raw_map_read(open, 0, by_key ? BYTES(key) : NONE, true, &a), 0);
		assert_true(a.n == 1 && a.key_size == 4 && a.value_size == 4 && a.cpus == (uint32_t)cpus);
		for (int i = 0; i < cpus; i++)
			assert_memory_equal(entry(&a, 0) + 4 + 4 * i, &values[i], 4);
	}
	/* the values of other CPUs are theirs: none is put in here */
	assert_int_equal(raw_map_change(open, 0, BYTES(key), (struct raw_bytes){values, 4}), -EINVAL);
	assert_int_equal(raw_map_change(open, 0, BYTES(key), NONE), 0);
	assert_int_equal(raw_map_read(open, 0, NONE, true, &a), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(bpf_map_update_elem(fd[HIST], &key, values, BPF_ANY), 0);
	assert_int_equal(raw_map_clear(open, 0), 0);
	assert_int_equal(raw_map_read(open, 0, NONE, false, &a), 0);
	assert_int_equal(a.n, 0);
	free(values);
	raw_maps_close(open);
	close(prog);
	close(fd[HIST]);
	maps_end(m);
}

static void cells(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct raw_answer a;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t value = i * i + 1;
		assert_int_equal(raw_map_change(m->open, CELLS, BYTES(i), BYTES(value)), 0);
	}
	a = whole(m, CELLS);
	assert_int_equal(a.n, 1000);
	for (uint32_t i = 0; i < a.n; i++) {
		uint32_t pair[2];
		memcpy(pair, entry(&a, i), sizeof pair);
		assert_int_equal(pair[0], i);
		assert_int_equal(pair[1], i * i + 1);
	}
	uint32_t key = 999, out = 1000, value;
	assert_int_equal(raw_map_read(m->open, CELLS, BYTES(key), false, &a), 0);
	assert_int_equal(a.n, 1);
	memcpy(&value, entry(&a, 0) + 4, 4);
	assert_int_equal(value, 999 * 999 + 1);
	assert_int_equal(raw_map_read(m->open, CELLS, BYTES(out), false, &a), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(raw_map_change(m->open, CELLS, BYTES(key), NONE), -EINVAL);
	assert_int_equal(raw_map_clear(m->open, CELLS), 0);
	a = whole(m, CELLS);
	assert_int_equal(a.n, 1000);
	for (uint32_t i = 0; i < a.n; i++) {
		memcpy(&value, entry(&a, i) + 4, 4);
		assert_int_equal(value, 0);
	}
	maps_end(m);
}

static void largest(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	static const char *const comms[] = {"comm", "comm", "comm", "comm", "comm", "comm", "comm", "comm"};
	struct raw_map big = {.name = "BIG", .kind = RAW_ARRAY, .key = RECORD(e, "u32"), .value = record_of(e, comms, 8),
	                      .entries = RAW_ANSWER_MAX / 132 + 1};
	struct raw_map fits = big;
	struct raw_answer a;
	int fd[MAPS];
	memcpy(fd, m->fd, sizeof m->fd);
	fits.name = "FITS";
	fits.entries--;
	assert_true((fd[HIST] = kernel_map(&big)) >= 0);
	assert_true((fd[CELLS] = kernel_map(&fits)) >= 0);
	int prog = kernel_program(fd);
	struct raw_map both[] = {big, fits};
	struct raw_maps *open = opened(e, prog, both, 2);
	assert_int_equal(raw_map_read(open, 0, NONE, false, &a), -EMSGSIZE);
	assert_string_equal(raw_maps_why(-EMSGSIZE), "it holds more than 64 MiB: ask by key");
	assert_int_equal(raw_map_read(open, 1, NONE, false, &a), 0);
	assert_int_equal(a.n, fits.entries);
	raw_maps_close(open);
	close(prog);
	close(fd[HIST]);
	close(fd[CELLS]);
	maps_end(m);
}

/* ---- while others change them ---------------------------------------------------------- */

/* A process that puts keys from 1,000 on in and takes them out, until it is killed. */
static pid_t changer(const struct maps *m)
{
	pid_t pid = fork();
	if (!pid && !prctl(PR_SET_PDEATHSIG, SIGKILL))
		for (uint64_t i = 0;; i++) {
			struct table_key k = key_of(1000 + (i * 2654435761u >> 7) % 20000);
			put_key(m->fd[TABLE], k.n);
			k = key_of(1000 + ((i + 5000) * 2654435761u >> 7) % 20000);
			bpf_map_delete_elem(m->fd[TABLE], &k);
		}
	assert_true(pid > 0);
	return pid;
}

static void end_changer(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void entries_that_come_and_go(void **state)
{
	enum { STAY = 1000, READS = 200 };
	struct env *e = *state;
	struct maps *m = maps_new(e);
	uint32_t found, others = 0;
	fill(m->fd[TABLE], 0, STAY);
	pid_t pid = changer(m);
	for (int i = 0; i < READS || !others; i++) {
		struct raw_answer a = whole(m, TABLE);
		check_table(&a, STAY, &found);
		assert_int_equal(found, STAY);
		others += a.n > STAY;
	}
	/* cleared while entries come: that ends, and what is in it then came later */
	for (int i = 0; i < 20; i++)
		assert_int_equal(raw_map_clear(m->open, TABLE), 0);
	struct raw_answer a = whole(m, TABLE);
	check_table(&a, STAY, &found);
	assert_int_equal(found, 0);
	end_changer(pid);
	assert_int_equal(raw_map_clear(m->open, TABLE), 0);
	assert_int_equal(whole(m, TABLE).n, 0);
	maps_end(m);
}

static void counts_of_a_program(void **state)
{
	enum { TIMES = 200000, RUNS = 10 };
	struct env *e = *state;
	struct maps *m = maps_new(e);
	uint64_t last[2] = {0}, value;
	pid_t pid = fork();
	if (!pid) {
		for (int i = 0; i < RUNS; i++)
			run(m->prog, TIMES);
		_exit(0);
	}
	for (int ended = 0; !ended;) {
		ended = waitpid(pid, NULL, WNOHANG) == pid;
		for (int map = TABLE; map <= BUSY; map++) {
			struct raw_answer a = whole(m, map);
			assert_true(a.n <= 1);
			if (!a.n)
				continue;
			memcpy(&value, entry(&a, 0) + a.key_size, 8);
			assert_true(value >= last[map]);
			last[map] = value;
		}
	}
	assert_int_equal(last[TABLE], TIMES * RUNS);
	assert_int_equal(last[BUSY], TIMES * RUNS);
	maps_end(m);
}

/* ---- rings -------------------------------------------------------------------------- */

struct records { uint64_t n, stop, next; };

static bool take(void *arg, uint32_t map, const void *record, size_t size)
{
	struct records *r = arg;
	uint64_t counts[2];
	assert_int_equal(map, EVENTS);
	assert_int_equal(size, sizeof counts);
	memcpy(counts, record, size);
	assert_int_equal(counts[0], r->next++);
	return ++r->n != r->stop;
}

static void rings(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct records r = {0};
	assert_int_equal(raw_rings_open(e->arena, &e->d, m->open, true, take, &r), 0);
	assert_true(raw_rings_fd(m->open) >= 0);
	assert_int_equal(raw_rings_poll(&e->d, m->open, 0), 0);
	run(m->prog, 100);
	r.stop = 30;
	assert_int_equal(raw_rings_poll(&e->d, m->open, 1000), 30);
	r.stop = 0;
	assert_int_equal(raw_rings_poll(&e->d, m->open, 1000), 70);
	assert_int_equal(r.n, 100);
	/* one reader, until it ends */
	struct raw_maps *second = opened(e, m->prog, m->list, MAPS);
	struct records other = {.next = 100};
	assert_int_equal(raw_rings_open(e->arena, &e->d, second, true, take, &other), -1);
	assert_error(e, "reads these events already: a record goes to one reader only", "stop it");
	raw_maps_close(second);
	raw_maps_close(m->open);
	m->open = opened(e, m->prog, m->list, MAPS);
	run(m->prog, 1);
	assert_int_equal(raw_rings_open(e->arena, &e->d, m->open, true, take, &other), 0);
	assert_int_equal(raw_rings_poll(&e->d, m->open, 1000), 1);
	assert_int_equal(other.n, 1);
	maps_end(m);
}

/* Records without end: a wait ends all the same. A program without rings gives none. */
static void many_records(void **state)
{
	struct env *e = *state;
	struct maps *m = maps_new(e);
	struct records r = {0};
	struct raw_map small = m->list[EVENTS];
	int fd[MAPS], n, most = 0;
	memcpy(fd, m->fd, sizeof m->fd);
	small.entries = 1 << 20;
	assert_true((fd[EVENTS] = kernel_map(&small)) >= 0);
	int prog = kernel_program(fd);
	raw_maps_close(m->open);
	m->open = opened(e, prog, m->list, MAPS); /* its size does not tell rings apart */
	assert_int_equal(raw_rings_open(e->arena, &e->d, m->open, false, take, &r), 0);
	run(prog, 20000);
	while ((n = raw_rings_poll(&e->d, m->open, 0)) > 0)
		most = n > most ? n : most;
	assert_int_equal(n, 0);
	assert_int_equal(most, 4096);
	assert_int_equal(r.n, 20000);
	close(prog);
	close(fd[EVENTS]);
	struct raw_maps *none = opened(e, m->prog, m->list, 2);
	assert_int_equal(raw_rings_open(e->arena, &e->d, none, true, take, &r), 0);
	assert_int_equal(raw_rings_fd(none), -1);
	assert_int_equal(raw_rings_poll(&e->d, none, 0), 0);
	raw_maps_close(none);
	maps_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(found_by_name),
		SCRATCH_TEST(others_are_not_taken),
		SCRATCH_TEST(which_one_is_not_guessed),
		SCRATCH_TEST(tables),
		SCRATCH_TEST(values_of_cpus),
		SCRATCH_TEST(cells),
		SCRATCH_TEST(largest),
		SCRATCH_TEST(entries_that_come_and_go),
		SCRATCH_TEST(counts_of_a_program),
		SCRATCH_TEST(rings),
		SCRATCH_TEST(many_records),
	};
	if (!scratch_possible("test_raw_maps"))
		return 0;
	/* before 5.11 maps made here are locked memory */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
