/*
 * sweep.c - removes the pins of guards whose cgroup is gone.
 *
 * One process a host, which holds a lock on the directory of pins, looks when one of
 * their cgroups is removed and when a pin is added, and ends when there are none. It
 * shares nothing with the runtime that started it: no descriptors, no session, no cgroup.
 * That a link outlives its cgroup, with cgroup id 0, is the kernel's: bpf_cgroup_link.
 */
#include "cgroup/link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { LOOK_MS = 10000 }; /* also without an event: a cgroup may be gone before it is watched */

/* Removes one pin if its cgroup is gone; else watches that. True: it stays. */
static bool stays(int directory, const char *name, struct cgroup_paths *paths, int events)
{
	char path[PIN_PATH];
	struct bpf_link_info info;
	snprintf(path, sizeof path, "%s/" LINK_DIRECTORY "/%.24s", link_bpffs(), name);
	int fd = bpf_obj_get(path);
	if (fd < 0)
		return errno != ENOENT;
	bool alive = link_info(fd, &info) && info.cgroup.cgroup_id;
	close(fd);
	if (!alive) {
		unlinkat(directory, name, 0);
		return false;
	}
	struct arena *a = arena_new();
	const char *cgroup = a ? cgroup_path_of(paths, info.cgroup.cgroup_id) : NULL, *mount = a ? cgroup_mount(a) : NULL;
	if (cgroup && mount)
		inotify_add_watch(events, arena_printf(a, "%s%s", mount, cgroup), IN_DELETE_SELF | IN_ONLYDIR);
	arena_free(a);
	return true;
}

/* How many pins there are after removing what can be. */
static size_t look(int directory, struct cgroup_paths *paths, int events)
{
	size_t left = 0;
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.')
			left += stays(directory, e->d_name, paths, events);
	if (dir)
		closedir(dir);
	return left;
}

static void wait_for(int events)
{
	char buf[4096];
	struct pollfd p = {.fd = events, .events = POLLIN};
	if (poll(&p, 1, LOOK_MS) > 0)
		while (read(events, buf, sizeof buf) > 0)
			;
}

static void sweep(int directory, const char *path)
{
	struct arena *a = arena_new();
	struct cgroup_paths *paths = a ? cgroup_paths_new(a) : NULL;
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!paths || events < 0 || inotify_add_watch(events, path, IN_CREATE) < 0)
		return;
	/* whoever adds a pin and finds the lock taken relies on the holder: look again
	 * after giving it up */
	while (!flock(directory, LOCK_EX | LOCK_NB)) {
		while (look(directory, paths, events))
			wait_for(events);
		flock(directory, LOCK_UN);
		if (!look(directory, paths, events))
			return;
	}
}

/* Leaves the session, the descriptors and the cgroup of the caller. */
static void detach_from_caller(void)
{
	struct arena *a = arena_new();
	const char *mount = a ? cgroup_mount(a) : NULL;
	setsid();
	if (chdir("/"))
		_exit(1);
	if (mount)
		file_write(AT_FDCWD, arena_printf(a, "%s/cgroup.procs", mount), "0");
	arena_free(a);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	prctl(PR_SET_NAME, "devguard-sweep", 0, 0, 0);
	close_range(3, ~0u, 0);
}

int link_sweeper(struct diags *d)
{
	char path[PIN_PATH];
	const char *bpffs = link_bpffs();
	if (!bpffs)
		return 0;
	snprintf(path, sizeof path, "%s/" LINK_DIRECTORY, bpffs);
	pid_t child = fork();
	if (child < 0) {
		diag_add(d, DIAG_WARNING, (struct span){0}, "the next container started with the hook removes it",
		         "the guard's pin may stay after the container: %s", strerror(errno));
		return -1;
	}
	if (child > 0) {
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		return 0;
	}
	if (fork()) /* the second is nobody's child */
		_exit(0);
	detach_from_caller();
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory >= 0)
		sweep(directory, path);
	_exit(0);
}
