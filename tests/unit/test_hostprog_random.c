/*
 * test_hostprog_random.c - the host program against a model of it: a tree of cgroups down to below the level that it looks
 * at, a program of others that denies in three ways, grants and guards and leases without order, and each request put to
 * the kernel.
 */
#include "cgroup/hostprog.h"
#include "compiler/compiler.h"
#include "tests/unit/policy_files.h"
#include "tests/unit/scratch.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

enum { NODES = 24, CHAIN = 18, MAJORS = 2, MINORS = 8, MAJOR = 1000, GRANTS = 40, ROUNDS = 60, ASKED = 60 };

struct place {
	struct cgroup *cg;
	struct probe *probe;
	int parent; /* -1: the scratch cgroup's own parent */
	unsigned level;
	bool refuses;
};

struct world {
	struct env *e;
	struct rng rng;
	struct hostprog *hp;
	struct place places[NODES];
	struct host_grant grants[GRANTS]; /* id 0: none */
	int holder[GRANTS];               /* index of its place */
	uint64_t next;
	unsigned opened, shut; /* requests that a grant opened; that one would have, but for a guard or the depth */
};

/* By minor: 0 and 4 are allowed, 1 denied by 0, 2 by an errno, 3 by both, and so on. */
static int foreign_program(void)
{
	const struct bpf_insn code[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 6, .src_reg = 1, .off = 8},
		{.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = 6, .imm = 3},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 7, .imm = 1},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 6, .imm = 0, .off = 6},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 6, .imm = 2, .off = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 7, .imm = 0},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 6, .imm = 1, .off = 3},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = -ENODEV},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
		{.code = BPF_JMP | BPF_JA, .off = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 0, .src_reg = 7},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = BPF_CGROUP_DEVICE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "foreign", "GPL", code, COUNT(code), &how);
	assert_true(fd >= 0);
	return fd;
}

static bool foreign_denies(uint32_t minor)
{
	return minor & 3;
}

static unsigned level_of(const struct cgroup *cg)
{
	unsigned level = 0;
	for (const char *at = cg->path + strlen(cg->mount); *at; at++)
		level += *at == '/';
	return level;
}

static void make_places(struct world *w)
{
	struct env *e = w->e;
	for (int i = 0; i < NODES; i++) {
		struct place *p = &w->places[i];
		p->parent = i < CHAIN ? i - 1 : (int)below(&w->rng, CHAIN);
		const struct cgroup *parent = p->parent < 0 ? e->cg : w->places[p->parent].cg;
		assert_int_equal(transient_new(e->arena, &e->d, parent->path, PREFIX, &p->cg), 0);
		p->level = level_of(p->cg);
		assert_int_equal(probe_open_in(e->arena, &e->d, p->cg, &p->probe), 0);
	}
}

/* ---- the model ------------------------------------------------------------------------ */

static bool on_the_way(const struct world *w, int place, int other)
{
	for (; place >= 0; place = w->places[place].parent)
		if (place == other)
			return true;
	return false;
}

static bool refused(const struct world *w, int place)
{
	bool any = w->places[place].level > HOSTPROG_LEVELS;
	for (; place >= 0; place = w->places[place].parent)
		any |= w->places[place].refuses;
	return any;
}

static bool covered(const struct world *w, int place, const struct request *r)
{
	uint64_t now = boot_ns();
	for (int i = 0; i < GRANTS; i++) {
		const struct host_grant *g = &w->grants[i];
		if (g->id && on_the_way(w, place, w->holder[i]) && g->key.type == (uint64_t)r->type && g->key.major == r->major &&
		    (g->key.minor == r->minor || g->key.minor == GRANT_ANY_MINOR) && !(r->access & ~g->access) &&
		    (!g->until || g->until > now))
			return true;
	}
	return false;
}

static bool allowed(const struct world *w, int place, const struct request *r)
{
	return !foreign_denies(r->minor) || (!refused(w, place) && covered(w, place, r));
}

/* ---- changes ----------------------------------------------------------------------------- */

