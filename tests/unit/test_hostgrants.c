/*
 * test_hostgrants.c - grants in the running kernel: what they open and what not, at every level, for how long; and guards of ours,
 * below which they open nothing.
 */
#define SCRATCH_OBJECT
#include "tests/unit/hostprog.h"

#define DAY_NS (86400ull * 1000000000)

/* The host program with grants, unlocked; *hp is to be closed. */
static struct hostprog *with_grants(struct env *e)
{
	struct hostprog *hp;
	assert_done(e, hostprog_need(e->arena, &e->d, HOSTPROG_GRANTS, hostprog_make, &hp));
	hostprog_unlock(hp);
	return hp;
}

static void put(struct env *e, struct hostprog *hp, struct host_grant g)
{
	assert_done(e, grant_put(e->arena, &e->d, hp, &g, 1));
}

static void take(struct env *e, struct hostprog *hp, struct host_grant g)
{
	assert_int_equal(grant_remove(&e->d, hp, &g.key, 1), 1);
}

/* ---- what they cover -------------------------------------------------------------------- */

/* Every grant against every request. */
static void all_asked_must_be_covered(void **state)
{
	static const char *const accesses[] = {"r", "w", "rw", "m", "-"};
	static const uint32_t sets[] = {ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD, 0};
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct probe *pr;
	attach_denier(e->cg, 0);
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	for (uint32_t given = 0; given <= ACC_ALL; given++) {
		struct host_grant g = make_grant(e->cg->id, 'c', 10, 229, given);
		put(e, hp, g);
		for (size_t i = 0; i < COUNT(accesses); i++) {
			assert_int_equal(allowed(e, pr, arena_printf(e->arena, "c 10:229 %s", accesses[i])), !(sets[i] & ~given));
			assert_false(allowed(e, pr, arena_printf(e->arena, "c 10:228 %s", accesses[i])));
			assert_false(allowed(e, pr, arena_printf(e->arena, "b 10:229 %s", accesses[i])));
			assert_false(allowed(e, pr, arena_printf(e->arena, "c 11:229 %s", accesses[i])));
		}
		take(e, hp, g);
	}
	probe_close(pr);
	hostprog_close(hp);
}

static void any_minor(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct probe *pr;
	attach_denier(e->cg, 0);
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	struct host_grant any = make_grant(e->cg->id, 'b', 7, GRANT_ANY_MINOR, ACC_READ), one = make_grant(e->cg->id, 'b', 7, 5, ACC_WRITE);
	put(e, hp, any);
	assert_true(allowed(e, pr, "b 7:0 r") && allowed(e, pr, "b 7:1048575 r") && !allowed(e, pr, "b 7:5 w") && !allowed(e, pr, "c 7:5 r"));
	put(e, hp, one); /* each entry must cover all alone */
	assert_true(allowed(e, pr, "b 7:5 w") && allowed(e, pr, "b 7:5 r") && !allowed(e, pr, "b 7:5 rw") && !allowed(e, pr, "b 7:4 w"));
	take(e, hp, any);
	assert_true(allowed(e, pr, "b 7:5 w") && !allowed(e, pr, "b 7:5 r"));
	probe_close(pr);
	hostprog_close(hp);
}

/* Whatever errno the programs below deny by. */
static void every_errno_is_a_denial(void **state)
{
	static const int errnos[] = {0, EPERM, EACCES, ENODEV, EINVAL, ENXIO, EIO, 4095};
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	put(e, hp, make_grant(e->parent->id, 'c', 1, 5, ACC_READ));
	for (size_t i = 0; i < COUNT(errnos); i++) {
		struct cgroup *cg;
		assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &cg));
		attach_denier(cg, errnos[i]);
		attach_denier(cg, errnos[(i + 1) % COUNT(errnos)]); /* several, too */
		assert_true(allowed_in(e, cg, "c 1:5 r"));
		assert_false(allowed_in(e, cg, "c 1:7 r"));
		transient_end(cg);
	}
	hostprog_close(hp);
}

