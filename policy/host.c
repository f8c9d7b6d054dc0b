/*
 * host.c - the host's answers: which device is at a path, which groups there are.
 *
 * Below /dev a path is walked, not resolved: each directory is opened below the one
 * before and looked at, symbolic links are followed by hand, and none leads out. So a
 * policy can name /dev/disk/by-id/..., and cannot tell whether any other file is there,
 * nor have a node chosen by whoever may write to a directory on the way.
 */
#include "policy/file.h"
#include "policy/host.h"
#include "policy/trusted.h"
#include "policy/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "policy/arena.h"
#include "policy/diag.h"
#include "policy/text.h"

enum { NAME_LIMIT = 32 }; /* did_you_mean() ignores longer names */

/* ---- names that are near -------------------------------------------------------- */

/* Is `name` nearer to `base` than `best` ("" for none yet)? Of two as near, the
 * smaller: readdir has no order. */
static bool nearer(const char *base, const char *name, const char *best)
{
	const char *after[] = {best, name}, *before[] = {name, best};
	if (!*best)
		return did_you_mean(base, &name, 1) != NULL;
	return did_you_mean(base, after, 2) == name ||
	       (did_you_mean(base, before, 2) == name && strcmp(name, best) < 0);
}

/* The name in the open directory that was probably meant, in a buffer of NAME_LIMIT + 1;
 * "" for none. No allocation while the directory is open: an arena may jump away. */
static void near_name(int directory, const char *base, char *best)
{
	*best = '\0';
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(dir));)
		if (strlen(e->d_name) <= NAME_LIMIT && e->d_type != DT_REG && e->d_name[0] != '.' &&
		    nearer(base, e->d_name, best))
			strcpy(best, e->d_name);
	closedir(dir);
}

static void node_of(const struct stat *st, struct host_device *out)
{
	out->mode = st->st_mode;
	out->major = major(st->st_rdev);
	out->minor = minor(st->st_rdev);
}

/* ---- any path -------------------------------------------------------------------- */

static void any_device(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	struct stat st;
	char best[NAME_LIMIT + 1];
	(void)h;
	*out = (struct host_device){0};
	if (!stat(path, &st)) {
		node_of(&st, out);
		return;
	}
	out->error = errno;
	const char *slash = strrchr(path, '/');
	if (!slash || !slash[1])
		return;
	const char *parent = arena_strndup(a, path, (size_t)(slash - path) + 1);
	int dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	near_name(dir, slash + 1, best);
	close(dir);
	out->near = *best ? arena_printf(a, "%s%s", parent, best) : NULL;
}

/* ---- below /dev -------------------------------------------------------------------- */

enum { DEPTH = 16, LINKS = 40 };

struct walk {
	int dirs[DEPTH]; /* from /dev to where the walk is */
	size_t n;
	char rest[2 * PATH_MAX]; /* what is to be walked still */
	unsigned links;
	uid_t root;      /* who root is, as this user namespace shows it */
};

/* May others than root change what is in this directory? */
static bool others_write(const struct walk *w, const struct stat *st)
{
	return !roots_alone(st, w->root, OTHERS_WRITE);
}

