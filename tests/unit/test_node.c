/*
 * test_node.c - cmd/grant/node*.c in namespaces of this kernel: where a node is made, what kind, with which owner; what
 * is refused; what is taken away again, and what is not.
 */
#include "tests/unit/node_grant.h"

static void a_node_of_mknod(void **state)
{
	struct env *e = *state;
	struct kept k;
	const char *told;
	struct box b = box_start(e, 0);
	made_at(e, &k, "/dev/gift");
	assert_int_equal(k.now.node, GRANT_NODE_MADE);
	assert_int_equal(k.times, 2);
	assert_memory_equal(&k.now, &k.kept, sizeof k.now);
	assert_string_equal(k.now.node_path, "/dev/gift");
	assert_int_equal(k.now.node_minor, 3);
	assert_true(node_stands(e->arena, &k.now));
	struct answer a = box_ask(&b, 'l', "/dev/gift", NULL);
	assert_int_equal(a.error, 0);
	assert_int_equal(a.mode, S_IFCHR | 0666);
	assert_int_equal(a.rdev, makedev(1, 3));
	assert_int_equal(a.ino, k.now.node_ino);
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), 0);
	assert_int_equal(in_dev(&b), 1);
	assert_int_equal(access("/dev/gift", F_OK), -1);
	removed(e, &k.now);
	assert_false(node_stands(e->arena, &k.now));
	assert_int_equal(in_dev(&b), 0);
	assert_int_equal(remove_it(e, &k.now, &told), 0);
	assert_non_null(strstr(told, "is not there any more"));
	box_end(&b);
	assert_int_equal(remove_it(e, &k.now, &told), 0);
	assert_non_null(strstr(told, "are gone"));
}

static void mounted(struct env *e, int kind, unsigned owner)
{
	struct kept k;
	struct box b = box_start(e, kind);
	made_at(e, &k, "/dev/gift");
	assert_int_equal(k.now.node, GRANT_NODE_MOUNTED);
	assert_int_equal(k.times, 2);
	assert_memory_equal(&k.now, &k.kept, sizeof k.now);
	assert_int_not_equal(k.now.node_mount, 0);
	struct answer a = box_ask(&b, 'l', "/dev/gift", NULL);
	assert_int_equal(a.mode, S_IFCHR | 0666);
	assert_int_equal(a.rdev, makedev(1, 3));
	assert_int_equal(a.uid, owner);
	assert_int_equal(a.gid, owner);
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), 0);
	assert_true(node_stands(e->arena, &k.now));
	/* what is done to it inside is not done to the host's */
	struct stat before, after;
	assert_int_equal(stat("/dev/null", &before), 0);
	assert_int_equal(box_tell(&b, 'C', "/dev/gift", NULL), 0);
	assert_int_equal(stat("/dev/null", &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	removed(e, &k.now);
	assert_int_equal(in_dev(&b), 0);
	box_end(&b);
}
static void a_mount_where_devices_do_not_open(void **state) { mounted(*state, BOX_NODEV, 0); }
static void a_mount_in_a_user_namespace(void **state) { mounted(*state, BOX_USER, 0); }

/* A node of the host that is root's alone is the container's root's alone. */
static void mode_and_owner_are_the_hosts(void **state)
{
	struct env *e = *state;
	struct kept k;
	char path[] = "/tmp/dgtest-node.XXXXXX";
	struct box b = box_start(e, BOX_USER);
	assert_non_null(mkdtemp(path));
	const char *host = arena_printf(e->arena, "%s/null", path);
	assert_int_equal(mknod(host, S_IFCHR, makedev(1, 3)), 0);
	assert_int_equal(chmod(host, 0640), 0);
	assert_int_equal(chown(host, 0, 44), 0);
	struct node_wish w = wish(e, "/dev/gift");
	w.device = host;
	memset(&k, 0, sizeof k);
	entry_new(e, &k.now);
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), 0);
	assert_int_equal(e->d.n, 0);
	struct answer a = box_ask(&b, 'l', "/dev/gift", NULL);
	assert_int_equal(a.mode, S_IFCHR | 0640);
	assert_int_equal(a.uid, 0);
	assert_int_equal(a.gid, 44);
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), 0);
	removed(e, &k.now);
	unlink(host);
	rmdir(path);
	box_end(&b);
}

