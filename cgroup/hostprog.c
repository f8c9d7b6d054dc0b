/*
 * hostprog.c - the host program on the root of the hierarchy: found, attached, replaced, taken off.
 *
 * It is attached without a link, so it does not end with a process, and replaced in one step by a program with other
 * parts and the same maps. Who changes what is there holds the lock of the root. There is one: where two are found,
 * nothing is changed.
 */
#include "cgroup/guarded.h"
#include "cgroup/hostprog_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* ---- the root ---------------------------------------------------------------------------- */

/* The visible root; it is the host's, or only of a namespace. 0 or -1. */
static int open_root(struct arena *a, struct diags *d, struct cgroup **out)
{
	const char *mount = cgroup_mount(a);
	*out = NULL;
	return mount ? cgroup_open(a, d, mount, out) : cgroup_no_mount(a, d, errno);
}

/* The host program works on all cgroups of a host. A namespace shows a part of them, and takes that for the whole. */
static int not_the_hosts(struct diags *d, const struct cgroup *root)
{
	return diag_fail(d, "run it on the host, or enter its namespaces: nsenter --target 1 --cgroup --mount COMMAND",
	                 "'%s' is the root of a cgroup namespace, or of a part of the hierarchy that is mounted here: the host program is "
	                 "attached to the root of the host's hierarchy, which cannot be reached from here", root->path);
}

/* The host's root, locked. 0 or -1. */
static int lock_root(struct arena *a, struct diags *d, struct cgroup **out)
{
	if (open_root(a, d, out))
		return -1;
	if (!(cgroup_is_hosts_root(*out) ? cgroup_lock(*out, d) : not_the_hosts(d, *out)))
		return 0;
	cgroup_close(*out);
	*out = NULL;
	return -1;
}

/* ---- opened ------------------------------------------------------------------------------- */

void hostprog_close(struct hostprog *hp)
{
	if (!hp)
		return;
	hostmaps_close(&hp->maps);
	if (hp->fd >= 0)
		close(hp->fd);
	hp->fd = -1;
	cgroup_close(hp->root);
}

void hostprog_unlock(struct hostprog *hp)
{
	cgroup_unlock(hp->root);
}

/* What is there, for an open root, which becomes its own; *out without a program: there is none. 0, or -1 and closed. */
static int take_up(struct arena *a, struct diags *d, struct cgroup *root, struct hostprog **out)
{
	struct host_found found;
	struct hostprog *hp = arena_alloc(a, sizeof *hp);
	*hp = (struct hostprog){.arena = a, .root = root, .fd = -1};
	hostmaps_none(&hp->maps);
	*out = NULL;
	if (hostprog_find(a, d, root, &found)) {
		hostprog_close(hp);
		return -1;
	}
	hp->fd = found.fd;
	hp->id = found.id;
	hp->behind = found.behind;
	hp->header = found.header;
	int error = found.fd < 0 || found.other ? 0 : hostmaps_open(found.fd, &hp->maps);
	if (found.fd >= 0 && !error && !found.other && found.header.version != HOSTPROG_VERSION)
		error = -EPROTO;
	if (!error && !found.other) {
		*out = hp;
		return 0;
	}
	hostprog_close(hp);
	return found.other ? hostprog_two(a, d, &found) : hostprog_unknown(a, d, &found, -error);
}

int hostprog_open(struct arena *a, struct diags *d, struct hostprog **out)
{
	struct cgroup *root;
	*out = NULL;
	if (open_root(a, d, &root) || take_up(a, d, root, out))
		return -1;
	if ((*out)->fd < 0) {
		hostprog_close(*out);
		*out = NULL;
	}
	return 0;
}

int hostprog_change(struct arena *a, struct diags *d, struct hostprog **out)
{
	struct cgroup *root;
	*out = NULL;
	if (lock_root(a, d, &root) || take_up(a, d, root, out))
		return -1;
	if ((*out)->fd < 0) {
		hostprog_close(*out);
		*out = NULL;
	}
	return 0;
}

