/*
 * box.h - a container for tests of nodes: a process in a scratch cgroup with mounts of its own, that does what it is told.
 *
 * Its root directory is a tmpfs, its /dev another one. What it is told to do it does as its root: nothing of it is
 * forbidden to it but by the kernel.
 */
#ifndef DEVGUARD_TESTS_BOX_H
#define DEVGUARD_TESTS_BOX_H

#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

enum box_kind { BOX_USER = 1 /* a user namespace */, BOX_NODEV = 2 /* /dev opens no devices */, BOX_IDS = 100000 };

struct box {
	pid_t pid;
	int socket;
	char base[64];  /* a directory of the host, where the box's root is mounted while it begins */
};

struct told { char what; char a[200], b[200]; };
struct answer {
	int error;
	unsigned mode, uid, gid;
	uint64_t rdev, ino;
	unsigned count;
};

/* ---- in the box -------------------------------------------------------------------------------- */

/* Device nodes, and whatever has a name of ours, in a directory and below. */
static unsigned box_count(const char *path)
{
	char below[512];
	struct stat st;
	unsigned n = 0;
	DIR *list = opendir(path);
	for (struct dirent *e; list && (e = readdir(list));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(below, sizeof below, "%s/%s", path, e->d_name);
		if (lstat(below, &st))
			continue;
		n += S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || S_ISREG(st.st_mode) || !strncmp(e->d_name, ".devguard", 9);
		n += S_ISDIR(st.st_mode) ? box_count(below) : 0;
	}
	if (list)
		closedir(list);
	return n;
}

/* Two names change places for ever. */
static pid_t box_swap(const char *a, const char *b)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

/* Another process, with mounts of its own if it is to have some: these outlive the box. */
static pid_t box_fork(bool apart)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	if (!apart)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (apart && unshare(CLONE_NEWNS))
		_exit(1);
	for (;;)
		pause();
}

/* The way to a directory leads elsewhere, and back, for ever. */
static pid_t box_cover(const char *from, const char *over)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		mount(from, over, NULL, MS_BIND, NULL);
		umount2(over, MNT_DETACH);
	}
}

/* Takes what is asked of a file system, and does not answer. */
static pid_t box_ignore(int fd)
{
	static char request[1 << 17];
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int n = 0; n < 2; n++) /* the first is FUSE_INIT, which is answered */
		if (read(fd, request, sizeof request) > 0 && !n) {
			struct { uint32_t len; int32_t error; uint64_t unique; uint32_t major, minor, ahead, flags; char rest[48]; } out = {
				sizeof out, 0, 0, 7, 31, 0, 0, {0}};
			memcpy(&out.unique, request + 8, 8);
			if (write(fd, &out, sizeof out) != sizeof out)
				_exit(1);
		}
	for (;;)
		pause();
}

/* A file system that nobody answers for. */
static int box_fuse(const char *path, int *fd)
{
	char options[80];
	*fd = open("/fuse", O_RDWR);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", *fd);
	return *fd < 0 || mount("fuse", path, "fuse", 0, options) ? errno : 0;
}

