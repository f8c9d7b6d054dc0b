/*
 * hierarchy.c - finding and opening cgroup v2 directories.
 *
 * A cgroup is held by a file descriptor of its directory; every later operation
 * goes through that, so a cgroup removed and made again under the same name is
 * never taken for the one that was opened.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool is_cgroup2(const char *path)
{
	struct statfs fs;
	return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

const char *cgroup_mount(struct arena *a)
{
	struct mount *mounts;
	size_t n;
	const char *read_only = NULL;
	static const char *const usual[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	int error = mounts_read(a, &mounts, &n);
	for (size_t i = 0; error == ENOENT && i < sizeof usual / sizeof *usual; i++) /* no /proc: nobody tells */
		if (is_cgroup2(usual[i]))
			return usual[i];
	for (size_t i = 0; i < n; i++) {
		/* statfs: another file system may be mounted over this one */
		if (strcmp(mounts[i].type, "cgroup2") || !is_cgroup2(mounts[i].point))
			continue;
		if (!mounts[i].read_only)
			return mounts[i].point;
		if (!read_only)
			read_only = mounts[i].point;
	}
	errno = error ? error : ENOENT;
	return read_only; /* enough to ask what is attached */
}

int cgroup_no_mount(struct arena *a, struct diags *d, int error)
{
	if (error == ENOENT && access("/proc/self/mounts", F_OK))
		return diag_fail(d, "is /proc mounted?", "cannot read /proc/self/mounts, where a cgroup v2 hierarchy is told");
	if (error && error != ENOENT)
		return diag_fail(d, error_hint(a, error, "is /proc mounted?"), "cannot read /proc/self/mounts: %s",
		                 strerror(error));
	return diag_fail(d, hierarchy_hint(a), "no cgroup v2 hierarchy is mounted here");
}

int cgroup_of_process(const char *process, char out[CGROUP_PATH])
{
	char file[64], line[sizeof "0::" - 1 + CGROUP_PATH]; /* the kernel's paths end at PATH_MAX */
	snprintf(file, sizeof file, "/proc/%s/cgroup", process);
	FILE *f = fopen(file, "re");
	if (!f)
		return -errno;
	int result = -ENODATA;
	while (result && fgets(line, sizeof line, f))
		if (!strncmp(line, "0::/", 4)) {
			line[strcspn(line, "\n")] = '\0';
			memcpy(out, line + 3, strlen(line + 3) + 1);
			result = 0;
		}
	if (result && ferror(f))
		result = -EIO;
	fclose(f);
	return result;
}

bool cgroup_hybrid(struct arena *parent)
{
	struct arena *a = arena_scratch(parent);
	struct mount *mounts;
	size_t n;
	bool v1 = false;
	mounts_read(a, &mounts, &n);
	for (size_t i = 0; i < n; i++)
		v1 |= !strcmp(mounts[i].type, "cgroup");
	arena_free(a);
	return v1;
}

const char *hierarchy_hint(struct arena *a)
{
	const char *mount = cgroup_mount(a);
	if (mount)
		return arena_printf(a, "this host's cgroup v2 hierarchy is at %s", mount);
	return "no cgroup v2 hierarchy is mounted here: mount -t cgroup2 none /sys/fs/cgroup, or boot "
	       "with systemd.unified_cgroup_hierarchy=1";
}

/* `path` is `dir` or below it. */
static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	if (n && dir[n - 1] == '/')
		n--;
	return !strncmp(path, dir, n) && (path[n] == '/' || path[n] == '\0');
}

/* The highest directory above it, or itself, that is a cgroup. */
static const char *topmost(struct arena *a, const char *path)
{
	char *at = arena_strdup(a, path), *slash;
	const char *top = path;
	while ((slash = strrchr(at, '/'))) {
		slash[slash == at] = '\0';
		if (!is_cgroup2(at))
			break;
		top = arena_strdup(a, at);
		if (slash == at)
			break;
	}
	return top;
}

/* The mount point a cgroup's path lies in: the innermost. Without /proc it is what is seen of it. */
static const char *mount_of(struct arena *a, const char *path)
{
	struct mount *mounts;
	size_t n;
	const char *best = NULL;
	if (mounts_read(a, &mounts, &n))
		return topmost(a, path);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(mounts[i].type, "cgroup2") && is_below(path, mounts[i].point) &&
		    (!best || strlen(mounts[i].point) >= strlen(best)))
			best = mounts[i].point;
	return best ? best : path;
}