/* One directory down, or to /dev itself. 0 or an errno. */
static int enter(struct walk *w, const char *name)
{
	struct stat st;
	if (w->n == DEPTH)
		return ENAMETOOLONG;
	int fd = openat(w->n ? w->dirs[w->n - 1] : AT_FDCWD, name,
	                O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int wrong = fstat(fd, &st) ? errno : others_write(w, &st) ? EACCES : 0;
	if (wrong) {
		close(fd);
		return wrong;
	}
	w->dirs[w->n++] = fd;
	return 0;
}

static void leave(struct walk *w, size_t n)
{
	while (w->n > n)
		close(w->dirs[--w->n]);
}

/* Puts a link's target before what is to be walked still. */
static int follow(struct walk *w, const char *name, const char *rest)
{
	char target[PATH_MAX], whole[sizeof w->rest];
	ssize_t len = readlinkat(w->dirs[w->n - 1], name, target, sizeof target - 1);
	if (len < 0)
		return errno;
	target[len] = '\0';
	if (++w->links > LINKS)
		return ELOOP;
	bool absolute = target[0] == '/';
	if (absolute && strncmp(target, "/dev/", 5))
		return EXDEV;
	int n = snprintf(whole, sizeof whole, "%s%s%s", absolute ? target + 5 : target,
	                 *rest ? "/" : "", rest);
	if (n < 0 || (size_t)n >= sizeof whole)
		return ENAMETOOLONG;
	if (absolute)
		leave(w, 1);
	memcpy(w->rest, whole, (size_t)n + 1);
	return 0;
}

/* One component; 0, an errno, or -1 when the node was found. */
static int step(struct walk *w, struct stat *st, char *name)
{
	size_t n = strcspn(w->rest, "/");
	if (n > NAME_MAX)
		return ENAMETOOLONG;
	memcpy(name, w->rest, n);
	name[n] = '\0';
	const char *after = w->rest + n + strspn(w->rest + n, "/");
	bool last = !*after, slashed = w->rest[n] == '/';
	if (!strcmp(name, "..")) {
		if (w->n < 2)
			return EXDEV;
		leave(w, w->n - 1);
	} else if (strcmp(name, ".") && *name) {
		if (fstatat(w->dirs[w->n - 1], name, st, AT_SYMLINK_NOFOLLOW))
			return errno;
		if (S_ISLNK(st->st_mode))
			return follow(w, name, after);
		if (last && !slashed)
			return -1;
		int wrong = enter(w, name);
		if (wrong)
			return wrong;
	}
	memmove(w->rest, after, strlen(after) + 1);
	return 0;
}

static bool below_dev(const char *path)
{
	return !strncmp(path, "/dev/", 5) && strlen(path) < PATH_MAX;
}

/* From /dev to the end of a path below it: 0 in a directory, an errno, or -1 at a node, *st. `name`
 * is the last component. */
static int go(struct walk *w, const char *path, struct stat *st, char *name)
{
	w->root = stat("/", st) ? 0 : st->st_uid;
	strcpy(w->rest, path + 5 + strspn(path + 5, "/"));
	int result = enter(w, "/dev");
	while (!result && *w->rest)
		result = step(w, st, name);
	return result;
}

static void dev_device(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	struct walk w = {.n = 0};
	struct stat st;
	char name[NAME_MAX + 1] = "", best[NAME_LIMIT + 1] = "";
	(void)h;
	*out = (struct host_device){.error = EXDEV};
	if (!below_dev(path))
		return;
	int result = go(&w, path, &st, name);
	out->error = result < 0 ? 0 : result;
	if (result < 0)
		node_of(&st, out);
	else if (!result) /* it ends in a directory */
		*out = (struct host_device){.mode = S_IFDIR};
	else if (result == ENOENT && !w.links && !strchr(w.rest, '/'))
		near_name(w.dirs[w.n - 1], name, best);
	leave(&w, 0);
	if (*best)
		out->near = arena_printf(a, "%.*s%s", (int)(strlen(path) - strlen(name)), path, best);
}

/* ---- all below /dev that match ------------------------------------------------------- */

enum { NAMES_BYTES = 1 << 16, MATCHES_MAX = 1024 };

/* The matching names of an open directory, each with its NUL, into a buffer: 0 or an errno. */
static int matching_names(int directory, const char *pattern, char *names, size_t *len)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return error;
	}
	for (struct dirent *e; !error && (e = readdir(dir));) {
		size_t n = strlen(e->d_name) + 1;
		if (fnmatch(pattern, e->d_name, FNM_PERIOD))
			continue;
		if (n > NAMES_BYTES - *len)
			error = E2BIG;
		else if (text_unsafe(e->d_name, n - 1) < n - 1)
			error = EILSEQ;
		else
			memcpy(names + *len, e->d_name, n), *len += n;
	}
	closedir(dir);
	return error;
}

/* The same of a directory by its path, which ends in a slash. */
static int names_below(const char *path, const char *pattern, char *names, size_t *len)
{
	struct walk w = {.n = 0};
	struct stat st;
	char name[NAME_MAX + 1];
	if (!below_dev(path))
		return EXDEV;
	int result = go(&w, path, &st, name);
	if (!result)
		result = matching_names(w.dirs[w.n - 1], pattern, names, len);
	leave(&w, 0);
	return result < 0 ? ENOTDIR : result;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sockets, directories and links to them are no devices; a device that must not be trusted is
 * no reason to go on without it. */
static int dev_matches(const struct host *h, struct arena *a, const char *pattern, const char **listing)
{
	char names[NAMES_BYTES];
	const char *base = strrchr(pattern, '/') + 1, *list[MATCHES_MAX];
	const char *parent = arena_strndup(a, pattern, (size_t)(base - pattern));
	size_t len = 0, n = 0;
	int error = names_below(parent, base, names, &len);
	*listing = NULL;
	for (size_t at = 0; !error && at < len; at += strlen(names + at) + 1) {
		if (n == MATCHES_MAX)
			error = E2BIG;
		else
			list[n++] = names + at;
	}
	if (error)
		return error;
	qsort(list, n, sizeof *list, by_version);
	char *text = arena_strdup(a, "");
	for (size_t i = 0; i < n; i++) {
		struct host_device found;
		struct stat st;
		const char *path = arena_printf(a, "%s%s", parent, list[i]);
		dev_device(h, a, path, &found);
		bool is_device = found.error ? !stat(path, &st) && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		                             : S_ISCHR(found.mode) || S_ISBLK(found.mode);
		if (!is_device)
			continue;
		if (found.error) {
			*listing = path;
			return found.error;
		}
		text = arena_printf(a, "%s%c %lld:%lld %s\n", text, S_ISBLK(found.mode) ? 'b' : 'c', (long long)found.major,
		                    (long long)found.minor, path);
	}
	*listing = text;
	return 0;
}

/* ---- groups: of devices, of users ------------------------------------------------------------------------ */

static int groups(const struct host *h, struct arena *a, const char **listing)
{
	char text[1 << 15]; /* a host has some forty lines */
	(void)h;
	int fd = open("/proc/devices", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = read_whole(fd, text, sizeof text);
	close(fd);
	if (n == (ssize_t)sizeof text)
		return EFBIG;
	if (n >= 0)
		*listing = arena_strndup(a, text, (size_t)n);
	return n < 0 ? (int)-n : 0;
}

static int group(const struct host *h, struct arena *a, const char *name, uint32_t *gid, const char **near)
{
	(void)h;
	return users_group(a, name, gid, near);
}

const struct host host_here = {.device = any_device, .groups = groups, .group = group, .matches = dev_matches, .any_path = true};
const struct host host_dev = {.device = dev_device, .groups = groups, .group = group, .matches = dev_matches};