static int box_do(const struct told *t, struct answer *out)
{
	static int kept = -1;
	static pid_t last;
	struct stat st;
	int fd;
	switch (t->what) {
	case 'o': fd = open(t->a, O_RDWR); if (fd >= 0) close(fd); return fd < 0 ? errno : 0;
	case 'l':
		if (lstat(t->a, &st))
			return errno;
		*out = (struct answer){0, st.st_mode, st.st_uid, st.st_gid, st.st_rdev, st.st_ino, 0};
		return 0;
	case 'k': return mkdir(t->a, 0755) ? errno : 0;
	case 's': return symlink(t->a, t->b) ? errno : 0;
	case 'w': fd = open(t->a, O_WRONLY | O_CREAT, 0644); if (fd >= 0) close(fd); return fd < 0 ? errno : 0;
	case 'n': return mknod(t->a, S_IFCHR | 0666, makedev(1, t->b[0] == 'z' ? 5 : 3)) ? errno : 0;
	case 'u': return unlink(t->a) ? errno : 0;
	case 'd': return rmdir(t->a) ? errno : 0;
	case 'r': return rename(t->a, t->b) ? errno : 0;
	case 'b': return mount(t->a, t->b, NULL, MS_BIND, NULL) ? errno : 0;
	case 't': return mount("none", t->a, "tmpfs", 0, "mode=755") ? errno : 0;
	case 'R': return mount("none", t->a, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ? errno : 0;
	case 'S': return mount("none", t->a, NULL, MS_SHARED | MS_REC, NULL) ? errno : 0;
	case 'U': return umount2(t->a, MNT_DETACH) ? errno : 0;
	case 'c': return chroot(t->a) || chdir("/") ? errno : 0;
	case 'C': return chmod(t->a, 0) ? errno : 0;
	case 'F': return box_fuse(t->a, &kept);
	case 'i': return setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ? errno : 0;
	case 'N': return unshare(CLONE_NEWNS) ? errno : 0;
	case '#': out->count = box_count(t->a); return 0;
	case 'x': last = box_swap(t->a, t->b); return 0;
	case 'm': last = box_cover(t->a, t->b); return 0;
	case 'I': last = box_ignore(kept); return 0;
	case 'f': last = box_fork(t->a[0] == 'a'); out->count = (unsigned)last; return 0;
	case 'X': kill(last, SIGKILL); waitpid(last, NULL, 0); return 0;
	default: return ENOSYS;
	}
}

static _Noreturn void box_run(int socket)
{
	struct told t;
	while (recv(socket, &t, sizeof t, 0) == sizeof t) {
		struct answer out = {0};
		out.error = box_do(&t, &out);
		send(socket, &out, sizeof out, 0);
	}
	_exit(0);
}

static int box_mounts(const struct box *b, int kind)
{
	char dev[128], old[128], fuse[128];
	snprintf(dev, sizeof dev, "%s/dev", b->base);
	snprintf(old, sizeof old, "%s/old", b->base);
	snprintf(fuse, sizeof fuse, "%s/fuse", b->base);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", b->base, "tmpfs", 0, "mode=755") || mkdir(dev, 0755) ||
	    mkdir(old, 0755) || mount("none", dev, "tmpfs", kind & BOX_NODEV ? MS_NODEV : 0, "mode=755"))
		return -1;
	if (!(kind & BOX_USER))
		mknod(fuse, S_IFCHR | 0666, makedev(10, 229));
	return syscall(SYS_pivot_root, b->base, old) || chdir("/") ? -1 : 0;
}

static _Noreturn void box_child(const struct box *b, int socket, int kind)
{
	char go;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(kind & BOX_USER ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) || send(socket, "u", 1, 0) != 1 ||
	    recv(socket, &go, 1, 0) != 1)
		_exit(1);
	if (kind & BOX_USER && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (box_mounts(b, kind) || send(socket, "m", 1, 0) != 1)
		_exit(1);
	box_run(socket);
}

/* ---- outside ---------------------------------------------------------------------------------------- */

static void box_map(pid_t pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "0 %d 65536\n", BOX_IDS);
	assert_int_equal(fclose(f), 0);
}

static inline struct box box_start(struct env *e, int kind)
{
	struct box b;
	int pair[2];
	char ready;
	strcpy(b.base, "/tmp/dgtest-box.XXXXXX");
	assert_non_null(mkdtemp(b.base));
	assert_int_equal(chmod(b.base, 0755), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	b.pid = fork();
	if (!b.pid) {
		close(pair[0]);
		box_child(&b, pair[1], kind);
	}
	close(pair[1]);
	b.socket = pair[0];
	assert_int_equal(transient_enter(&e->d, e->cg, b.pid), 0);
	assert_int_equal(recv(b.socket, &ready, 1, 0), 1);
	if (kind & BOX_USER) {
		box_map(b.pid, "uid_map");
		box_map(b.pid, "gid_map");
	}
	assert_int_equal(send(b.socket, "g", 1, 0), 1);
	assert_int_equal(recv(b.socket, &ready, 1, 0), 1);
	assert_int_equal(rmdir(b.base), 0); /* its mount is the root of the box now */
	return b;
}

static inline void box_end(struct box *b)
{
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
	close(b->socket);
}

static inline struct answer box_ask(struct box *b, char what, const char *a, const char *second)
{
	struct told t = {.what = what};
	struct answer out;
	snprintf(t.a, sizeof t.a, "%s", a);
	snprintf(t.b, sizeof t.b, "%s", second ? second : "");
	assert_int_equal(send(b->socket, &t, sizeof t, 0), sizeof t);
	assert_int_equal(recv(b->socket, &out, sizeof out, 0), sizeof out);
	return out;
}

static inline int box_tell(struct box *b, char what, const char *a, const char *second)
{
	return box_ask(b, what, a, second).error;
}

#endif