/* A grant of each cgroup of a path of 17 (levels 1 to 17), seen from each. */
static void levels(void **state)
{
	enum { DEEPEST = HOSTPROG_LEVELS + 1 };
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct cgroup *at[DEEPEST + 1] = {NULL, e->parent, e->cg};
	attach_denier(e->parent, 0);
	for (int level = 3; level <= DEEPEST; level++)
		assert_done(e, transient_new(e->arena, &e->d, at[level - 1]->path, "l", &at[level]));
	for (int from = 1; from <= DEEPEST; from += from < 4 || from > 14 ? 1 : 5) {
		struct probe *pr;
		assert_done(e, probe_open_in(e->arena, &e->d, at[from], &pr));
		for (int of = 1; of <= DEEPEST; of++) {
			struct host_grant g = make_grant(at[of]->id, 'c', 1, 5, ACC_READ);
			put(e, hp, g);
			if (allowed(e, pr, "c 1:5 r") != (of <= from && from <= HOSTPROG_LEVELS))
				fail_msg("a grant at level %d, asked at level %d", of, from);
			take(e, hp, g);
		}
		probe_close(pr);
	}
	/* of the root: all */
	put(e, hp, make_grant(hp->root->id, 'c', 1, 5, ACC_READ));
	assert_true(allowed_in(e, at[HOSTPROG_LEVELS], "c 1:5 r"));
	assert_false(allowed_in(e, at[DEEPEST], "c 1:5 r"));
	for (int level = DEEPEST; level > 2; level--)
		transient_end(at[level]);
	hostprog_close(hp);
}

static void others_get_nothing(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct cgroup *beside;
	assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &beside));
	attach_denier(e->parent, 0);
	put(e, hp, make_grant(e->cg->id, 'c', 1, 5, ACC_READ));
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	assert_false(allowed_in(e, beside, "c 1:5 r"));
	assert_false(allowed_in(e, e->parent, "c 1:5 r"));
	/* a cgroup of the same name is another one */
	char *path = arena_strdup(e->arena, e->cg->path);
	transient_end(e->cg);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_done(e, cgroup_open(e->arena, &e->d, path, &e->cg));
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	transient_end(beside);
	hostprog_close(hp);
}

/* ---- how long ------------------------------------------------------------------------------ */

static void leases_end_by_themselves(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct probe *pr;
	attach_denier(e->cg, 0);
	assert_done(e, probe_open_in(e->arena, &e->d, e->cg, &pr));
	struct host_grant g = make_grant(e->cg->id, 'c', 1, 5, ACC_READ);
	g.until = 1;
	put(e, hp, g);
	assert_false(allowed(e, pr, "c 1:5 r"));
	g.until = boot_ns() + DAY_NS;
	put(e, hp, g);
	assert_true(allowed(e, pr, "c 1:5 r"));
	g.until = boot_ns() + 200 * 1000000ull;
	put(e, hp, g);
	hostprog_close(hp); /* nothing of ours holds it */
	while (boot_ns() < g.until)
		usleep(10000);
	assert_false(allowed(e, pr, "c 1:5 r"));
	probe_close(pr);
}

/* ---- many ------------------------------------------------------------------------------------- */

static void all_of_a_grant_or_none(void **state)
{
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct host_grant *list, *read;
	size_t n, most = HOSTPROG_GRANTS_MAX + 100;
	list = arena_alloc(e->arena, most * sizeof *list);
	for (size_t i = 0; i < most; i++) {
		list[i] = make_grant(e->cg->id, 'c', (uint32_t)(i / 1000), (uint32_t)(i % 1000), ACC_READ);
		list[i].id = 7;
	}
	struct host_grant before = list[50];
	before.id = 6;
	before.access = ACC_WRITE;
	put(e, hp, before);
	assert_int_equal(grant_put(e->arena, &e->d, hp, list, most), -1);
	assert_error(e, "no room for more grants", "revoke");
	assert_done(e, grants_read(e->arena, &e->d, hp, &read, &n)); /* as it was */
	assert_int_equal(n, 1);
	assert_int_equal(read[0].id, 6);
	assert_int_equal(read[0].access, ACC_WRITE);

	assert_done(e, grant_put(e->arena, &e->d, hp, list, 10000));
	assert_done(e, grants_read(e->arena, &e->d, hp, &read, &n));
	assert_int_equal(n, 10000);
	assert_int_equal(grant_next_id(hp, read, n, 2), 8);
	assert_int_equal(grant_next_id(hp, read, n, 1), 10);
	assert_int_equal(grant_next_id(hp, NULL, 0, 1), 11);
	struct grant_key *keys = arena_alloc(e->arena, most * sizeof *keys);
	for (size_t i = 0; i < most; i++)
		keys[i] = list[most - 1 - i].key; /* most are not there */
	assert_int_equal(grant_remove(&e->d, hp, keys, most), 10000);
	assert_done(e, grants_read(e->arena, &e->d, hp, &read, &n));
	assert_int_equal(n, 0);
	hostprog_close(hp);
}

