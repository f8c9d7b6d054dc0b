/*
 * reporter.h - for tests of what reads records and counts: a device program made
 * by hand that reports as policy/event.h says. It denies and reports devices of
 * major REPORTED_MAJOR, allows all others, and tallies by minor number.
 */
#ifndef DEVGUARD_TESTS_REPORTER_H
#define DEVGUARD_TESTS_REPORTER_H

#include "cgroup/internal.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <bpf/bpf.h>

enum { REPORTED_MAJOR = 42 };

struct reporter {
	struct report_maps maps;
	int rodata, prog;
	uint32_t id;
};

/* What the program is made with. */
struct making {
	const char *name;
	enum audit_level audit;
	uint32_t generation;
	int version, size; /* of its records */
	int which;         /* of what stands behind them: values 0, -1, -2 ... */
	size_t header;     /* bytes of the .rodata header */
};
#define AS_EVENT_H .audit = AUDIT_DENIED, .generation = 1, .version = EVENT_VERSION, \
	.size = sizeof(struct event), .header = sizeof(struct image_header)

#define INSN(...) ((struct bpf_insn){__VA_ARGS__})
#define MOVI(dst, value) INSN(.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (value))
#define MOVR(dst, src) INSN(.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src))
#define ADDI(dst, value) INSN(.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (dst), .imm = (value))
#define LOAD(width, dst, src, at) \
	INSN(.code = BPF_LDX | BPF_MEM | (width), .dst_reg = (dst), .src_reg = (src), .off = (int16_t)(at))
#define STOREI(width, dst, at, value) \
	INSN(.code = BPF_ST | BPF_MEM | (width), .dst_reg = (dst), .off = (int16_t)(at), .imm = (value))
#define STORER(width, dst, at, src) \
	INSN(.code = BPF_STX | BPF_MEM | (width), .dst_reg = (dst), .src_reg = (src), .off = (int16_t)(at))
#define CALL(helper) INSN(.code = BPF_JMP | BPF_CALL, .imm = (helper))
#define JUMP(op, dst, value) INSN(.code = BPF_JMP | (op) | BPF_K, .dst_reg = (dst), .imm = (value))

struct assembly {
	struct bpf_insn code[256];
	int n;
};

static inline int put(struct assembly *s, struct bpf_insn i)
{
	s->code[s->n] = i;
	return s->n++;
}

static inline void put_map(struct assembly *s, int reg, int fd)
{
	put(s, INSN(.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = reg, .src_reg = BPF_PSEUDO_MAP_FD,
	            .imm = fd));
	put(s, INSN(0));
}

/* The jump goes to what comes next. */
static inline void land(struct assembly *s, int jump)
{
	s->code[jump].off = (int16_t)(s->n - jump - 1);
}

/* One more in the totals (r8). */
static inline void put_count(struct assembly *s, int at)
{
	put(s, LOAD(BPF_DW, 1, 8, at));
	put(s, ADDI(1, 1));
	put(s, STORER(BPF_DW, 8, at, 1));
}

/* r6 the request, r8 the totals; r7 is overwritten. */
static inline void put_tally(struct assembly *s, const struct reporter *r, const struct making *m)
{
	enum { KEY = -48, VALUE = -64 };
	for (int i = 0; i < 32; i += 8)
		put(s, STOREI(BPF_DW, 10, KEY + i, 0));
	put(s, STOREI(BPF_W, 10, KEY + offsetof(struct tally_key, generation), (int)m->generation));
	put(s, STOREI(BPF_W, 10, KEY + offsetof(struct tally_key, rule), 1));
	put(s, LOAD(BPF_W, 1, 6, 8));
	put(s, STORER(BPF_W, 10, KEY + offsetof(struct tally_key, minor), 1));
	put(s, STOREI(BPF_DW, 10, VALUE, 0));
	put(s, STOREI(BPF_DW, 10, VALUE + 8, 0));
	put_map(s, 1, r->maps.fd[REPORT_TALLY]);
	put(s, MOVR(2, 10));
	put(s, ADDI(2, KEY));
	put(s, MOVR(3, 10));
	put(s, ADDI(3, VALUE));
	put(s, MOVI(4, BPF_NOEXIST));
	put(s, CALL(BPF_FUNC_map_update_elem));
	put_map(s, 1, r->maps.fd[REPORT_TALLY]);
	put(s, MOVR(2, 10));
	put(s, ADDI(2, KEY));
	put(s, CALL(BPF_FUNC_map_lookup_elem));
	int none = put(s, JUMP(BPF_JEQ, 0, 0));
	put(s, MOVI(1, 1));
	put(s, INSN(.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD));
	int done = put(s, INSN(.code = BPF_JMP | BPF_JA));
	land(s, none);
	put_count(s, offsetof(struct totals, untallied));
	land(s, done);
}

