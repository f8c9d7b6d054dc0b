/* test_who.c - what the names in a policy are here: files and cgroups that are found, and what is not taken. Needs root. */
#include "cgroup/tracefs.h"
#include "cgroup/who.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>


#define CHECK(x) do { if (!(x)) { fprintf(stderr, "test_who.c:%d: %s\n", __LINE__, #x); return 1; } } while (0)

/* A tmpfs that nobody else sees, in the root directory's place of the test. */
static int private_dir(void)
{
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("none", "/mnt", "tmpfs", 0, "mode=755") && !chdir("/mnt"));
	return 0;
}

static int make_file(const char *path, const char *text, mode_t mode, uid_t owner)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !fchown(fd, owner, owner) && !fchmod(fd, mode));
	return close(fd);
}

static struct asked names_of(struct env *e, const char *const *paths, size_t n)
{
	struct asked as = {.arena = e->arena};
	for (size_t i = 0; i < n; i++)
		assert_non_null(asked_path(&as, paths[i], false, (struct span){"p.rb", (int)i + 1, 1}));
	return as;
}

static const char *why(const struct who *who, const char *path)
{
	for (size_t i = 0; i < who->n; i++)
		if (!strcmp(who->list[i].named->path, path))
			return who->list[i].why ? who->list[i].why : "";
	return "it was not asked for";
}

static const struct { const char *path, *text; mode_t mode; uid_t owner; const char *why; } files[] = {
	{"/mnt/good", "\x7f" "ELF", 0755, 0, ""},
	{"/mnt/setuid", "\x7f" "ELF", 04755, 0, ""},
	{"/mnt/only_root", "\x7f" "ELF", 0500, 0, ""},
	{"/mnt/empty", "", 0755, 0, ""},
	{"/mnt/group", "\x7f" "ELF", 0775, 0, "its group may write to it (mode 0775)"},
	{"/mnt/all", "\x7f" "ELF", 0757, 0, "everybody may write to it (mode 0757)"},
	{"/mnt/user", "\x7f" "ELF", 0755, 1000, "it belongs to uid 1000, who can change it"},
	{"/mnt/data", "\x7f" "ELF", 0644, 0, "nobody may run it (mode 0644)"},
	{"/mnt/script", "#!/bin/sh\n", 0755, 0, "it is a script: while it runs, the file of the process is its interpreter"},
	{"/mnt/gone", NULL, 0, 0, "there is no such file"},
	{"/mnt/good/below", NULL, 0, 0, "there is no such file"},
	{"/mnt/fifo", NULL, 0, 0, "it is no file that can be run"},
	{"/mnt/dir", NULL, 0, 0, "it is no file that can be run"},
	{"/mnt/null", NULL, 0, 0, "it is no file that can be run"},
	{"/mnt/loop", NULL, 0, 0, "it cannot be opened: Too many levels of symbolic links"},
	{"/proc/self/exe", NULL, 0, 0, "it cannot be opened: Too many levels of symbolic links"},
	{"/proc/version", NULL, 0, 0, "it is on a file system (type 0x9fa0) where a file that is gone can give its number to another"},
};

static int each_file(struct env *e)
{
	const char *paths[COUNT(files)];
	struct who who;
	struct stat st;
	if (private_dir())
		return 1;
	for (size_t i = 0; i < COUNT(files); i++) {
		paths[i] = files[i].path;
		if (files[i].text && make_file(files[i].path, files[i].text, files[i].mode, files[i].owner))
			return 1;
	}
	CHECK(!mkfifo("fifo", 0755) && !mkdir("dir", 0755) && !mknod("null", S_IFCHR | 0755, makedev(1, 3)) && !symlink("loop", "loop"));
	struct asked as = names_of(e, paths, COUNT(paths));
	CHECK(!who_find(e->arena, &e->d, &as, NULL, &who) && who.n == COUNT(files));
	for (size_t i = 0; i < COUNT(files); i++)
		if (strcmp(why(&who, files[i].path), files[i].why)) {
			fprintf(stderr, "%s: '%s', not '%s'\n", files[i].path, why(&who, files[i].path), files[i].why);
			return 1;
		}
	CHECK(!stat("good", &st) && who.list[0].key.id == st.st_ino && who.list[0].key.generation);
	CHECK(who.list[9].absent && who.list[10].absent && !who.list[4].absent);
	return 0;
}