/* The kernel gives freed entries to other keys at once: who looks at one then must not believe it. */
static void entries_in_other_hands(void **state)
{
	enum { ROUNDS = 3000 };
	struct env *e = *state;
	struct hostprog *hp = with_grants(e);
	struct cgroup *other;
	struct host_grant few = make_grant(e->cg->id, 'c', 1, 5, ACC_WRITE), more;
	assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &other));
	attach_denier(e->parent, 0);
	more = make_grant(other->id, 'c', 1, 5, ACC_ALL);
	pid_t never = asks(e->cg, 0, EPERM), never_too = asks(e->cg, 0, EPERM);
	for (int i = 0; i < ROUNDS; i++) { /* no waiting for programs in between */
		bpf_map_update_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &few.key, &few, BPF_ANY);
		bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &few.key);
		bpf_map_update_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &more.key, &more, BPF_ANY);
		bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &more.key);
	}
	end_asking(never);
	end_asking(never_too);
	put(e, hp, more);
	pid_t always = asks(other, 0, 0);
	for (int i = 0; i < ROUNDS; i++) {
		bpf_map_update_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &few.key, &few, BPF_ANY);
		bpf_map_delete_elem(hp->maps.fd[HOSTPROG_MAP_GRANTS], &few.key);
	}
	end_asking(always);
	transient_end(other);
	hostprog_close(hp);
}

/* ---- guards --------------------------------------------------------------------------------------- */

/* The policy of the test's object (it denies c 1:5 r), with `grants :allowed` or without. */
static struct program *policy(struct env *e, const char *name, bool grants, bool permissive)
{
	struct program *p;
	struct image_header h;
	char *copy = arena_strndup(e->arena, object, object_len);
	uint64_t magic = IMAGE_MAGIC;
	char *at = memmem(copy, object_len, &magic, sizeof magic);
	assert_non_null(at);
	memcpy(&h, at, sizeof h);
	snprintf(h.name, sizeof h.name, "%s", name);
	h.features |= grants ? FEATURE_GRANTS : 0;
	h.mode = permissive ? MODE_PERMISSIVE : h.mode;
	memcpy(at, &h, sizeof h);
	if (load_bytes(e, copy, &p))
		fail_msg("%s", e->d.items[0].text);
	return p;
}

static void guard(struct env *e, const struct cgroup *cg, const char *name, bool grants)
{
	struct program *p = policy(e, name, grants, false);
	uint32_t replaced;
	assert_done(e, cgroup_attach(e->arena, &e->d, cg, p, name, &replaced));
	program_close(p);
}

static void unguard(struct env *e, const struct cgroup *cg, const char *name)
{
	assert_done(e, cgroup_detach(e->arena, &e->d, cg, name, NULL));
}

static uint32_t entry(struct hostprog *hp, const struct cgroup *cg)
{
	uint32_t value = 0;
	return bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GUARDS], &cg->id, &value) ? 0 : value;
}

static void guards_shut_grants_out(void **state)
{
	struct env *e = *state;
	struct attached at;
	const char *path;
	need_object();
	struct hostprog *hp = with_grants(e);
	put(e, hp, make_grant(e->parent->id, 'c', 1, 5, ACC_READ));
	put(e, hp, make_grant(e->cg->id, 'c', 1, 5, ACC_READ));
	guard(e, e->cg, "shut", false);
	assert_int_equal(entry(hp, e->cg), HOST_GUARD_REFUSES);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_done(e, grants_refused_by(e->arena, &e->d, e->cg, &at, &path));
	assert_true(at.ours && !at.grants);
	assert_string_equal(at.name, "shut");
	assert_string_equal(path, e->cg->path);

	/* replaced by one that allows them, and back */
	guard(e, e->cg, "shut", true);
	assert_int_equal(entry(hp, e->cg), 0);
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	assert_done(e, grants_refused_by(e->arena, &e->d, e->cg, &at, &path));
	assert_false(at.ours);
	guard(e, e->cg, "shut", false);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	/* all on a cgroup must allow them */
	guard(e, e->cg, "open", true);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	unguard(e, e->cg, "shut");
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	/* and all above */
	guard(e, e->parent, "above", false);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_done(e, grants_refused_by(e->arena, &e->d, e->cg, &at, &path));
	assert_string_equal(path, e->parent->path);
	unguard(e, e->parent, "above");
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	unguard(e, e->cg, "open");
	assert_int_equal(entry(hp, e->cg), 0);
	hostprog_close(hp);
}

