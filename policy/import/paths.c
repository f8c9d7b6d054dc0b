/*
 * paths.c - devices by their paths on this host, and what is said of those that are not
 * there, in the words of the list they are from.
 */
#include "policy/host.h"
#include "policy/import/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is not there ------------------------------------------------------------ */

/* How such a list names a device by its numbers, or a group of which only the number is known. */
static const char *by_numbers(const struct foreign *f, const char *rule, bool allow)
{
	if (f->format == FOREIGN_SYSTEMD && *rule != '/')
		return *rule == 'b' ? "DeviceAllow=block-MAJOR rw" : "DeviceAllow=char-MAJOR rw";
	if (f->format == FOREIGN_LXC && !allow)
		return "lxc.cgroup2.devices.deny = c MAJOR:MINOR rwm";
	if (f->format == FOREIGN_PROXMOX && !allow)
		return "lxc.cgroup2.devices.deny: c MAJOR:MINOR rwm";
	static const char *const forms[FOREIGN_FORMATS] = {
		[FOREIGN_DOCKER] = "--device-cgroup-rule 'c MAJOR:MINOR rw'",
		[FOREIGN_QUADLET] = "PodmanArgs=--device-cgroup-rule 'c MAJOR:MINOR rw'",
		[FOREIGN_CDI] = "type: c, major: MAJOR, minor: MINOR",
		[FOREIGN_INSPECT] = "DeviceCgroupRules: [\"c MAJOR:MINOR rw\"]",
		[FOREIGN_COMPOSE] = "device_cgroup_rules: [\"c MAJOR:MINOR rw\"]",
		[FOREIGN_SYSTEMD] = "DeviceAllow=/dev/char/MAJOR:MINOR rw",
		[FOREIGN_LXC] = "lxc.cgroup2.devices.allow = c MAJOR:MINOR rw",
		[FOREIGN_PROXMOX] = "lxc.cgroup2.devices.allow: c MAJOR:MINOR rw",
	};
	return forms[f->format];
}

void foreign_skip_fault(struct foreign *f, const char *file, int line, const struct fault *why, const char *rule)
{
	foreign_skip(why->arena, f, (struct foreign_skip){
		.file = file, .line = (uint32_t)line, .rule = rule, .why = why->error, .hint = why->hint});
}

/* A name without a number at its end, since "video1" is not meant where video0 is asked for. */
static const char *meant_instead(const char *rule, const char *hint)
{
	size_t n = strcspn(rule, " ");
	bool numbered = n && rule[n - 1] >= '0' && rule[n - 1] <= '9';
	return *rule == '/' && !numbered && hint && !strncmp(hint, "did you mean", strlen("did you mean")) ? hint : NULL;
}

void foreign_skip_missing(struct foreign *f, const struct foreign_entry *e, const struct fault *why, const char *rule)
{
	struct arena *a = why->arena;
	const char *numbers = by_numbers(f, rule, true), *near = meant_instead(rule, why->hint);
	foreign_skip(a, f, (struct foreign_skip){
		.file = e->file, .line = e->place, .in_requests = e->in_requests, .rule = rule,
		.why = e->via ? arena_printf(a, "%s, %s", why->error, e->via) : why->error, .missing = true, .near = near != NULL,
		.hint = near ? near
		             : arena_printf(a, "%s, or make the line a comment: --skip-missing%s%s",
		                            *rule == '/' ? "plug it in, or load its driver" : "load its driver",
		                            numbers ? "; by its numbers: " : "", numbers ? numbers : "")});
}

/* ---- paths ------------------------------------------------------------------------ */

int foreign_path_check(struct fault *f, struct slice path)
{
	char *text = arena_strndup(f->arena, path.s, path.n);
	if (!strncmp(text, "/dev/", 5) && text[5] && !strstr(text, "/../") &&
	    (path.n < 3 || strcmp(text + path.n - 3, "/..") != 0))
		return 0;
	return fault_set(f, "name the device by its path in /dev, such as /dev/fuse", "%s is no path below /dev",
	                 text_quoted(f->arena, path));
}

