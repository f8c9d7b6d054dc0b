/*
 * test_hostprog.c - cgroup/hostprog.c against the running kernel: the host program attached, replaced and
 * taken off, by several at once; others on the root; seen from a namespace.
 */
#include "tests/unit/hostprog.h"

#include <sys/mount.h>

/* ---- attached, replaced, taken off --------------------------------------------------------- */

static void comes_and_goes(void **state)
{
	struct env *e = *state;
	struct hostprog *hp, *again;
	struct hostprog_info info;
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
	assert_done(e, hostprog_change(e->arena, &e->d, &hp));
	assert_null(hp);

	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	uint32_t id = hp->id;
	assert_done(e, hostprog_info(e->arena, &e->d, hp, hostprog_make, &info));
	assert_true(info.genuine && info.id == id && info.parts == HOSTPROG_OBSERVE && !info.after && !info.watchers);
	assert_string_equal(info.tool, DEVGUARD_VERSION);
	hostprog_close(hp);

	/* the same is enough; more parts are another program with the same maps */
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	assert_int_equal(hp->id, id);
	hostprog_close(hp);
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp));
	assert_int_not_equal(hp->id, id);
	assert_int_equal(hp->header.parts, HOSTPROG_OBSERVE | HOSTPROG_GRANTS);
	uint32_t watch = hp->maps.watch_id;
	hostprog_unlock(hp);
	assert_done(e, hostprog_open(e->arena, &e->d, &again));
	assert_int_equal(again->id, hp->id);
	assert_int_equal(again->maps.watch_id, watch);
	hostprog_close(again);
	hostprog_close(hp);

	assert_done(e, hostprog_change(e->arena, &e->d, &hp));
	assert_non_null(hp);
	assert_done(e, hostprog_settle(e->arena, &e->d, hp, hostprog_make));
	hostprog_close(hp);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
}

/* ---- others on the root ----------------------------------------------------------------------- */

static void detach_one(struct env *e, uint32_t id)
{
	struct cgroup *root;
	int fd = bpf_prog_get_fd_by_id(id);
	assert_done(e, cgroup_open(e->arena, &e->d, cgroup_mount(e->arena), &root));
	assert_int_equal(bpf_prog_detach2(fd, root->fd, BPF_CGROUP_DEVICE), 0);
	cgroup_close(root);
	close(fd);
}

static void two_are_refused(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct hostprog_header header = hostprog_header_of(HOSTPROG_OBSERVE, hostprog_features());
	uint32_t one = attach_one(e, header, hostprog_make), two = attach_one(e, header, hostprog_make);
	const char *hint = arena_printf(e->arena, "bpftool cgroup detach %s cgroup_device id %u", cgroup_mount(e->arena), one);
	assert_int_equal(hostprog_open(e->arena, &e->d, &hp), -1);
	assert_error(e, "two host programs", hint);
	assert_int_equal(hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp), -1);
	assert_error(e, "two host programs", hint);
	assert_int_equal(hostprog_tidy(e->arena, &e->d, hostprog_make), -1);
	assert_error(e, "two host programs", hint);
	/* a guard that shuts grants out could not tell both */
	assert_int_equal(guarded_add(e->arena, &e->d, e->cg, false), -1);
	assert_error(e, "two host programs", hint);
	detach_one(e, one);
	assert_done(e, guarded_add(e->arena, &e->d, e->cg, false));
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_int_equal(hp->id, two);
	hostprog_close(hp);
}

static void of_another_version(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct hostprog_header header = hostprog_header_of(HOSTPROG_OBSERVE, hostprog_features());
	header.version++;
	strcpy(header.tool, "9.9");
	uint32_t id = attach_one(e, header, hostprog_make);
	assert_int_equal(hostprog_open(e->arena, &e->d, &hp), -1);
	assert_error(e, "was made by version 9.9 of this tool", "use that version");
	assert_int_equal(hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp), -1);
	assert_error(e, "was made by version 9.9 of this tool", "use that version");
	detach_one(e, id);
}