/* Programs of others that deny beside a guard: what the guard says of grants counts for all. Also of a permissive one. */
static void guards_beside_others(void **state)
{
	struct env *e = *state;
	uint32_t replaced;
	need_object();
	struct hostprog *hp = with_grants(e);
	put(e, hp, make_grant(e->cg->id, 'c', 1, 3, ACC_READ)); /* the guard allows it */
	attach_denier(e->cg, EACCES);
	assert_true(allowed_in(e, e->cg, "c 1:3 r"));
	struct program *p = policy(e, "watches", false, true);
	assert_done(e, cgroup_attach(e->arena, &e->d, e->cg, p, "watches", &replaced));
	program_close(p);
	assert_false(allowed_in(e, e->cg, "c 1:3 r"));
	guard(e, e->cg, "watches", true);
	assert_true(allowed_in(e, e->cg, "c 1:3 r"));
	hostprog_close(hp);
}

/* Guards that were there before the host program, of a link, and of a cgroup that goes. */
static void guards_from_before(void **state)
{
	struct env *e = *state;
	struct cgroup *gone;
	need_object();
	guard(e, e->parent, "before", false);
	struct hostprog *hp = with_grants(e);
	assert_int_equal(entry(hp, e->parent), HOST_GUARD_REFUSES);
	put(e, hp, make_grant(e->cg->id, 'c', 1, 5, ACC_READ));
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	unguard(e, e->parent, "before");

	struct program *p = policy(e, "linked", false, false);
	assert_done(e, link_attach(e->arena, &e->d, e->cg, p, "linked"));
	program_close(p);
	assert_int_equal(entry(hp, e->cg), HOST_GUARD_REFUSES);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_int_equal(link_detach(&e->d, e->cg), 1);
	assert_int_equal(entry(hp, e->cg), 0);

	assert_done(e, transient_new(e->arena, &e->d, e->parent->path, PREFIX, &gone));
	guard(e, gone, "gone", false);
	uint64_t id = gone->id;
	transient_end(gone);
	uint32_t value;
	assert_int_equal(bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GUARDS], &id, &value), 0);
	hostprog_sweep(e->arena, hp);
	assert_int_equal(bpf_map_lookup_elem(hp->maps.fd[HOSTPROG_MAP_GUARDS], &id, &value), -ENOENT);
	hostprog_close(hp);
}

/* What tools that were killed left: before the guard was attached, and before the entry of one that was detached went. */
static void guards_of_killed_tools(void **state)
{
	struct env *e = *state;
	need_object();
	struct hostprog *hp = with_grants(e);
	put(e, hp, make_grant(e->cg->id, 'c', 1, 5, ACC_READ));
	attach_denier(e->cg, 0);
	assert_done(e, guarded_add(e->arena, &e->d, e->cg, false));
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	hostprog_sweep(e->arena, hp);
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));

	guard(e, e->cg, "killed", false);
	struct attached *list;
	size_t n;
	guarded_unsettle(e->arena, e->cg);
	assert_int_equal(entry(hp, e->cg), HOST_GUARD_REFUSES | HOST_GUARD_UNSETTLED);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_done(e, cgroup_query(e->arena, &e->d, e->cg, &list, &n));
	int fd = bpf_prog_get_fd_by_id(attached_named(list, n, "killed")->id);
	assert_int_equal(bpf_prog_detach2(fd, e->cg->fd, BPF_CGROUP_DEVICE), 0);
	close(fd);
	hostprog_sweep(e->arena, hp);
	assert_int_equal(entry(hp, e->cg), 0);
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	hostprog_close(hp);
}