static inline void put_record(struct assembly *s, const struct reporter *r, const struct making *m)
{
	put_map(s, 1, r->maps.fd[REPORT_EVENTS]);
	put(s, MOVI(2, m->size));
	put(s, MOVI(3, 0));
	put(s, CALL(BPF_FUNC_ringbuf_reserve));
	int room = put(s, JUMP(BPF_JNE, 0, 0));
	put_count(s, offsetof(struct totals, dropped));
	int out = put(s, INSN(.code = BPF_JMP | BPF_JA));
	land(s, room);
	put(s, MOVR(9, 0));
	for (int i = 0; i < m->size; i += 8)
		put(s, STOREI(BPF_DW, 9, i, 0));
	put(s, STOREI(BPF_H, 9, offsetof(struct event, version), m->version));
	put(s, STOREI(BPF_H, 9, offsetof(struct event, size), m->size));
	put(s, STOREI(BPF_W, 9, offsetof(struct event, generation), (int)m->generation));
	put(s, CALL(BPF_FUNC_get_current_cgroup_id));
	put(s, STORER(BPF_DW, 9, offsetof(struct event, cgroup_id), 0));
	put(s, LOAD(BPF_W, 1, 6, 4));
	put(s, STORER(BPF_W, 9, offsetof(struct event, major), 1));
	put(s, LOAD(BPF_W, 1, 6, 8));
	put(s, STORER(BPF_W, 9, offsetof(struct event, minor), 1));
	put(s, STOREI(BPF_DW, 9, offsetof(struct event, comm), 0x41414141));
	put(s, STOREI(BPF_DW, 9, offsetof(struct event, comm) + 8, -1)); /* no NUL */
	put(s, STOREI(BPF_W, 9, offsetof(struct event, rule), 1));
	for (int i = 0, at = sizeof(struct event) + offsetof(struct event_told, value); m->which && at + 8 <= m->size; i++, at += 8)
		put(s, STOREI(BPF_DW, 9, at, -i));
	if (m->which)
		put(s, STOREI(BPF_DW, 9, sizeof(struct event) + offsetof(struct event_told, which), m->which));
	put(s, MOVR(1, 9));
	put(s, MOVI(2, 0));
	put(s, CALL(BPF_FUNC_ringbuf_submit));
	put_count(s, offsetof(struct totals, submitted));
	land(s, out);
}

static inline int make_program(const struct reporter *r, const struct making *m)
{
	struct assembly s = {.n = 0};
	put(&s, MOVR(6, 1));
	put(&s, LOAD(BPF_W, 1, 6, 4));
	int ours = put(&s, JUMP(BPF_JEQ, 1, REPORTED_MAJOR));
	put(&s, MOVI(0, 1));
	put(&s, INSN(.code = BPF_JMP | BPF_EXIT));
	land(&s, ours);
	put(&s, STOREI(BPF_W, 10, -4, 0));
	put_map(&s, 1, r->maps.fd[REPORT_TOTALS]);
	put(&s, MOVR(2, 10));
	put(&s, ADDI(2, -4));
	put(&s, CALL(BPF_FUNC_map_lookup_elem));
	int out = put(&s, JUMP(BPF_JEQ, 0, 0));
	put(&s, MOVR(8, 0));
	put_count(&s, offsetof(struct totals, denied));
	put_tally(&s, r, m);
	put_record(&s, r, m);
	land(&s, out);
	put(&s, MOVI(0, 0));
	put(&s, INSN(.code = BPF_JMP | BPF_EXIT));
	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "reporter", "GPL", s.code, (size_t)s.n, NULL);
}