static const struct { const char *path, *real, *why; } ways[] = {
	{"/mnt/root/tool", "/mnt/root/tool", ""},
	{"/mnt/root/link", "/mnt/root/tool", ""},
	{"/mnt/root/far", "/mnt/root/tool", ""},
	{"/mnt/root/up", "/mnt/root/tool", ""},
	{"/mnt/open/dir/tool", "/mnt/open/dir/tool", ""},
	{"/mnt/user/tool", NULL, "others than root say which file it is: /mnt/user belongs to uid 1000"},
	{"/mnt/user/link", NULL, "others than root say which file it is: /mnt/user belongs to uid 1000"},
	{"/mnt/user/dir/tool", NULL, "others than root say which file it is: /mnt/user belongs to uid 1000"},
	{"/mnt/root/over", NULL, "others than root say which file it is: /mnt/user belongs to uid 1000"},
	{"/mnt/group/tool", NULL, "others than root say which file it is: /mnt/group may be written to by its group (mode 0775)"},
	{"/mnt/open/tool", NULL, "others than root say which file it is: /mnt/open may be written to by everybody"},
	{"/mnt/open/link", NULL, "others than root say which file it is: /mnt/open may be written to by everybody"},
	{"/mnt/open/mine/tool", NULL, "others than root say which file it is: /mnt/open may be written to by everybody"},
	{"/mnt/open/dir/back", NULL, "others than root say which file it is: /mnt/open may be written to by everybody"},
	{"/mnt/root/tool/x", NULL, "there is no such file"},
	{"/proc/self/root/mnt/root/tool", NULL, "it cannot be opened: Too many levels of symbolic links"},
};

static int make_dir(const char *name, mode_t mode, uid_t owner)
{
	char tool[64];
	snprintf(tool, sizeof tool, "%s/tool", name);
	CHECK(!mkdir(name, 0755) && !make_file(tool, "\x7f" "ELF", 0755, 0));
	return chown(name, owner, 0) || chmod(name, mode);
}

/* Which file a name is says who can write to a directory on the way, or to one that a link there leads through. */
static int each_way(struct env *e)
{
	const char *paths[COUNT(ways)];
	struct who who;
	if (private_dir() || make_dir("root", 0755, 0) || make_dir("user", 0755, 1000) || make_dir("group", 0775, 0) ||
	    make_dir("open", 01777, 0) || make_dir("open/dir", 0755, 0) || make_dir("open/mine", 0755, 1000) || make_dir("user/dir", 0755, 0))
		return 1;
	CHECK(!symlink("tool", "root/link") && !symlink("/mnt/open/dir/../../root/./tool", "root/far") && !symlink("../root/link", "root/up"));
	CHECK(!symlink("../user/../root/tool", "root/over") && !symlink("/mnt/root/tool", "open/link") && !symlink("/mnt/root/tool", "user/link"));
	CHECK(!symlink("../tool", "open/dir/back"));
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct asked as = names_of(e, &ways[i].path, 1); /* alone: some are one file */
		paths[i] = ways[i].path;
		CHECK(!who_find(e->arena, &e->d, &as, NULL, &who));
		if (strcmp(why(&who, paths[i]), ways[i].why) || (ways[i].real && strcmp(who.list[0].real, ways[i].real))) {
			fprintf(stderr, "%s: '%s', not '%s'; it is %s\n", paths[i], why(&who, paths[i]), ways[i].why, who.list[0].real);
			return 1;
		}
	}
	return 0;
}

/* Who had it open for writing when it became root's may write to it still; also by a mapping. */
static int written(struct env *e)
{
	const char *const paths[] = {"/mnt/tool"};
	struct who who;
	if (private_dir() || make_file("tool", "\x7f" "ELF", 0755, 0))
		return 1;
	struct asked as = names_of(e, paths, 1);
	int fd = open("tool", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && !who_find(e->arena, &e->d, &as, NULL, &who) && !strcmp(why(&who, "/mnt/tool"), "somebody has it open for writing"));
	void *map = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED && !close(fd) && !who_find(e->arena, &e->d, &as, NULL, &who) && *why(&who, "/mnt/tool"));
	CHECK(!munmap(map, 4) && !who_find(e->arena, &e->d, &as, NULL, &who) && !*why(&who, "/mnt/tool"));
	CHECK((fd = open("tool", O_RDONLY | O_CLOEXEC)) >= 0 && !who_find(e->arena, &e->d, &as, NULL, &who) && !*why(&who, "/mnt/tool"));
	return close(fd);
}

