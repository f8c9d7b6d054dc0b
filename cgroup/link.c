/*
 * link.c - guards of containers: a bpf_link, pinned.
 *
 * crun detaches every program it finds on a container's cgroup when the container
 * is updated; a bpf_link it cannot. The link lives as long as its pin, which is named
 * after the cgroup's id; sweep.c removes it when the container has ended. Attaching by link:
 * bpf(2) BPF_LINK_CREATE, since Linux 5.7.
 */
#include "cgroup/hostprog.h"
#include "cgroup/link.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "policy/trusted.h"

static const char OWN_BPFFS[] = RUN_DIRECTORY "/bpf";

static bool is_bpffs(const char *path)
{
	struct statfs fs;
	return !statfs(path, &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC;
}

/* Our own first: where it was needed once, guards are pinned in it, and they must still be
 * found when the host's is mounted later. */
const char *link_bpffs(void)
{
	return is_bpffs(OWN_BPFFS) ? OWN_BPFFS : is_bpffs("/sys/fs/bpf") ? "/sys/fs/bpf" : NULL;
}

static int own_directory(struct diags *d, const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) && errno != EEXIST)
		return diag_fail(d, error_hint(d->arena, errno, "run as root, with /run writable"), "cannot make %s: %s", path,
		                 strerror(errno));
	if (lstat(path, &st) || !S_ISDIR(st.st_mode) || !roots_alone(&st, 0, OTHERS_WRITE))
		return diag_fail(d, "remove it, or: chown root, chmod go-w", "%s is not a directory of root's alone",
		                 path);
	return 0;
}