static void the_path_of_the_device_without_one(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, 0);
	struct node_wish w = wish(e, NULL);
	w.device = NULL; /* the kernel's own name */
	memset(&k, 0, sizeof k);
	entry_new(e, &k.now);
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), 0);
	assert_string_equal(k.now.node_path, "/dev/null");
	removed(e, &k.now);
	w.major = 4000;
	k.now.key.major = 4000;
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), -1);
	assert_error(e, "has no name here", "--node=/dev/NAME");
	box_end(&b);
}

static void what_is_there_is_left(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, 0);
	assert_int_equal(box_tell(&b, 'n', "/dev/null", NULL), 0);
	assert_int_equal(box_tell(&b, 'n', "/dev/zero", "z"), 0);
	assert_int_equal(box_tell(&b, 'w', "/dev/file", NULL), 0);
	assert_int_equal(box_tell(&b, 's', "/dev/null", "/dev/link"), 0);
	const struct { const char *path; enum node_sight sight; } seen[] = {{"/dev/null", SIGHT_NODE}, {"/dev/zero", SIGHT_OTHER},
	        {"/dev/link", SIGHT_UNKNOWN}, {"/dev/link/x", SIGHT_UNKNOWN}, {"/dev/gift", SIGHT_NOTHING}, {"/dev/net/gift", SIGHT_NOTHING}};
	for (size_t i = 0; i < COUNT(seen); i++) {
		struct node_wish w = wish(e, seen[i].path);
		assert_int_equal(node_sight(e->arena, &w), seen[i].sight);
	}
	made_at(e, &k, "/dev/null");
	assert_int_equal(k.now.node, GRANT_NODE_NONE);
	assert_int_equal(k.times, 0);
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, "is there already"));
	const struct { const char *path, *what; } list[] = {{"/dev/zero", "c 1:5"}, {"/dev/file", "a file"}, {"/dev/link", "a symbolic link"},
	                                                     {"/dev", "a directory"}};
	for (size_t i = 0; i < COUNT(list); i++) {
		assert_int_equal(make_at(e, &k, list[i].path), -1);
		assert_int_equal(k.times, 0);
		assert_int_equal(k.now.node, GRANT_NODE_NONE);
		assert_error(e, arena_printf(e->arena, "'%s' is %s: it is left", list[i].path, list[i].what), "another path");
	}
	box_end(&b);
}

static void directories_come_and_go_with_it(void **state)
{
	struct env *e = *state;
	for (int kind = 0; kind <= BOX_USER; kind++) {
		struct kept k;
		const char *told;
		struct box b = box_start(e, kind);
		made_at(e, &k, "/dev/bus/usb/001/002");
		struct answer a = box_ask(&b, 'l', "/dev/bus", NULL);
		assert_int_equal(a.mode, S_IFDIR | 0755);
		assert_int_equal(a.uid, 0);
		assert_int_equal(a.ino, k.now.node_dir);
		assert_int_equal(box_tell(&b, 'o', "/dev/bus/usb/001/002", NULL), 0);
		removed(e, &k.now);
		assert_int_equal(box_tell(&b, 'l', "/dev/bus", NULL), ENOENT);
		/* one that is used by others stays, and is told */
		made_at(e, &k, "/dev/bus/usb/001/002");
		assert_int_equal(box_tell(&b, 'w', "/dev/bus/mine", NULL), 0);
		assert_int_equal(remove_it(e, &k.now, &told), 1);
		assert_non_null(strstr(told, "not empty"));
		assert_int_equal(box_tell(&b, 'l', "/dev/bus/mine", NULL), 0);
		assert_int_equal(box_tell(&b, 'l', "/dev/bus/usb", NULL), ENOENT);
		/* one that was there is not ours */
		made_at(e, &k, "/dev/bus/other");
		assert_int_equal(k.now.node_dir, 0);
		assert_int_equal(box_tell(&b, 'u', "/dev/bus/mine", NULL), 0);
		removed(e, &k.now);
		assert_int_equal(box_tell(&b, 'd', "/dev/bus", NULL), 0);
		assert_int_equal(in_dev(&b), 0);
		box_end(&b);
	}
}