/* No room for a guard's entry: it is not attached. */
static void no_room_for_a_guard(void **state)
{
	struct env *e = *state;
	uint32_t replaced, value = HOST_GUARD_REFUSES;
	struct attached *list;
	size_t n;
	need_object();
	struct hostprog *hp = with_grants(e);
	for (uint64_t id = UINT64_MAX; UINT64_MAX - id < HOSTPROG_GUARDS_MAX; id--) /* of no cgroup: there is room again */
		bpf_map_update_elem(hp->maps.fd[HOSTPROG_MAP_GUARDS], &id, &value, BPF_ANY);
	guard(e, e->cg, "first", false);
	unguard(e, e->cg, "first");
	hostprog_off(e);
	hostprog_close(hp);

	/* a host program with a table of one */
	struct hostprog_header header = hostprog_header_of(HOSTPROG_GRANTS, hostprog_features());
	struct bpf_map_create_opts opts = {.sz = sizeof opts, .map_flags = BPF_F_NO_PREALLOC};
	struct hostmaps maps;
	struct cgroup *root;
	const char *log;
	assert_int_equal(hostmaps_new(&header, &maps), 0);
	close(maps.fd[HOSTPROG_MAP_GUARDS]);
	maps.fd[HOSTPROG_MAP_GUARDS] = bpf_map_create(BPF_MAP_TYPE_HASH, "devguard_guards", 8, 4, 1, &opts);
	int fd = hostprog_load(e->arena, hostprog_make, &maps, header.parts, header.features, &log);
	assert_true(fd >= 0);
	assert_done(e, cgroup_open(e->arena, &e->d, cgroup_mount(e->arena), &root));
	assert_int_equal(bpf_prog_attach(fd, root->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI), 0);
	close(fd);
	hostmaps_close(&maps);
	cgroup_close(root);
	guard(e, e->parent, "first", false);
	struct program *p = policy(e, "second", false, false);
	assert_int_equal(cgroup_attach(e->arena, &e->d, e->cg, p, "second", &replaced), -1);
	assert_error(e, "has no room for", "revoke --all");
	assert_int_equal(link_attach(e->arena, &e->d, e->cg, p, "second"), -1);
	assert_error(e, "has no room for", "revoke --all");
	program_close(p);
	assert_done(e, cgroup_query(e->arena, &e->d, e->cg, &list, &n));
	assert_int_equal(n, 0);
	guard(e, e->cg, "third", true); /* that needs none */
}

/* As on Linux 5.18, where the program is told the caller's own cgroup only: guards above count all the same. */
static void without_the_cgroups_above(void **state)
{
	struct env *e = *state;
	struct hostprog *hp;
	need_object();
	attach_one(e, hostprog_header_of(HOSTPROG_GRANTS, HOSTPROG_RETVAL), hostprog_make);
	assert_done(e, hostprog_open(e->arena, &e->d, &hp));
	attach_denier(e->parent, 0);
	put(e, hp, make_grant(e->parent->id, 'c', 1, 5, ACC_READ));
	assert_true(allowed_in(e, e->parent, "c 1:5 r"));
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	put(e, hp, make_grant(e->cg->id, 'c', 1, 5, ACC_READ));
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	guard(e, e->parent, "above", false);
	assert_false(allowed_in(e, e->cg, "c 1:5 r") || allowed_in(e, e->parent, "c 1:5 r"));
	hostprog_sweep(e->arena, hp);
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	guard(e, e->cg, "own", false);
	unguard(e, e->parent, "above");
	assert_false(allowed_in(e, e->cg, "c 1:5 r"));
	assert_true(allowed_in(e, e->parent, "c 1:5 r"));
	unguard(e, e->cg, "own");
	assert_true(allowed_in(e, e->cg, "c 1:5 r"));
	guard(e, e->parent, "above", false);
	guard(e, e->parent, "above", true);
	assert_true(allowed_in(e, e->cg, "c 1:5 r") && allowed_in(e, e->parent, "c 1:5 r"));
	hostprog_close(hp);
}

int main(int argc, char **argv)
{
	read_object(argc > 1 ? argv[1] : getenv("DEVGUARD_TEST_OBJECT"));
	const struct CMUnitTest tests[] = {
		HOSTPROG_TEST(all_asked_must_be_covered),
		HOSTPROG_TEST(any_minor),
		HOSTPROG_TEST(every_errno_is_a_denial),
		HOSTPROG_TEST(levels),
		HOSTPROG_TEST(others_get_nothing),
		HOSTPROG_TEST(leases_end_by_themselves),
		HOSTPROG_TEST(all_of_a_grant_or_none),
		HOSTPROG_TEST(entries_in_other_hands),
		HOSTPROG_TEST(guards_shut_grants_out),
		HOSTPROG_TEST(guards_beside_others),
		HOSTPROG_TEST(guards_from_before),
		HOSTPROG_TEST(guards_of_killed_tools),
		HOSTPROG_TEST(no_room_for_a_guard),
		HOSTPROG_TEST(without_the_cgroups_above),
	};
	if (!scratch_possible("hostgrants") || !hostprog_possible("hostgrants"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