static void change_grant(struct world *w)
{
	struct env *e = w->e;
	unsigned i = below(&w->rng, GRANTS);
	struct host_grant *g = &w->grants[i];
	if (g->id && below(&w->rng, 2)) {
		assert_int_equal(grant_remove(&e->d, w->hp, &g->key, 1), 1);
		g->id = 0;
		return;
	}
	struct grant_key key = {.major = MAJOR + below(&w->rng, MAJORS), .type = below(&w->rng, 2) ? DEV_CHAR : DEV_BLOCK,
	                        .minor = below(&w->rng, 4) ? below(&w->rng, MINORS) : GRANT_ANY_MINOR};
	int place = (int)below(&w->rng, NODES);
	key.cgroup = w->places[place].cg->id;
	for (int k = 0; k < GRANTS; k++) /* one with this key is replaced */
		if (w->grants[k].id && !memcmp(&w->grants[k].key, &key, sizeof key))
			g = &w->grants[k];
	if (g->id && memcmp(&g->key, &key, sizeof key))
		return;
	static const uint64_t leases[] = {0, 0, 1, 3600000000000};
	uint64_t lease = leases[below(&w->rng, COUNT(leases))];
	*g = (struct host_grant){.key = key, .id = ++w->next, .access = 1 + below(&w->rng, ACC_ALL)};
	g->until = lease > 1 ? boot_ns() + lease : lease;
	w->holder[g - w->grants] = place;
	assert_int_equal(grant_put(e->arena, &e->d, w->hp, g, 1), 0);
}

static void change_guard(struct world *w)
{
	struct env *e = w->e;
	struct place *p = &w->places[below(&w->rng, NODES)];
	p->refuses = !below(&w->rng, 6);
	if (p->refuses)
		assert_int_equal(guarded_add(e->arena, &e->d, p->cg, false), 0);
	else
		guarded_renew(e->arena, p->cg);
}

static void ask(struct world *w)
{
	static const uint8_t sets[] = {0, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD};
	int place = (int)below(&w->rng, NODES);
	struct request r = {.type = below(&w->rng, 2) ? DEV_CHAR : DEV_BLOCK, .major = MAJOR + below(&w->rng, MAJORS),
	                    .minor = below(&w->rng, MINORS), .access = sets[below(&w->rng, COUNT(sets))]};
	const char *why = "";
	enum probe_answer got = probe_ask(w->places[place].probe, &r, &why);
	bool want = allowed(w, place, &r);
	w->opened += want && foreign_denies(r.minor);
	w->shut += !want && covered(w, place, &r);
	if (got != (want ? PROBE_ALLOW : PROBE_DENY))
		fail_msg("place %d (level %u): %s %u:%u access %d: the kernel says %d (%s), the model %d", place, w->places[place].level,
		         r.type == DEV_CHAR ? "c" : "b", r.major, r.minor, r.access, got, why, want);
}

static void the_kernel_does_what_the_model_says(void **state)
{
	struct env *e = *state;
	const char *seed = getenv("SEED"), *hint;
	struct world w = {.e = e, .rng = {seed ? strtoull(seed, NULL, 0) | 1 : 20261129}, .next = 1};
	if (hostprog_closed(e->arena, &hint))
		skip();
	int foreign = foreign_program();
	assert_int_equal(bpf_prog_attach(foreign, e->cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	make_places(&w);
	assert_true(w.places[CHAIN - 1].level > HOSTPROG_LEVELS);
	if (hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &w.hp))
		fail_msg("%s", e->d.items[0].text);
	hostprog_unlock(w.hp);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			change_grant(&w);
		change_guard(&w);
		for (int i = 0; i < ASKED; i++)
			ask(&w);
	}
	if (w.opened < 200 || w.shut < 100)
		fail_msg("%u opened, %u shut: too few to tell", w.opened, w.shut);
	for (int i = 0; i < GRANTS; i++)
		if (w.grants[i].id)
			grant_remove(&e->d, w.hp, &w.grants[i].key, 1);
	for (int i = NODES; i-- > 0;) {
		w.places[i].refuses = false;
		guarded_renew(e->arena, w.places[i].cg);
		probe_close(w.places[i].probe);
		transient_end(w.places[i].cg);
	}
	close(foreign);
	hostprog_close(w.hp);
	struct hostprog *hp = NULL;
	assert_int_equal(hostprog_change(e->arena, &e->d, &hp), 0);
	assert_non_null(hp);
	assert_int_equal(hostprog_settle(e->arena, &e->d, hp, hostprog_make), 0);
	hostprog_close(hp);
}

int main(void)
{
	if (!scratch_possible("test_hostprog_random"))
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_kernel_does_what_the_model_says, setup, teardown),
	};
	return cmocka_run_group_tests_name("the host program at random", tests, NULL, NULL);
}
