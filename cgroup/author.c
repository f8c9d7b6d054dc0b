/*
 * author.c - whose hand a program of others shows: the shape in which container engines and
 * systemd write their device programs.
 *
 * All but libvirt's begin alike and have a block of tests for each rule; they differ in how a block
 * ends, and in what is tested first. Seen with the translated instructions of crun 1.8 and
 * 1.21, runc 1.1, LXC 6.0, systemd 252
 * and 257, and libvirt 11.3. One instruction that does not fit, and the author is
 * not known: a shape can be imitated, so this is for people to read and decides nothing.
 */
#include "cgroup/functions.h"
#include "cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* ---- instructions -------------------------------------------------------------------------- */

enum {
	LOAD = BPF_LDX | BPF_MEM | BPF_W,
	MOVE32 = BPF_ALU | BPF_MOV | BPF_X,
	AND32 = BPF_ALU | BPF_AND | BPF_K,
	SHIFT32 = BPF_ALU | BPF_RSH | BPF_K,
	SET32 = BPF_ALU | BPF_MOV | BPF_K,
	SET64 = BPF_ALU64 | BPF_MOV | BPF_K,
	UNLIKE = BPF_JMP | BPF_JNE | BPF_K,
	UNLIKE_REGISTER = BPF_JMP | BPF_JNE | BPF_X,
	GO = BPF_JMP | BPF_JA,
	EXIT = BPF_JMP | BPF_EXIT,
};

struct code {
	const struct bpf_insn *at, *end;
};

static bool is(const struct code *c, size_t i, int op, int dst)
{
	return (size_t)(c->end - c->at) > i && c->at[i].code == op && c->at[i].dst_reg == dst;
}

/* ---- programs with a block of tests for each rule ---------------------------------------------- */

/* r2 the type, r3 the accesses, r4 and r5 the numbers. */
static bool begins(struct code *c)
{
	static const struct bpf_insn start[] = {
		{.code = LOAD, .dst_reg = 2, .src_reg = 1, .off = 0}, {.code = AND32, .dst_reg = 2, .imm = 0xffff},
		{.code = LOAD, .dst_reg = 3, .src_reg = 1, .off = 0}, {.code = SHIFT32, .dst_reg = 3, .imm = 16},
		{.code = LOAD, .dst_reg = 4, .src_reg = 1, .off = 4}, {.code = LOAD, .dst_reg = 5, .src_reg = 1, .off = 8},
	};
	size_t n = sizeof start / sizeof *start;
	if ((size_t)(c->end - c->at) < n || memcmp(c->at, start, sizeof start))
		return false;
	c->at += n;
	return true;
}

struct seen {
	size_t rules, wide, narrow, jumps; /* blocks, by how they end: r0, w0, a jump */
	bool type_first, access_first, mixed;
};

/* The tests of a block: at most one of each kind. */
static bool tests(struct code *c, struct seen *s)
{
	bool type = false, access = false, major = false, minor = false;
	const struct bpf_insn *from = c->at;
	for (;;) {
		if (!type && is(c, 0, UNLIKE, 2)) {
			s->access_first |= access;
			type = true;
			c->at++;
		} else if (!access && is(c, 0, MOVE32, 1) && is(c, 1, AND32, 1) && is(c, 2, UNLIKE_REGISTER, 1)) {
			s->type_first |= type;
			access = true;
			c->at += 3;
		} else if (!major && is(c, 0, UNLIKE, 4)) {
			major = true;
			c->at++;
		} else if (!minor && is(c, 0, UNLIKE, 5)) {
			minor = true;
			c->at++;
		} else {
			return c->at > from;
		}
	}
}

/* What a rule, or the end, gives: r0 set and exit. 0 or 1, -1: it is something else. */
static int gives(struct code *c, struct seen *s)
{
	bool wide = is(c, 0, SET64, 0);
	if (!(wide || is(c, 0, SET32, 0)) || !is(c, 1, EXIT, 0) || (unsigned)c->at->imm > 1)
		return -1;
	int value = c->at->imm;
	s->wide += wide;
	s->narrow += !wide;
	c->at += 2;
	return value;
}

/* A test that fails goes on behind its block; what systemd's rule allows, to the last but one. */
static bool lands(const struct code *c, const struct bpf_insn *from)
{
	bool right = true;
	for (; from < c->at; from++) {
		const struct bpf_insn *to = from + 1 + from->off;
		if (from->code == UNLIKE || from->code == UNLIKE_REGISTER)
			right &= to == c->at;
		if (from->code == GO)
			right &= to == c->end - 2;
	}
	return right;
}