/* ---- refused ------------------------------------------------------------------------------------ */

static void refused(struct env *e, const char *path, const char *text, const char *hint)
{
	struct kept k;
	assert_int_equal(make_at(e, &k, path), -1);
	assert_int_equal(k.times, 0);
	assert_int_equal(k.now.node, GRANT_NODE_NONE);
	assert_error(e, text, hint);
}

static void paths_that_are_none(void **state)
{
	struct env *e = *state;
	struct box b = box_start(e, 0);
	const char *const list[] = {"dev/x", "/", "/dev/", "/dev/../x", "/dev/./x", "/dev//x", ""};
	for (size_t i = 0; i < COUNT(list); i++)
		refused(e, list[i], "not the path of a node", "--node=/dev/fuse");
	char deep[300] = "/";
	memset(deep + 1, 'x', 280);
	refused(e, deep, "not the path of a node", "--node=/dev/fuse");
	box_end(&b);
}

static void no_process(void **state)
{
	struct env *e = *state;
	struct kept k;
	refused(e, "/dev/gift", "no process runs in", "start it first");
	struct node_wish w = wish(e, "/dev/gift");
	w.pid = getpid(); /* it is in another cgroup */
	entry_new(e, &k.now);
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), -1);
	assert_error(e, "ended or was moved", "try again");
}

static int pauses(struct env *e)
{
	(void)e;
	for (;;)
		pause();
	return 0;
}

static void a_process_with_the_hosts_mounts(void **state)
{
	struct env *e = *state;
	struct kept k;
	pid_t pid = start(e, pauses);
	assert_int_equal(transient_enter(&e->d, e->cg, pid), 0);
	refused(e, "/dev/shm/dgtest-gift", "has the mounts of this host", "mknod");
	assert_int_equal(access("/dev/shm/dgtest-gift", F_OK), -1);
	made_at(e, &k, "/dev/null");
	assert_int_equal(k.now.node, GRANT_NODE_NONE);
	kill(pid, SIGKILL);
	finish(pid);
}

static void places_that_are_not_the_containers_alone(void **state)
{
	struct env *e = *state;
	struct box b = box_start(e, 0);
	assert_int_equal(box_tell(&b, 's', "/old/dev/shm", "/dev/away"), 0);
	refused(e, "/dev/away/gift", "'/dev/away' is a symbolic link", "without links");
	assert_int_equal(box_tell(&b, 'k', "/dev/shared", NULL), 0);
	assert_int_equal(box_tell(&b, 'b', "/old/dev/shm", "/dev/shared"), 0);
	refused(e, "/dev/shared/gift", "is shared with this host", "only the container sees");
	refused(e, "/old/dev/dgtest-gift", "is shared with this host", "only the container sees");
	refused(e, "/old/tmp/gift", "not on a tmpfs", "--node=/dev/NAME");
	refused(e, "/old/proc/gift", "is on proc, not on a tmpfs", "--node=/dev/NAME");
	assert_int_equal(box_tell(&b, 'w', "/dev/file", NULL), 0);
	refused(e, "/dev/file/gift", "'/dev/file' as process", "another path");
	assert_int_equal(box_tell(&b, 'R', "/dev", NULL), 0);
	refused(e, "/dev/gift", "mounted read-only", "can be written");
	box_end(&b);
}

