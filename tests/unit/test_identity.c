/* test_identity.c - which file an open one is, as the kernel has it. Needs root. */
#include "cgroup/identity.h"
#include "cgroup/kernel_types.h"
#include "cgroup/who.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <bpf/btf.h>
#include <linux/fs.h>

static int made(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static struct identity identity_of(struct env *e, int fd)
{
	struct identity id;
	if (identities_of(e->arena, &e->d, &fd, 1, &id))
		fail_msg("%s", e->d.items[0].text);
	return id;
}

static struct identity identity_at(struct env *e, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct identity id = identity_of(e, fd);
	close(fd);
	return id;
}

/* The directory of the test, with a tmpfs that nobody else sees. */
static const char *private_dir(void)
{
	static char dir[] = "/tmp/devguard-identity.XXXXXX";
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("none", dir, "tmpfs", 0, NULL), 0);
	assert_int_equal(chdir(dir), 0);
	return dir;
}

static void leave(const char *dir)
{
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	rmdir(dir);
}

/* Runs the test in a process of its own, for its mounts. */
static void in_child(struct env *e, int (*f)(struct env *e))
{
	int status = finish(start(e, f));
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

#define CHECK(x) do { if (!(x)) { fprintf(stderr, "test_identity.c:%d: %s\n", __LINE__, #x); return 1; } } while (0)

static bool matches(const struct identity *id, const struct stat *st)
{
	return id->inode == st->st_ino && id->device == (major(st->st_dev) << 20 | minor(st->st_dev)) && id->owner == st->st_uid &&
	       id->mode == st->st_mode;
}

/* On file systems that have no view of their own in stat(2). */
static int as_stat_says(struct env *e)
{
	struct stat st;
	const char *dir = private_dir();
	int fd = made("one", "x"), other = made("two", "y");
	struct identity id = identity_of(e, fd), second = identity_of(e, other);
	CHECK(!fstat(fd, &st) && matches(&id, &st) && id.generation);
	CHECK(second.device == id.device && second.inode != id.inode);
	CHECK(!fchown(fd, 12, 34) && !fchmod(fd, 04775));
	id = identity_of(e, fd);
	CHECK(!fstat(fd, &st) && matches(&id, &st) && id.owner == 12 && (id.mode & 07777) == 04775);
	leave(dir);
	return 0;
}

/* Many at once, in any order, one twice; and one that is not open. */
static int many(struct env *e)
{
	enum { MANY = 700 };
	int fds[MANY + 1];
	struct identity id[MANY + 1];
	struct stat st;
	char name[16];
	struct rlimit limit = {2 * MANY, 2 * MANY};
	setrlimit(RLIMIT_NOFILE, &limit);
	const char *dir = private_dir();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "f%d", i);
		fds[MANY - 1 - i] = made(name, name);
	}
	fds[MANY] = fds[3];
	CHECK(!identities_of(e->arena, &e->d, fds, MANY + 1, id));
	for (int i = 0; i <= MANY; i++)
		CHECK(!fstat(fds[i], &st) && matches(&id[i], &st));
	close(fds[5]);
	CHECK(identities_of(e->arena, &e->d, fds, MANY, id) == -1 && strstr(e->d.items[0].text, "cannot ask the kernel"));
	leave(dir);
	return 0;
}

/* An inode that comes back for another file is told by its generation. */
static int reused(struct env *e)
{
	const char *dir = private_dir();
	bool came_back = false;
	if (system("truncate -s 8M img && mkfs.ext4 -q -F -O metadata_csum img && mkdir m && mount -o loop img m") || chdir("m")) {
		fprintf(stderr, "test_identity: skipped: no ext4 on a loop device here\n");
		leave(dir);
		return 77;
	}
	int fd = made("tool", "one"), version = 0;
	struct identity before = identity_of(e, fd), after;
	CHECK(!ioctl(fd, FS_IOC_GETVERSION, &version) && (uint32_t)version == before.generation);
	close(fd);
	for (int i = 0; i < 50 && !came_back; i++) {
		CHECK(!unlink("tool"));
		close(made("tool", "two"));
		after = identity_at(e, "tool");
		came_back = after.inode == before.inode;
	}
	CHECK(came_back && after.device == before.device && after.generation != before.generation);
	CHECK(!chdir("..") && !umount("m"));
	leave(dir);
	return 0;
}