/* A program knows a file by one name: two of one file are an error, whichever way they lead to it. */
static int twice(struct env *e)
{
	const char *const paths[] = {"/mnt/tool", "/mnt/other", "/mnt/link"}, *const apart[] = {"/mnt/tool", "/mnt/other"};
	struct who who;
	if (private_dir() || make_file("tool", "\x7f" "ELF", 0755, 0) || make_file("other", "\x7f" "ELF", 0755, 0))
		return 1;
	CHECK(!symlink("tool", "link"));
	struct asked as = names_of(e, apart, 2);
	CHECK(!who_find(e->arena, &e->d, &as, NULL, &who) && !who.list[0].why && !who.list[1].why);
	as = names_of(e, paths, 3);
	CHECK(who_find(e->arena, &e->d, &as, NULL, &who) == -1 && e->d.items[0].at.line == 3);
	assert_error(e, "'/mnt/tool' and '/mnt/link' are one file here", "leave one of the two names out");
	CHECK(!unlink("link") && !link("tool", "link"));
	CHECK(who_find(e->arena, &e->d, &as, NULL, &who) == -1);
	return 0;
}

/* With a root directory names are looked for below it, whatever links say; an overlay is taken there only. */
static int below_root(struct env *e)
{
	const char *const paths[] = {"/bin/tool", "/bin/out", "/bin/up"};
	struct who here, there;
	if (private_dir())
		return 1;
	CHECK(!mkdir("low", 0755) && !mkdir("low/bin", 0755) && !mkdir("up", 0755) && !mkdir("work", 0755) && !mkdir("root", 0755));
	if (make_file("low/bin/tool", "\x7f" "ELF", 0755, 0) || make_file("outside", "\x7f" "ELF", 0755, 0))
		return 1;
	CHECK(!symlink("/mnt/outside", "low/bin/out") && !symlink("../../../../mnt/outside", "low/bin/up"));
	CHECK(!mount("overlay", "root", "overlay", 0, "lowerdir=low,upperdir=up,workdir=work"));
	struct asked as = names_of(e, paths, 3);
	CHECK(!who_find(e->arena, &e->d, &as, "/mnt/root", &there) && !*why(&there, "/bin/tool") && !there.list[0].key.generation);
	CHECK(there.list[1].absent && there.list[2].absent);
	CHECK(!who_find(e->arena, &e->d, &as, NULL, &here) && here.list[0].absent);
	const char *const on_overlay[] = {"/mnt/root/bin/tool"};
	as = names_of(e, on_overlay, 1);
	CHECK(!who_find(e->arena, &e->d, &as, NULL, &here) && strstr(why(&here, on_overlay[0]), "it is on an overlay"));
	CHECK(strstr(here.list[0].fix, "--exe-root"));
	CHECK(who_find(e->arena, &e->d, &as, "/mnt/nothing", &here) == -1);
	assert_error(e, "--exe-root /mnt/nothing: No such file or directory", "root directory in the container");
	return 0;
}

static int hundreds(struct env *e)
{
	enum { MANY = 300 };
	const char *paths[MANY];
	struct who who;
	if (private_dir())
		return 1;
	for (int i = 0; i < MANY; i++) {
		paths[i] = arena_printf(e->arena, "/mnt/f%d", i);
		if (i % 3 && make_file(paths[i], "\x7f" "ELF", 0755, 0))
			return 1;
	}
	struct asked as = names_of(e, paths, MANY);
	CHECK(!who_find(e->arena, &e->d, &as, NULL, &who));
	for (int i = 0; i < MANY; i++) {
		struct stat st;
		CHECK(i % 3 ? !stat(paths[i], &st) && !who.list[i].why && who.list[i].key.id == st.st_ino : who.list[i].absent);
	}
	return 0;
}

static int in_child(struct env *e, int (*f)(struct env *e))
{
	return finish(start(e, f));
}

static void test_files(void **state) { assert_int_equal(in_child(*state, each_file), 0); }
static void test_ways(void **state) { assert_int_equal(in_child(*state, each_way), 0); }
static void test_written(void **state) { assert_int_equal(in_child(*state, written), 0); }
static void test_twice(void **state) { assert_int_equal(in_child(*state, twice), 0); }
static void test_root(void **state) { assert_int_equal(in_child(*state, below_root), 0); }
static void test_hundreds(void **state) { assert_int_equal(in_child(*state, hundreds), 0); }

static void test_cgroups(void **state)
{
	struct env *e = *state;
	struct asked as = {.arena = e->arena};
	struct who who;
	const char *path = e->cg->path + strlen(e->cg->mount);
	asked_path(&as, path, true, (struct span){0});
	asked_path(&as, "/no/such/cgroup", true, (struct span){0});
	assert_int_equal(who_find(e->arena, &e->d, &as, NULL, &who), 0);
	assert_null(who.list[0].why);
	assert_int_equal(who.list[0].key.id, e->cg->id);
	assert_int_equal(who.list[0].key.device, WHO_DEVICE_CGROUP);
	assert_string_equal(who.list[1].why, "there is no such cgroup");
	assert_true(who.list[1].absent);
}