static void a_record_that_cannot_be_kept(void **state)
{
	struct env *e = *state;
	for (int kind = 0; kind <= BOX_USER; kind++)
		for (unsigned at = 1; at <= 2; at++) {
			struct kept k = {.refuse = at, .d = &e->d};
			struct box b = box_start(e, kind);
			struct node_wish w = wish(e, "/dev/net/gift");
			entry_new(e, &k.now);
			assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), -1);
			assert_int_equal(k.times, at);
			assert_int_equal(k.now.node, GRANT_NODE_NONE);
			assert_error(e, "no room", "none");
			assert_int_equal(in_dev(&b), 0);
			assert_int_equal(box_tell(&b, 'l', "/dev/net", NULL), ENOENT);
			box_end(&b);
		}
}

/* ---- in whose mounts ---------------------------------------------------------------------------------- */

static void below_the_root_directory_of_the_process(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, 0);
	assert_int_equal(box_tell(&b, 'f', "same", NULL), 0); /* one that stays outside */
	assert_int_equal(box_tell(&b, 'k', "/jail", NULL), 0);
	assert_int_equal(box_tell(&b, 'k', "/jail/dev", NULL), 0);
	assert_int_equal(box_tell(&b, 'c', "/jail", NULL), 0);
	struct node_wish w = wish(e, "/dev/gift");
	w.pid = b.pid;
	memset(&k, 0, sizeof k);
	entry_new(e, &k.now);
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), 0);
	assert_string_equal(k.now.node_path, "/jail/dev/gift");
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), 0);
	removed(e, &k.now);
	assert_int_equal(in_dev(&b), 0);
	box_end(&b);
}

static void other_mounts_are_told(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, 0);
	unsigned other = box_ask(&b, 'f', "apart", NULL).count;
	char root[64];
	struct stat st, ours;
	snprintf(root, sizeof root, "/proc/%u/ns/mnt", other);
	for (int i = 0; i < 2000; i++, usleep(1000)) /* until it has its own */
		if (!stat(root, &st) && !stat(arena_printf(e->arena, "/proc/%d/ns/mnt", (int)b.pid), &ours) && st.st_ino != ours.st_ino)
			break;
	made_at(e, &k, "/dev/gift");
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, arena_printf(e->arena, "such as %u", other)));
	assert_int_equal(k.now.node_ns, ours.st_ino);
	/* its first process ends: the tmpfs is another's still */
	close(b.socket);
	int status;
	assert_int_equal(waitpid(b.pid, &status, 0), b.pid);
	char path[64];
	snprintf(path, sizeof path, "/proc/%u/root/dev/gift", other);
	assert_int_equal(access(path, F_OK), 0);
	removed(e, &k.now);
	assert_int_equal(access(path, F_OK), -1);
	kill((pid_t)other, SIGKILL);
}

static void mounts_that_were_made_anew(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, 0);
	made_at(e, &k, "/dev/gift");
	assert_int_equal(box_tell(&b, 'N', "", NULL), 0); /* nobody has those of before */
	removed(e, &k.now);
	assert_int_equal(in_dev(&b), 0);
	box_end(&b);
}

/* ---- what is not ours ------------------------------------------------------------------------------------ */

static void another_in_its_place_stays(void **state)
{
	struct env *e = *state;
	for (int kind = 0; kind <= BOX_NODEV; kind += BOX_NODEV) {
		struct kept k;
		const char *told;
		struct box b = box_start(e, kind);
		made_at(e, &k, "/dev/gift");
		if (kind)
			assert_int_equal(box_tell(&b, 'U', "/dev/gift", NULL), 0);
		assert_int_equal(box_tell(&b, 'r', "/dev/gift", "/dev/moved"), 0);
		assert_int_equal(box_tell(&b, 'n', "/dev/gift", NULL), 0); /* the same number, made inside */
		assert_int_equal(remove_it(e, &k.now, &told), 0);
		assert_non_null(strstr(told, "is not there any more"));
		assert_int_equal(in_dev(&b), 2);
		box_end(&b);
	}
}

