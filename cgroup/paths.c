/*
 * paths.c - the path of a cgroup by its id, which is its directory's inode number.
 *
 * The kernel opens a directory by that number (needs CAP_DAC_READ_SEARCH); where it
 * may not, the hierarchy is walked. Answers are kept, since the cgroup of a record
 * is often gone soon after; ids are never given twice. As many are kept as fit
 * in a table of fixed size: what is returned is valid until the next call.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETS = 1024, WAYS = 4, FILEID_CGROUP = 0xfe /* the kernel's FILEID_KERNFS */ };

struct known {
	uint64_t id;  /* 0: free */
	char *path;   /* NULL or empty: not to be found */
	size_t room;
};
struct cgroup_paths {
	struct arena *arena;
	const char *mount; /* NULL: none */
	struct known known[SETS][WAYS];
	unsigned char next[SETS]; /* the one to be forgotten */
};

struct cgroup_paths *cgroup_paths_new(struct arena *a)
{
	struct cgroup_paths *paths = arena_alloc(a, sizeof *paths);
	paths->arena = a;
	paths->mount = cgroup_mount(a);
	return paths;
}

/* The part of an absolute path below the mount, or NULL when it is not below it. */
static const char *below_mount(const char *mount, const char *path)
{
	size_t n = strlen(mount);
	if (n && mount[n - 1] == '/')
		n--;
	if (strncmp(path, mount, n) || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n : "/";
}

/* The directory of that id, wherever it is; -errno, ENOENT: there is none, else this way is closed here. */
static int open_by_id(const char *mount, uint64_t id)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof id];
	} h = {.handle = {.handle_bytes = sizeof id, .handle_type = FILEID_CGROUP}};
	memcpy(h.bytes + offsetof(struct file_handle, f_handle), &id, sizeof id);
	int root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	int fd = open_by_handle_at(root, &h.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	close(root);
	return !error ? fd : error == ESTALE ? -ENOENT : -error;
}

/* 1 found, 0 there is none, -1 this way is closed here. */
static int by_handle(const char *mount, uint64_t id, char path[PATH_MAX])
{
	int fd = open_by_id(mount, id);
	if (fd < 0)
		return fd == -ENOENT ? 0 : -1;
	char link[64];
	struct stat st, seen;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n < 0 ? 0 : n] = '\0';
	/* a cgroup removed meanwhile, or outside of what is mounted here, has no such path */
	int result = n < 0 ? -1 : !fstat(fd, &st) && !stat(path, &seen) && st.st_ino == seen.st_ino;
	close(fd);
	return result;
}

static int by_walking(const char *mount, uint64_t id, char path[PATH_MAX])
{
	char *const roots[] = {(char *)mount, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *e;
	int found = 0;
	while (tree && !found && (e = fts_read(tree)))
		if (e->fts_info == FTS_D && e->fts_statp->st_ino == id &&
		    e->fts_pathlen < PATH_MAX) {
			memcpy(path, e->fts_path, e->fts_pathlen + 1u);
			found = 1;
		}
	if (tree)
		fts_close(tree);
	return found;
}

int cgroup_path_at(const char *mount, uint64_t id, char *path)
{
	char whole[PATH_MAX];
	int found = by_handle(mount, id, whole);
	if (found < 0)
		found = by_walking(mount, id, whole);
	const char *below = found == 1 ? below_mount(mount, whole) : NULL;
	if (below)
		memcpy(path, below, strlen(below) + 1);
	return below != NULL;
}

static const char *look_up(const struct cgroup_paths *paths, uint64_t id, char path[PATH_MAX])
{
	return paths->mount && cgroup_path_at(paths->mount, id, path) ? path : NULL;
}

/* Also where it cannot be seen: what is not known to be gone is there. */
bool cgroup_lives_at(const char *mount, uint64_t id)
{
	char path[PATH_MAX];
	int fd = open_by_id(mount, id);
	if (fd < 0)
		return fd != -ENOENT && by_walking(mount, id, path);
	bool lives = !faccessat(fd, "cgroup.procs", F_OK, 0) || (errno != ENOENT && errno != ENODEV);
	close(fd);
	return lives;
}

bool cgroup_id_lives(uint64_t id)
{
	jmp_buf no_memory;
	struct arena *a = arena_new();
	bool lives = true;
	if (a && !setjmp(no_memory)) {
		arena_catch(a, &no_memory);
		const char *mount = cgroup_mount(a);
		lives = mount && cgroup_lives_at(mount, id);
	}
	arena_free(a);
	return lives;
}

/* Into a slot that may have held another: its memory is used again. */
static void keep(struct cgroup_paths *paths, struct known *k, uint64_t id, const char *path)
{
	size_t need = path ? strlen(path) + 1 : 0;
	k->id = id;
	if (need > k->room) {
		k->room = need < 64 ? 64 : 2 * need;
		k->path = arena_alloc(paths->arena, k->room);
	}
	if (k->path)
		memcpy(k->path, path ? path : "", need ? need : 1);
}

const char *cgroup_path_of(struct cgroup_paths *paths, uint64_t id)
{
	char path[PATH_MAX];
	size_t set = (size_t)(id * 0x9e3779b97f4a7c15ull >> 54);
	struct known *k = paths->known[set], *slot = NULL;
	if (!id)
		return NULL;
	for (int i = 0; i < WAYS && !slot; i++)
		if (k[i].id == id)
			return k[i].path && *k[i].path ? k[i].path : NULL;
		else if (!k[i].id)
			slot = &k[i];
	if (!slot)
		slot = &k[paths->next[set]++ % WAYS];
	keep(paths, slot, id, look_up(paths, id, path));
	return slot->path && *slot->path ? slot->path : NULL;
}