/* ---- attached --------------------------------------------------------------------------------- */

/* One system call. 0 or -errno. */
static int attach_or_replace(const struct hostprog *hp, int fd)
{
	struct bpf_prog_attach_opts opts = {.sz = sizeof opts, .flags = BPF_F_ALLOW_MULTI};
	if (hp->fd >= 0) {
		opts.flags |= BPF_F_REPLACE;
		opts.replace_prog_fd = hp->fd;
	}
	return bpf_prog_attach_opts(fd, hp->root->fd, BPF_CGROUP_DEVICE, &opts);
}

static int load_failed(struct arena *a, struct diags *d, int error, const char *log)
{
	return diag_fail(d, error_hint(a, *log ? 0 : error, "please report it, with `uname -r`"), "cannot load the host program: %s%s%s",
	                 strerror(error), *log ? ": " : "", log);
}

/* The kernel shows it, and no other. 0 or -1. */
static int confirm(struct arena *a, struct diags *d, struct hostprog *hp)
{
	struct host_found found;
	struct diags reason;
	diags_init(&reason, a);
	if (hostprog_find(a, &reason, hp->root, &found))
		return unconfirmed(d, &reason, arena_printf(a, "the host program %u was attached", hp->id));
	if (found.fd >= 0)
		close(found.fd);
	if (found.fd >= 0 && found.other)
		return hostprog_two(a, d, &found);
	hp->behind = found.behind;
	if (found.fd >= 0 && found.id == hp->id)
		return 0;
	return diag_fail(d, "somebody changes what is attached to the hierarchy's root; try again",
	                 "the host program %u was attached, but the kernel does not show it", hp->id);
}

static uint32_t program_number(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static bool tag_of(int fd, unsigned char tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof info;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return false;
	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return true;
}

/* Are its instructions those of this tool for its parts? By the kernel's digest of both. */
static bool is_genuine(struct arena *a, const struct hostprog *hp, hostprog_maker *make)
{
	unsigned char have[BPF_TAG_SIZE], want[BPF_TAG_SIZE];
	const char *log;
	int fd = hostprog_load(a, make, &hp->maps, hp->header.parts, hp->header.features, &log);
	bool told = fd >= 0 && tag_of(hp->fd, have) && tag_of(fd, want);
	if (fd >= 0)
		close(fd);
	return told && !memcmp(have, want, sizeof have);
}

/* One of these parts takes the place of what there is (nothing, perhaps). 0, or -1 and as it was. */
static int put(struct arena *a, struct diags *d, struct hostprog *hp, uint32_t parts, hostprog_maker *make)
{
	struct hostprog_header header = hostprog_header_of(parts, hostprog_features());
	struct hostmaps maps;
	const char *log = "";
	bool first = hp->fd < 0;
	int error = first ? hostmaps_new(&header, &maps) : hostmaps_next(&header, &hp->maps, &maps);
	int fd = error ? error : hostprog_load(a, make, &maps, parts, header.features, &log);
	if (fd < 0) {
		hostmaps_close(&maps);
		return load_failed(a, d, -fd, log);
	}
	error = first && guarded_fill(a, d, hp->root, &maps, false) ? 1 : attach_or_replace(hp, fd);
	if (error) {
		hostmaps_close(&maps);
		close(fd);
		return error > 0 ? -1 : attach_refused(a, d, hp->root, -error);
	}
	if (!first)
		close(hp->fd);
	hostmaps_close(&hp->maps);
	hp->fd = fd;
	hp->id = program_number(fd);
	hp->maps = maps;
	hp->header = header;
	return confirm(a, d, hp);
}

int hostprog_need(struct arena *a, struct diags *d, uint32_t parts, hostprog_maker *make, struct hostprog **out)
{
	struct cgroup *root;
	struct hostprog *hp;
	const char *hint, *closed = hostprog_closed(a, &hint);
	*out = NULL;
	if (closed)
		return diag_fail(d, hint, "%s", closed);
	if (lock_root(a, d, &root) || take_up(a, d, root, &hp))
		return -1;
	bool there = hp->fd >= 0;
	if (there)
		hostprog_sweep(a, hp);
	parts |= there ? hp->header.parts : 0;
	bool as_it_is = there && parts == hp->header.parts && is_genuine(a, hp, make);
	int failed = !as_it_is && put(a, d, hp, parts, make);
	if (!failed && !guarded_filled(&hp->maps))
		failed = guarded_fill(a, d, hp->root, &hp->maps, true);
	if (failed)
		hostprog_close(hp);
	else
		*out = hp;
	return failed ? -1 : 0;
}

/* ---- taken off ------------------------------------------------------------------------------------ */

static uint32_t needed(struct diags *d, struct hostprog *hp)
{
	struct host_watcher list[HOSTPROG_WATCHERS];
	struct grant_key key;
	uint32_t parts = bpf_map_get_next_key(hp->maps.fd[HOSTPROG_MAP_GRANTS], NULL, &key) == -ENOENT ? 0 : HOSTPROG_GRANTS;
	if (watchers_read(d, hp, list))
		return hp->header.parts;
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		parts |= list[i].flags ? HOSTPROG_OBSERVE : 0;
		parts |= list[i].flags & WATCHER_ALL ? HOSTPROG_ALL : 0;
		parts |= list[i].flags & WATCHER_PERMIT ? HOSTPROG_PERMIT : 0;
	}
	return parts;
}