bool foreign_path_absent(struct arena *a, struct slice path)
{
	return access(arena_strndup(a, path.s, path.n), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

bool foreign_path_is_node(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

/* Of a node that is there but not taken: the hint in the list's own words. */
static void numbers_instead(const struct foreign *out, struct fault *f, const char *path, bool allow)
{
	const char *numbers = by_numbers(out, path, allow);
	f->hint = numbers ? arena_printf(f->arena, "name it by its numbers: %s", numbers)
	                  : "name a device node below /dev, such as /dev/fuse";
}

int foreign_add_path(struct foreign *out, struct fault *f, struct slice path, struct slice letters,
                     struct foreign_entry e)
{
	int type, access;
	int64_t major, minor;
	if (text_check(f, path.s, path.n) || foreign_path_check(f, path) || (access = read_access(f, letters)) < 0)
		return -1;
	const char *name = arena_strndup(f->arena, path.s, path.n);
	if (device_at(f, &host_dev, path, &type, &major, &minor)) {
		if (!e.allow || !foreign_path_absent(f->arena, path)) {
			numbers_instead(out, f, name, e.allow);
			return -1;
		}
		foreign_skip_missing(out, &e, f, arena_printf(f->arena, "%s %.*s", name, (int)letters.n, letters.s));
		return 0;
	}
	e.path = name;
	e.types = (uint8_t)type, e.access = (uint8_t)access;
	e.major = (int32_t)major, e.minor = (int32_t)minor;
	foreign_add(f->arena, out, e);
	return 0;
}

/* ---- directories -------------------------------------------------------------------- */

enum { DIRECTORIES_DEEP = 8, DEVICES_IN = 4096 };

static int is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

static int add_below(struct foreign *out, struct fault *f, const char *path, struct slice letters,
                     const struct foreign_entry *e, int depth, size_t *found);

/* As the engines do: nodes and directories, neither links nor anything else. */
static int add_one(struct foreign *out, struct fault *f, const char *path, struct slice letters,
                   const struct foreign_entry *e, int depth, size_t *found)
{
	struct stat st;
	if (lstat(path, &st) || !(S_ISDIR(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return 0;
	if (S_ISDIR(st.st_mode))
		return add_below(out, f, path, letters, e, depth + 1, found);
	++*found;
	if (++out->in_directories > DEVICES_IN)
		return fault_set(f, "name the devices that are needed", "more than %d devices", DEVICES_IN);
	return foreign_add_path(out, f, (struct slice){path, strlen(path)}, letters, *e);
}

static int add_below(struct foreign *out, struct fault *f, const char *path, struct slice letters,
                     const struct foreign_entry *e, int depth, size_t *found)
{
	struct dirent **names;
	if (depth > DIRECTORIES_DEEP)
		return fault_set(f, "name the devices that are needed", "the directories are too deep");
	int n = scandir(path, &names, is_entry, alphasort), rc = 0;
	if (n < 0)
		return fault_set(f, "name the devices in it", "cannot read %s: %s",
		                 text_quoted(f->arena, (struct slice){path, strlen(path)}), strerror(errno));
	const char **below = arena_alloc(f->arena, ((size_t)n + 1) * sizeof *below);
	for (int i = 0; i < n; i++) {
		below[i] = arena_printf(f->arena, "%s/%s", path, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	for (int i = 0; i < n && rc == 0; i++)
		rc = add_one(out, f, below[i], letters, e, depth, found);
	return rc;
}

int foreign_add_tree(struct foreign *out, struct fault *f, struct slice path, struct slice letters,
                     struct foreign_entry e)
{
	struct stat st;
	size_t found = 0;
	while (path.n > 1 && path.s[path.n - 1] == '/')
		path.n--;
	const char *name = arena_strndup(f->arena, path.s, path.n);
	if (text_check(f, path.s, path.n) || foreign_path_check(f, path))
		return -1;
	if (stat(name, &st) || !S_ISDIR(st.st_mode))
		return foreign_add_path(out, f, path, letters, e);
	if (add_below(out, f, name, letters, &e, 0, &found))
		return -1;
	if (found)
		return 0;
	fault_set(f, NULL, "no device in the directory %s", text_quoted(f->arena, path));
	foreign_skip_missing(out, &e, f, arena_printf(f->arena, "all of %s %.*s", name, (int)letters.n, letters.s));
	return 0;
}

bool foreign_is_cdi(struct slice device)
{
	return device.n && device.s[0] != '/' && memchr(device.s, '=', device.n);
}

void foreign_skip_cdi(struct foreign *out, struct fault *f, struct slice device, const struct foreign_entry *e)
{
	const char *name = text_safe(f->arena, device.s, device.n, 200);
	fault_set(f, NULL, "a device of CDI, %s, is not looked up", text_quoted(f->arena, device));
	foreign_skip(f->arena, out, (struct foreign_skip){.file = e->file, .line = e->place, .rule = name, .why = f->error,
	                                                  .in_requests = e->in_requests, .missing = true, .cdi = true});
}