/* What an overlay shows is its own: no generation, and not the file below. */
static int overlaid(struct env *e)
{
	const char *dir = private_dir();
	struct stat st;
	CHECK(!mkdir("low", 0755) && !mkdir("up", 0755) && !mkdir("work", 0755) && !mkdir("m", 0755));
	close(made("low/tool", "x"));
	if (mount("overlay", "m", "overlay", 0, "lowerdir=low,upperdir=up,workdir=work")) {
		leave(dir);
		return 77;
	}
	struct identity below = identity_at(e, "low/tool"), above = identity_at(e, "m/tool");
	CHECK(below.generation && !above.generation && below.device != above.device);
	CHECK(!stat("m", &st) && above.device == (major(st.st_dev) << 20 | minor(st.st_dev)));
	CHECK(!umount("m"));
	leave(dir);
	return 0;
}

/* On btrfs a snapshot has files with the same numbers: they are told apart by the subvolume. */
static int subvolumes(struct env *e)
{
	const char *dir = private_dir();
	struct kernel_field f;
	if (system("truncate -s 120M img && mkfs.btrfs -q img >/dev/null 2>&1 && mkdir m && mount -o loop img m") || chdir("m")) {
		fprintf(stderr, "test_identity: skipped: no btrfs on a loop device here\n");
		leave(dir);
		return 77;
	}
	CHECK(!system("btrfs -q subvolume create one && echo x >one/tool && echo y >tool && btrfs -q subvolume snapshot one two"));
	struct identity top = identity_at(e, "tool"), one = identity_at(e, "one/tool"), two = identity_at(e, "two/tool");
	CHECK(one.inode == two.inode && one.generation == two.generation && one.device == two.device && one.device == top.device);
	struct kernel_types *types = kernel_types_open();
	bool told = types && kernel_field(types, "btrfs_inode", "root", &f) && /* not before Linux 5.11, */
	            who_features() & FEATURE_TASK_READ;                          /* nor locked down */
	kernel_types_close(types);
	CHECK(told ? one.volume && two.volume && one.volume != two.volume && top.volume == 5 : !one.volume && !top.volume);
	CHECK(one.untold == !told && top.untold == !told);
	int fd = made("/tmp/devguard-plain", "x"); /* on another file system, asked together with one of btrfs */
	int fds[2] = {fd, open("tool", O_RDONLY | O_CLOEXEC)};
	struct identity both[2];
	CHECK(!identities_of(e->arena, &e->d, fds, 2, both) && !both[0].volume && !both[0].untold && both[1].volume == top.volume);
	close(fds[0]);
	close(fds[1]);
	CHECK(!unlink("/tmp/devguard-plain") && !chdir("..") && !umount("m"));
	leave(dir);
	return 0;
}

static void test_as_stat_says(void **state) { in_child(*state, as_stat_says); }
static void test_many(void **state) { in_child(*state, many); }
static void test_reused(void **state) { in_child(*state, reused); }
static void test_overlaid(void **state) { in_child(*state, overlaid); }
static void test_subvolumes(void **state) { in_child(*state, subvolumes); }

static void test_fields(void **state)
{
	(void)state;
	struct kernel_field f, whole;
	struct kernel_types *types = kernel_types_open();
	assert_non_null(types);
	assert_true(kernel_field(types, "inode", "i_uid", &whole) && kernel_field(types, "inode", "i_uid.val", &f));
	assert_int_equal(f.offset, whole.offset);
	assert_int_equal(f.size, 4);
	assert_true(kernel_field(types, "task_struct", "real_cred", &f) && f.size == 8);
	assert_true(kernel_field(types, "file", "f_inode", &f)); /* in a struct without a name, on some kernels */
	assert_false(kernel_field(types, "inode", "i_nothing", &f));
	assert_false(kernel_field(types, "inode", "i_ino.val", &f));
	assert_false(kernel_field(types, "inode", "", &f));
	assert_false(kernel_field(types, "no_such_struct", "i_ino", &f));
	kernel_types_close(types);
}

int main(void)
{
	if (!scratch_possible("test_identity"))
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), SCRATCH_TEST(test_as_stat_says), SCRATCH_TEST(test_many), SCRATCH_TEST(test_reused),
		SCRATCH_TEST(test_overlaid), SCRATCH_TEST(test_subvolumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