int hostprog_settle(struct arena *a, struct diags *d, struct hostprog *hp, hostprog_maker *make)
{
	uint32_t parts = needed(d, hp);
	if (hp->fd < 0 || parts == hp->header.parts)
		return 0;
	if (parts)
		return put(a, d, hp, parts, make);
	int error = bpf_prog_detach2(hp->fd, hp->root->fd, BPF_CGROUP_DEVICE);
	if (!error || error == -ENOENT)
		return 0;
	return diag_fail(d, error_hint(a, -error, "see the kernel log"), "cannot take the host program off '%s': %s", hp->root->path,
	                 strerror(-error));
}

int hostprog_tidy(struct arena *a, struct diags *d, hostprog_maker *make)
{
	struct hostprog *hp;
	if (hostprog_change(a, d, &hp))
		return -1;
	if (!hp)
		return 0;
	hostprog_sweep(a, hp);
	int failed = hostprog_settle(a, d, hp, make);
	hostprog_close(hp);
	return failed;
}

/* ---- told -------------------------------------------------------------------------------------------- */

int hostprog_info(struct arena *a, struct diags *d, struct hostprog *hp, hostprog_maker *make, struct hostprog_info *out)
{
	struct attached at = {0};
	struct host_watcher list[HOSTPROG_WATCHERS];
	describe_program(hp->fd, &at);
	if (!at.known)
		return diag_fail(d, error_hint(a, at.unreadable, "see the kernel log"), "cannot ask the kernel about the host program %u: %s",
		                 hp->id, strerror(at.unreadable));
	if (watchers_read(d, hp, list))
		return -1;
	*out = (struct hostprog_info){.id = hp->id, .parts = hp->header.parts, .features = hp->header.features, .root = cgroup_is_hosts_root(hp->root) ? hp->root->path : arena_printf(a, "above %s", hp->root->path),
	                              .after = hp->behind, .loaded_at = at.loaded_at};
	memcpy(out->tool, hp->header.tool, sizeof hp->header.tool);
	for (int i = 0; i < HOSTPROG_WATCHERS; i++) {
		out->watchers += list[i].flags != 0;
		out->pinned += (list[i].flags & WATCHER_PINNED) != 0;
	}
	out->genuine = make && is_genuine(a, hp, make);
	return 0;
}