/* Perhaps the path was meant relative to the hierarchy, or the cgroup is still to be made. */
static const char *missing_hint(struct arena *a, const char *path)
{
	const char *mount = cgroup_mount(a);
	if (!mount || !*path || *path == '.')
		return hierarchy_hint(a);
	static const char usual[] = "/sys/fs/cgroup"; /* where documents have it, and hybrid hosts have not */
	const char *below = is_below(path, usual) && strcmp(path, usual) ? path + strlen(usual) : path;
	const char *inside = is_below(path, mount) ? path : arena_printf(a, "%s/%s", mount, below + (*below == '/'));
	if (is_cgroup2(inside))
		return arena_printf(a, "did you mean %s?", shell_word(a, inside));
	return below != path && inside != path
	               ? arena_printf(a, "cgroups are at %s here; to make one: mkdir -p %s, and name it %s", mount, shell_word(a, inside), shell_word(a, below))
	               : arena_printf(a, "to make that cgroup: mkdir -p %s", shell_word(a, inside));
}

static int open_failed(struct arena *a, struct diags *d, const char *path, int error)
{
	char here[PATH_MAX];
	switch (error) {
	case ENOENT:
		if (*path != '/' && !getcwd(here, sizeof here))
			return diag_fail(d, "cd to a directory that is there",
			                 "there is no cgroup '%s': the current directory was removed", path);
		return diag_fail(d, missing_hint(a, path), "there is no cgroup '%s'", path);
	case ENOTDIR: {
		const char *dir = dirname(arena_strdup(a, path));
		return diag_fail(d,
		                 is_cgroup2(dir) ? arena_printf(a, "name the cgroup's directory: %s", dir)
		                                 : hierarchy_hint(a),
		                 "'%s' is a file, not a cgroup's directory", path);
	}
	case EACCES:
	case EPERM:
		return diag_fail(d, "run it as root, or as a user who may read that directory",
		                 "no permission to open the cgroup '%s'", path);
	default:
		return diag_fail(d, hierarchy_hint(a), "cannot open the cgroup '%s': %s", path,
		                 strerror(error));
	}
}

/* -1 with a diagnostic unless the open directory is one of a v2 hierarchy. */
static int check_version(struct arena *a, struct diags *d, const char *path, int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs))
		return open_failed(a, d, path, errno);
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	if (fs.f_type == CGROUP_SUPER_MAGIC)
		return diag_fail(d, hierarchy_hint(a),
		                 "'%s' is in a cgroup v1 hierarchy, which takes no programs", path);
	return diag_fail(d, hierarchy_hint(a), "'%s' is a directory, but not a cgroup", path);
}

int cgroup_open(struct arena *a, struct diags *d, const char *path, struct cgroup **out)
{
	char real[PATH_MAX];
	*out = NULL;
	if (!realpath(path, real))
		return open_failed(a, d, path, errno);
	int fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(a, d, path, errno);
	struct stat st;
	if (fstat(fd, &st) ? open_failed(a, d, path, errno) : check_version(a, d, path, fd)) {
		close(fd);
		return -1;
	}
	struct cgroup *cg = arena_alloc(a, sizeof *cg);
	*cg = (struct cgroup){.fd = fd, .path = arena_strdup(a, real), .id = st.st_ino, .lock = -1};
	cg->mount = mount_of(a, cg->path);
	*out = cg;
	return 0;
}

void cgroup_close(struct cgroup *cg)
{
	if (!cg || cg->fd < 0)
		return;
	cgroup_unlock(cg);
	close(cg->fd);
	cg->fd = -1;
}

/* Every cgroup but that one has a type. */
bool cgroup_is_hosts_root(const struct cgroup *cg)
{
	return faccessat(cg->fd, "cgroup.type", F_OK, 0) && errno == ENOENT && !strcmp(cg->path, cg->mount);
}

struct cgroup *cgroup_parent(struct arena *a, struct diags *d, const struct cgroup *cg)
{
	struct cgroup *parent;
	if (!strcmp(cg->path, cg->mount) || !strcmp(cg->path, "/"))
		return NULL;
	cgroup_open(a, d, dirname(arena_strdup(a, cg->path)), &parent);
	return parent;
}

bool cgroup_gone(const struct cgroup *cg)
{
	struct stat st;
	return stat(cg->path, &st) || st.st_ino != cg->id;
}

bool events_populated(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof text - 1, 0);
	if (n <= 0)
		return n == 0 || errno != ENODEV;
	text[n] = '\0';
	return !strstr(text, "populated 0");
}

bool cgroup_populated(int dir)
{
	int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return errno != ENOENT && errno != ENODEV;
	bool populated = events_populated(events);
	close(events);
	return populated;
}