/* The directory of our pins, made when it is not there. */
static int pins_directory(struct arena *a, struct diags *d)
{
	const char *bpffs = link_bpffs();
	if (!bpffs) {
		if (own_directory(d, RUN_DIRECTORY) || own_directory(d, OWN_BPFFS))
			return -1;
		if (mount("bpf", OWN_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
			return diag_fail(d, "mount -t bpf bpf /sys/fs/bpf", "no BPF file system is mounted, and none can "
			                 "be: %s", strerror(errno));
		bpffs = OWN_BPFFS;
	}
	return own_directory(d, arena_printf(a, "%s/" LINK_DIRECTORY, bpffs));
}

void link_pin_path(char out[PIN_PATH], uint64_t cgroup)
{
	snprintf(out, PIN_PATH, "%s/" LINK_DIRECTORY "/%" PRIu64, link_bpffs(), cgroup);
}

bool link_info(int fd, struct bpf_link_info *info)
{
	uint32_t len = sizeof *info;
	memset(info, 0, sizeof *info);
	return !bpf_obj_get_info_by_fd(fd, info, &len) && info->type == BPF_LINK_TYPE_CGROUP;
}

/* The link pinned for a cgroup; fd, or -errno. A pin that is no link of that cgroup is not
 * believed: -ENOENT, as if there were none. */
static int pinned(const char *path, uint64_t cgroup, struct bpf_link_info *info)
{
	uint32_t len = sizeof *info;
	int fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	memset(info, 0, sizeof *info);
	int error = bpf_obj_get_info_by_fd(fd, info, &len);
	if (!error && info->type == BPF_LINK_TYPE_CGROUP && info->cgroup.cgroup_id == cgroup)
		return fd;
	close(fd);
	return error && error != -EINVAL ? error : -ENOENT; /* EINVAL: a map or a program */
}

/* The guard of a cgroup: fd, or -errno; -ENOENT: there is none. */
static int guard_open(const struct cgroup *cg, char path[PIN_PATH], struct bpf_link_info *info)
{
	if (!link_bpffs())
		return -ENOENT;
	link_pin_path(path, cg->id);
	int fd = pinned(path, cg->id, info);
	return fd == -EACCES ? -ENOENT : fd; /* a file that is nothing of BPF */
}

/* Our program of that name on the cgroup: its id, 0 when there is none. -1 with a diagnostic. */
static int64_t named(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name)
{
	struct attached *list;
	size_t n;
	if (cgroup_query(a, d, cg, &list, &n))
		return -1;
	const struct attached *at = attached_named(list, n, name);
	return at ? at->id : 0;
}

static int replace(struct diags *d, int link, const struct program *p, const char *name, const char *path)
{
	int error = bpf_link_update(link, program_fd(p), NULL);
	if (!error)
		return 0;
	return diag_fail(d, "remove the pin and start the container again",
	                 "the guard pinned at %s cannot be replaced by '%s': %s", path, name, strerror(-error));
}

/* A link and its pin. What cannot be confirmed stays: without it nothing would guard. */
static int create(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p,
                  const char *name, const char *path)
{
	int64_t there = named(a, d, cg, name);
	if (there)
		return there < 0 ? -1 : diag_fail(d, arena_printf(a, "detach it first: rucy-devguard detach %s %s", cg->path, name),
		                                  "a policy '%s' is attached to '%s' already, not by a hook", name, cg->path);
	if (unlink(path) && errno != ENOENT) /* of no use to anyone: ids of cgroups are not used twice */
		return diag_fail(d, "remove it", "%s is in the way of the guard's pin: %s", path, strerror(errno));
	int fd = bpf_link_create(program_fd(p), cg->fd, BPF_CGROUP_DEVICE, NULL);
	if (fd < 0)
		return diag_fail(d, fd == -EPERM ? "a program attached exclusively above may be in the way: "
		                                   "`rucy-devguard status` shows it"
		                                 : "see `rucy-devguard doctor` and the kernel log",
		                 "cannot attach '%s' to '%s': %s", name, cg->path, strerror(-fd));
	int error = bpf_obj_pin(fd, path);
	close(fd); /* without a pin this ends the link */
	if (error)
		return diag_fail(d, error_hint(a, -error, "is the BPF file system writable?"),
		                 "cannot pin the guard at %s: %s", path, strerror(-error));
	return attach_confirm(a, d, cg, p, name);
}

/* The change itself. */
static int attach_it(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p, const char *name)
{
	struct bpf_link_info info;
	char path[PIN_PATH];
	if (pins_directory(a, d))
		return -1;
	int fd = guard_open(cg, path, &info);
	if (fd == -ENOENT)
		return create(a, d, cg, p, name, path);
	if (fd < 0)
		return diag_fail(d, error_hint(a, -fd, "start the container again"),
		                 "cannot tell what is pinned at %s: %s", path, strerror(-fd));
	/* whatever comes of it, a guard stays */
	int failed = replace(d, fd, p, name, path);
	close(fd);
	if (failed)
		return -1;
	int unsettled = program_settle(d, name, p);
	return attach_confirm(a, d, cg, p, name) || unsettled ? -1 : 0;
}

int link_attach(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p,
                const char *name)
{
	struct attached self = {0};
	if (describe_program(program_fd(p), &self) != READ_OK)
		return diag_fail(d, error_hint(a, self.unreadable, "see the kernel log"), "cannot read back what '%s' carries: %s", name,
		                 strerror(self.unreadable));
	if (guarded_add(a, d, cg, self.grants))
		return -1;
	if (!attach_it(a, d, cg, p, name))
		return attach_guarded(a, d, cg, p, name, self.grants);
	guarded_renew(a, cg);
	return -1;
}

int64_t link_program(const struct cgroup *cg)
{
	struct bpf_link_info info;
	char path[PIN_PATH];
	int fd = guard_open(cg, path, &info);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	close(fd);
	return info.prog_id;
}

/* The link is ended first: removing its pin alone would leave the end to the kernel's own time, and
 * to whoever else holds the link. */
int link_detach(struct diags *d, const struct cgroup *cg)
{
	struct bpf_link_info info;
	char path[PIN_PATH];
	int fd = guard_open(cg, path, &info);
	if (fd < 0)
		return 0;
	guarded_unsettle(d->arena, cg);
	int error = bpf_link_detach(fd);
	close(fd);
	guarded_renew(d->arena, cg);
	if (!unlink(path))
		return 1;
	return diag_fail(d, error ? "is the BPF file system writable?" : "remove it; the next hook does, too",
	                 "%s, its pin %s cannot be removed: %s",
	                 error ? "the guard stays" : "the guard was taken off", path, strerror(errno));
}