static void a_mount_over_it_stays(void **state)
{
	struct env *e = *state;
	for (int kind = 0; kind <= BOX_USER; kind++) {
		struct kept k;
		const char *told;
		struct box b = box_start(e, kind);
		made_at(e, &k, "/dev/gift");
		assert_int_equal(box_tell(&b, 'w', "/dev/file", NULL), 0);
		assert_int_equal(box_tell(&b, 'b', "/dev/file", "/dev/gift"), 0);
		assert_int_equal(remove_it(e, &k.now, &told), -1);
		assert_non_null(strstr(told, "something else is mounted over"));
		assert_int_equal(box_tell(&b, 'U', "/dev/gift", NULL), 0);
		removed(e, &k.now);
		assert_int_equal(in_dev(&b), 1);
		box_end(&b);
	}
}

static void a_mount_that_was_taken_away_inside(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, BOX_USER);
	made_at(e, &k, "/dev/gift");
	assert_int_equal(box_tell(&b, 'U', "/dev/gift", NULL), 0);
	removed(e, &k.now); /* the file below it */
	assert_int_equal(in_dev(&b), 0);
	box_end(&b);
}

/* ---- of no use -------------------------------------------------------------------------------------------- */

static void one_that_the_process_may_not_open_is_told(void **state)
{
	struct env *e = *state;
	struct kept k;
	struct box b = box_start(e, BOX_USER);
	struct node_wish w = wish(e, "/dev/gift");
	assert_int_equal(box_tell(&b, 'i', "", NULL), 0); /* user 1000, no capabilities */
	w.device = "/dev/not-there"; /* root's alone then */
	memset(&k, 0, sizeof k);
	entry_new(e, &k.now);
	assert_int_equal(node_make(e->arena, &e->d, &w, &k.now, keep, &k), 0);
	assert_int_equal(e->d.warnings, 1);
	assert_non_null(strstr(e->d.items[0].text, "runs as user 1000, and the node is of user 0, group 0, mode 0600"));
	assert_string_equal(e->d.items[0].hint, "in the container, as its root: chmod o+rw /dev/gift");
	assert_int_equal(box_tell(&b, 'o', "/dev/gift", NULL), EACCES);
	removed(e, &k.now);
	box_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_node_of_mknod),
		SCRATCH_TEST(a_mount_where_devices_do_not_open),
		SCRATCH_TEST(a_mount_in_a_user_namespace),
		SCRATCH_TEST(mode_and_owner_are_the_hosts),
		SCRATCH_TEST(the_path_of_the_device_without_one),
		SCRATCH_TEST(what_is_there_is_left),
		SCRATCH_TEST(directories_come_and_go_with_it),
		SCRATCH_TEST(paths_that_are_none),
		SCRATCH_TEST(no_process),
		SCRATCH_TEST(a_process_with_the_hosts_mounts),
		SCRATCH_TEST(places_that_are_not_the_containers_alone),
		SCRATCH_TEST(a_record_that_cannot_be_kept),
		SCRATCH_TEST(below_the_root_directory_of_the_process),
		SCRATCH_TEST(other_mounts_are_told),
		SCRATCH_TEST(mounts_that_were_made_anew),
		SCRATCH_TEST(another_in_its_place_stays),
		SCRATCH_TEST(a_mount_over_it_stays),
		SCRATCH_TEST(a_mount_that_was_taken_away_inside),
		SCRATCH_TEST(one_that_the_process_may_not_open_is_told),
	};
	return scratch_possible("node") ? cmocka_run_group_tests_name("node", tests, NULL, NULL) : 0;
}