static bool rules(struct code *c, struct seen *s)
{
	for (;;) {
		const struct bpf_insn *from = c->at;
		if (!tests(c, s))
			return true;
		s->rules++;
		if (is(c, 0, GO, 0)) {
			s->jumps++;
			c->at++;
		} else if (gives(c, s) < 0) {
			return false;
		}
		if (!lands(c, from))
			return false;
	}
}

/* systemd's end: r0 = 0, over the next one, r0 = 1, exit. */
static bool ends_as_systemd(struct code *c)
{
	return c->end - c->at == 4 && is(c, 0, SET64, 0) && !c->at[0].imm && is(c, 1, GO, 0) && c->at[1].off == 1 && is(c, 2, SET64, 0) &&
	       c->at[2].imm == 1 && is(c, 3, EXIT, 0);
}

static const char *by_blocks(struct code *c, struct author *out)
{
	struct seen s = {0};
	if (!begins(c) || !rules(c, &s))
		return NULL;
	out->rules = s.rules;
	if (!s.wide && !s.narrow && s.jumps == s.rules && ends_as_systemd(c)) {
		out->otherwise = 0;
		return "systemd";
	}
	out->otherwise = gives(c, &s);
	if (out->otherwise < 0 || c->at != c->end || s.jumps || (s.wide && s.narrow) || (s.type_first && s.access_first))
		return NULL;
	if (s.narrow)
		return "runc";
	return s.type_first ? "crun" : s.access_first ? "LXC" : "crun or LXC";
}

/* ---- a program that looks devices up ------------------------------------------------------------- */

/* libvirt's: the key is major and minor, then either as a wildcard, then both. */
static bool looks_up(const struct code *c)
{
	return is(c, 0, BPF_ALU64 | BPF_MOV | BPF_X, 6) && is(c, 1, LOAD, 1) && c->at[1].off == 8 && is(c, 2, LOAD, 2) &&
	       c->at[2].off == 4 && is(c, 3, BPF_ALU64 | BPF_LSH | BPF_K, 2) && c->at[3].imm == 32 &&
	       is(c, 4, BPF_ALU64 | BPF_OR | BPF_X, 2) && is(c, 5, BPF_STX | BPF_MEM | BPF_DW, 10);
}

/* How many entries the only map of a program has, a hash of one word for a pair of numbers; -1: it
 * has others. */
static int64_t entries(int prog)
{
	struct bpf_map_info info = {0};
	uint32_t *ids, n, len = sizeof info;
	uint64_t key, next;
	int64_t count = 0;
	int error = program_map_ids(prog, &ids, &n), fd = !error && n == 1 ? bpf_map_get_fd_by_id(ids[0]) : -1;
	free(ids);
	if (fd < 0)
		return -1;
	bool fits = !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_HASH && info.key_size == 8 &&
	            info.value_size == 4;
	for (bool more = fits && !bpf_map_get_next_key(fd, NULL, &next); more && count <= info.max_entries; count++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
	}
	close(fd);
	return fits ? count : -1;
}

/* ---- the whole -------------------------------------------------------------------------------------- */

const char *author_of(const void *insns, size_t n, struct author *out)
{
	struct code c = {.at = insns, .end = (const struct bpf_insn *)insns + n};
	*out = (struct author){.otherwise = -1};
	out->name = by_blocks(&c, out);
	if (!out->name)
		*out = (struct author){.otherwise = -1};
	return out->name;
}

/* The translated instructions; NULL with errno (EPERM also where the kernel hides them). */
static struct bpf_insn *translated(int fd, size_t *n)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return NULL;
	uint32_t size = info.xlated_prog_len;
	struct bpf_insn *insns = calloc(1, size + 1);
	if (!insns)
		return NULL;
	int count = program_insns(fd, insns, size);
	*n = size / sizeof *insns;
	if (count > 0 && (size_t)count == *n)
		return insns;
	free(insns);
	errno = count < 0 ? -count : EPERM;
	return NULL;
}

void program_author(uint32_t id, struct author *out)
{
	size_t n;
	*out = (struct author){.otherwise = -1};
	int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_insn *insns = fd < 0 ? NULL : translated(fd, &n);
	if (!insns) {
		out->unreadable = fd < 0 ? -fd : errno;
	} else if (!author_of(insns, n, out)) {
		struct code c = {insns, insns + n};
		int64_t count = looks_up(&c) ? entries(fd) : -1;
		if (count >= 0)
			*out = (struct author){.name = "libvirt", .rules = (size_t)count, .otherwise = 0};
	}
	free(insns);
	if (fd >= 0)
		close(fd);
}