static inline uint32_t id_of_map(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof info;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

static inline uint32_t id_of_program(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

/* The maps; `tallies` entries fit. */
static inline void make_maps(struct report_maps *m, uint32_t tallies)
{
	static const uint32_t entries[] = {EVENTS_BYTES, 0, 1, 1, 0};
	report_maps_none(m);
	for (int i = 0; i < REPORT_NAMES; i++) {
		const struct report_kind *k = &report_kinds[i];
		m->fd[i] = bpf_map_create(k->type, k->name, k->key_size, k->value_size,
		                          entries[i] ? entries[i] : tallies, NULL);
		assert_true(m->fd[i] >= 0);
	}
	m->fd[REPORT_NAMES] = names_new(NAME_ENTRIES);
	assert_true(m->fd[REPORT_NAMES] >= 0);
	m->events_id = id_of_map(m->fd[REPORT_EVENTS]);
	m->counts_id = id_of_map(m->fd[REPORT_TOTALS]);
}

/* A program for maps that are there. */
static inline void reporter_load(struct reporter *r, const struct making *m)
{
	struct image_header h = {.magic = IMAGE_MAGIC, .version = IMAGE_VERSION,
	                         .size = (uint32_t)m->header, .nrules = 1, .audit = m->audit,
	                         .generation = m->generation};
	uint32_t zero = 0;
	snprintf(h.name, sizeof h.name, "%s", m->name);
	char bytes[sizeof h + 8] = "";
	memset(bytes, 0x7f, sizeof bytes); /* what follows a short header */
	memcpy(bytes, &h, m->header);
	r->rodata = bpf_map_create(BPF_MAP_TYPE_ARRAY, "report.rodata", 4, sizeof bytes, 1, NULL);
	assert_true(r->rodata >= 0);
	assert_int_equal(bpf_map_update_elem(r->rodata, &zero, bytes, 0), 0);
	r->prog = make_program(r, m);
	assert_true(r->prog >= 0);
	assert_int_equal(bpf_prog_bind_map(r->prog, r->rodata, NULL), 0);
	assert_int_equal(bpf_prog_bind_map(r->prog, r->maps.fd[REPORT_CONFIG], NULL), 0);
	assert_int_equal(bpf_prog_bind_map(r->prog, r->maps.fd[REPORT_NAMES], NULL), 0);
	r->id = id_of_program(r->prog);
}

static inline struct reporter reporter_new(struct env *e, const struct making *m)
{
	struct reporter r;
	make_maps(&r.maps, TALLY_ENTRIES);
	reporter_load(&r, m);
	assert_int_equal(bpf_prog_attach(r.prog, e->cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	return r;
}

/* The cgroup's removal detaches it. */
static inline void reporter_close(struct reporter *r)
{
	close(r->prog);
	close(r->rodata);
	report_maps_close(&r->maps);
}

/* A process in the cgroup is denied n devices, `minors` different ones in turn. */
static inline pid_t deny_start(struct env *e, int n, int minors)
{
	int go[2];
	char byte = 0;
	assert_int_equal(pipe(go), 0);
	pid_t pid = fork();
	if (!pid) {
		int wrong = read(go[0], &byte, 1) != 1;
		for (int i = 0; i < n && !wrong; i++)
			wrong = mknod("/devguard-no-such-node", S_IFCHR | 0600,
			              makedev(REPORTED_MAJOR, (unsigned)(i % minors))) != -1 || errno != EPERM;
		_exit(wrong);
	}
	assert_true(pid > 0);
	assert_int_equal(transient_enter(&e->d, e->cg, pid), 0);
	assert_int_equal(write(go[1], &byte, 1), 1);
	close(go[0]);
	close(go[1]);
	return pid;
}

static inline void deny(struct env *e, int n, int minors)
{
	assert_int_equal(finish(deny_start(e, n, minors)), 0);
}

#endif