static int sleeper(struct env *e)
{
	(void)e;
	return pause();
}

static int sleeper_elsewhere(struct env *e)
{
	return chroot("/proc") ? 1 : sleeper(e);
}

/* A root directory is that of a cgroup only when something there has it, and nothing there has this process's own. */
static void test_roots(void **state)
{
	struct env *e = *state;
	struct who_root root, was;
	struct stat at;
	pid_t pid = start(e, sleeper_elsewhere), own = start(e, sleeper);
	for (int i = 0; i < 1000; i++) {
		char link[16] = "", path[40];
		snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
		if (readlink(path, link, sizeof link - 1) > 0 && !strcmp(link, "/proc"))
			break;
		usleep(1000);
	}
	assert_int_equal(who_root_check(e->arena, &e->d, e->parent, "/proc", &root), -1);
	assert_error(e, "is the root directory of no process in", "while it runs");
	assert_int_equal(transient_enter(&e->d, e->cg, pid), 0);
	assert_int_equal(who_root_check(e->arena, &e->d, e->parent, "/proc", &root), 0);
	assert_int_equal(who_root_check(e->arena, &e->d, e->cg, "/proc", &root), 0);
	assert_true(!stat("/proc/.", &at) && root.inode == at.st_ino && root.device == at.st_dev && !stat("/proc/self/ns/mnt", &at));
	assert_int_equal(root.mounts, at.st_ino);
	assert_string_equal(who_root_find(e->arena, e->parent, &root), arena_printf(e->arena, "/proc/%d/root", (int)pid));
	was = root;
	was.mounts++;
	assert_null(who_root_find(e->arena, e->parent, &was)); /* the same directory, with other mounts below it */
	was = root;
	assert_int_equal(who_root_check(e->arena, &e->d, e->cg, "/sys", &root), -1);
	assert_error(e, "is the root directory of no process in", "while it runs");
	assert_int_equal(who_root_check(e->arena, &e->d, e->cg, "/", &root), -1);
	assert_error(e, "is the root directory of this host", "leave --exe-root out");
	assert_int_equal(transient_enter(&e->d, e->parent, own), 0);
	assert_int_equal(who_root_check(e->arena, &e->d, e->parent, "/proc", &root), -1);
	assert_error(e, "has the root directory of this host", "while it runs");
	assert_non_null(who_root_find(e->arena, e->parent, &was));
	kill(pid, SIGKILL);
	kill(own, SIGKILL);
	finish(pid);
	assert_null(who_root_find(e->arena, e->parent, &was));
	finish(own);
}

static int no_types(struct env *e)
{
	const struct who_reads reads = {.facts = INPUT(IN_EUID) | INPUT(IN_EXE), .asks = 1u << ASK_UNDER}, nothing = {0};
	if (private_dir())
		return 1;
	CHECK(!mount("/dev/null", "/sys/kernel/btf/vmlinux", NULL, MS_BIND, NULL) && !mount("none", "/boot", "tmpfs", 0, NULL));
	CHECK(!mount("none", "/lib/modules", "tmpfs", 0, NULL) || !mount("none", "/usr/lib", "tmpfs", 0, NULL));
	CHECK(!who_readable(e->arena, &e->d, "p", &nothing));
	CHECK(who_readable(e->arena, &e->d, "p", &reads) == -1);
	assert_error(e, "this kernel does not tell its types (BTF), by which 'p' reads ctx.euid, ctx.exe, ctx.under?", "CONFIG_DEBUG_INFO_BTF=y");
	return 0;
}

static void test_kernel(void **state)
{
	struct env *e = *state;
	const struct who_reads all = {.facts = INPUT(IN_ASK_0) - INPUT(IN_EUID), .asks = (1u << ASK_KINDS) - 1};
	if (who_readable(e->arena, &e->d, "p", &all)) /* what a kernel leaves out is named */
		assert_error(e, "'p' asks for ctx.login_uid, which it does not tell", "CONFIG_AUDIT=y");
	assert_int_equal(who_features(), (kernel_before(6, 1) ? 0 : FEATURE_TASK_BTF) | (kernel_locked_down() ? 0 : FEATURE_TASK_READ));
	assert_int_equal(in_child(e, no_types), 0);
}

int main(void)
{
	if (!scratch_possible("test_who"))
		return 0;
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_files), SCRATCH_TEST(test_ways), SCRATCH_TEST(test_written), SCRATCH_TEST(test_twice), SCRATCH_TEST(test_root), SCRATCH_TEST(test_hundreds),
		SCRATCH_TEST(test_cgroups), SCRATCH_TEST(test_roots), SCRATCH_TEST(test_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