static void make_nothing(struct arena *a, uint32_t parts, uint32_t features, struct image *out)
{
	static const struct bpf_insn allow[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	(void)a;
	(void)parts;
	(void)features;
	*out = (struct image){.insns = allow, .ninsns = 2};
}

/* Our header, and other instructions: told, and replaced when one is needed. */
static void not_genuine(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	struct hostprog_info info;
	uint32_t id = attach_one(e, hostprog_header_of(HOSTPROG_OBSERVE, hostprog_features()), make_nothing);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_done(e, hostprog_info(e->arena, &e->d, hp, hostprog_make, &info));
	assert_false(info.genuine);
	hostprog_close(hp);
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	assert_int_not_equal(hp->id, id);
	assert_done(e, hostprog_info(e->arena, &e->d, hp, hostprog_make, &info));
	assert_true(info.genuine);
	hostprog_close(hp);
}

/* A program on the root behind it decides after it. */
static void programs_behind(void **state)
{
	static const struct bpf_insn allow[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	struct env *e = *state;
	struct hostprog *hp;
	struct hostprog_info info;
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp));
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "behind", "GPL", allow, 2, NULL);
	assert_int_equal(bpf_prog_attach(fd, hp->root->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	hostprog_close(hp);
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp)); /* replaced: it keeps its place */
	assert_done(e, hostprog_info(e->arena, &e->d, hp, hostprog_make, &info));
	bpf_prog_detach2(fd, hp->root->fd, BPF_CGROUP_DEVICE);
	close(fd);
	assert_int_equal(info.after, 1);
	hostprog_close(hp);
}

/* ---- namespaces ------------------------------------------------------------------------------------ */

/* In a cgroup namespace, and a mount of its own hierarchy: exits with 0 when all is as it should be. */
static int look_from_inside(struct env *e)
{
	struct hostprog *hp;
	struct hostprog_info info;
	struct cgroup *cg;
	uint32_t id = 0;
	const char *at = cgroup_mount(e->arena);
	if (file_write(e->cg->fd, "cgroup.procs", "0") || unshare(CLONE_NEWCGROUP | CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || umount2(at, MNT_DETACH) || mount("none", at, "cgroup2", 0, NULL))
		return 10;
	if (hostprog_open(e->arena, &e->d, &hp) || !hp || hostprog_info(e->arena, &e->d, hp, hostprog_make, &info))
		return 11;
	id = hp->id;
	if (!info.genuine || strcmp(info.root, arena_printf(e->arena, "above %s", at)))
		return 12;
	hostprog_close(hp);
	if (!hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp) || hp || !strstr(e->d.items[e->d.n - 1].text, "namespace"))
		return 13;
	if (!hostprog_change(e->arena, &e->d, &hp) || hp || !strstr(e->d.items[e->d.n - 1].hint, "nsenter"))
		return 14;
	/* the guard of what is seen here is known to it all the same */
	if (cgroup_open(e->arena, &e->d, at, &cg) || cg->id != e->cg->id || guarded_add(e->arena, &e->d, cg, false))
		return 15;
	return id ? 0 : 16;
}

static void in_a_namespace(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	uint32_t value;
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp));
	hostprog_unlock(hp);
	assert_int_equal(finish(start(e, look_from_inside)), 0);
	assert_int_equal(bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GUARDS], &e->cg->id, &value), 0);
	assert_true(value & HOST_GUARD_REFUSES);
	hostprog_close(hp);
}

/* Two tools at once: each gets what it needs. */
static int needs(struct env *e)
{
	for (int i = 0; i < 20; i++) {
		struct hostprog *hp;
		struct watcher *w;
		if (hostprog_need(e->arena, &e->d, HOSTPROG_OBSERVE, hostprog_make, &hp) || watcher_new(e->arena, &e->d, hp, NULL, 0, 4096, &w))
			return 1;
		hostprog_unlock(hp);
		if (!watcher_lives(w))
			return 2;
		hostprog_close(hp);
		if (hostprog_change(e->arena, &e->d, &hp) || !hp)
			return 3;
		watcher_close(w);
		if (hostprog_settle(e->arena, &e->d, hp, hostprog_make))
			return 4;
		hostprog_close(hp);
	}
	return 0;
}

static void tools_take_turns(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	pid_t pids[4];
	for (size_t i = 0; i < COUNT(pids); i++)
		pids[i] = start(e, needs);
	for (size_t i = 0; i < COUNT(pids); i++)
		assert_int_equal(finish(pids[i]), 0);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	assert_null(hp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTPROG_TEST(comes_and_goes),
		HOSTPROG_TEST(two_are_refused),
		HOSTPROG_TEST(of_another_version),
		HOSTPROG_TEST(not_genuine),
		HOSTPROG_TEST(programs_behind),
		HOSTPROG_TEST(in_a_namespace),
		HOSTPROG_TEST(tools_take_turns),
	};
	if (!scratch_possible("hostprog") || !hostprog_possible("hostprog"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
