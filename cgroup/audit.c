/*
 * audit.c - the maps of a program that reports: opened, claimed by one reader,
 * configured; and which programs report.
 *
 * The claim is a lock that goes with the process, whatever ends it: on the file
 * cgroup.procs at the hierarchy's root, which is one inode for all readers of a
 * host, whatever their network, mount or PID namespace, and which only root may open for writing.
 * It is an open file description lock: one process may claim many programs, and
 * giving back one claim must not drop the others, as it would with record locks of
 * the process. Those locks name no process, so the length of the locked range does:
 * it starts at the id of a map (the one with the totals, or a ring of a raw program) << 32 and is as long as the reader's PID.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* ---- open, close ------------------------------------------------------------------- */

static int program_gone(struct diags *d, uint32_t id)
{
	return diag_fail(d, "`rucy-devguard status` shows what is attached now",
	                 "program %u is gone: it was replaced or detached", id);
}

/* -1 with a diagnostic unless it is one of ours that reports. */
static int check_reports(struct arena *a, struct diags *d, int fd, uint32_t id,
                         char policy[IMAGE_NAME_MAX])
{
	struct attached at = {0};
	if (describe_program(fd, &at) != READ_OK)
		return diag_fail(d, error_hint(a, at.unreadable, "see the kernel log"),
		                 "cannot ask the kernel about program %u: %s", id, strerror(at.unreadable));
	if (!at.ours)
		return diag_fail(d, "`rucy-devguard status` shows whose programs are attached",
		                 "program %u is no policy's", id);
	if (at.audit == AUDIT_NONE)
		return diag_fail(d, "apply it again with --audit denied, or write `audit :denied` in the "
		                    "policy",
		                 "the policy '%s' reports nothing", at.name);
	memcpy(policy, at.name, IMAGE_NAME_MAX);
	return 0;
}

int audit_open(struct arena *a, struct diags *d, uint32_t id, struct audit **out)
{
	struct report_maps maps;
	char policy[IMAGE_NAME_MAX];
	*out = NULL;
	int fd = bpf_prog_get_fd_by_id(id);
	if (fd == -ENOENT)
		return program_gone(d, id);
	if (fd < 0)
		return diag_fail(d, error_hint(a, -fd, "see the kernel log"), "cannot open program %u: %s", id,
		                 strerror(-fd));
	if (check_reports(a, d, fd, id, policy)) {
		close(fd);
		return -1;
	}
	int error = report_maps_open(fd, &maps);
	close(fd);
	if (error)
		return diag_fail(d, error_hint(a, -error, "see the kernel log"),
		                 "cannot open the maps of program %u: %s", id, strerror(-error));
	/* names may be missing: a program that another tool loaded has none */
	for (int i = 0; i < REPORT_NAMES; i++)
		if (maps.fd[i] < 0) {
			report_maps_close(&maps);
			return diag_fail(d, "apply the policy again with this version",
			                 "program %u has no map %s of the form this version reads", id,
			                 report_kinds[i].name);
		}
	struct audit *au = arena_alloc(a, sizeof *au);
	*au = (struct audit){.maps = maps, .id = id, .lock = -1};
	memcpy(au->policy, policy, sizeof policy);
	*out = au;
	return 0;
}

void audit_close(struct audit *au)
{
	struct diags ignored;
	struct arena *a;
	if (!au)
		return;
	if (au->folds && (a = arena_new())) {
		diags_init(&ignored, a);
		audit_fold(&ignored, au, 0);
		arena_free(a);
	}
	ring_buffer__free(au->ring);
	au->ring = NULL;
	report_maps_close(&au->maps);
	if (au->lock >= 0)
		close(au->lock);
	au->lock = -1;
}

const char *audit_policy(const struct audit *au)
{
	return au->policy;
}

uint32_t audit_counts_id(const struct audit *au)
{
	return au->maps.counts_id;
}

/* The program before may have written a last record after it was replaced: its ring buffer is
 * kept until the next time. */
static void keep_ring(struct report_maps *to, struct report_maps *from)
{
	bool there = to->events_id == from->events_id || to->nold == OLD_RINGS;
	for (size_t i = 0; i < to->nold; i++)
		there |= to->old[i].id == from->events_id;
	if (there)
		return;
	to->old[to->nold++] = (struct ring){from->fd[REPORT_EVENTS], from->events_id};
	from->fd[REPORT_EVENTS] = -1;
}

int audit_renew(struct diags *d, struct audit *au, struct audit *next)
{
	struct report_maps before = au->maps;
	struct ring_buffer *ring = au->ring;
	keep_ring(&next->maps, &before);
	au->maps = next->maps;
	next->maps = before;
	au->id = next->id;
	if (!ring)
		return 0;
	au->ring = NULL;
	int failed = audit_map_ring(d, au);
	ring_buffer__free(ring);
	return failed;
}

/* ---- the only reader ------------------------------------------------------------------ */

static struct flock claim_range(uint32_t map_id)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET,
	                      .l_start = (off_t)map_id << 32, .l_len = getpid()};
}

static int claimed(struct arena *a, struct diags *d, const struct flock *want,
                   const struct flock *by)
{
	if (by->l_start != want->l_start || by->l_len <= 0)
		return diag_fail(d, "it locks the file cgroup.procs of the hierarchy's root in a way no "
		                    "version of this tool does; see lslocks",
		                 "a process that cannot be named keeps these events from being read");
	return diag_fail(d,
	                 arena_printf(a, "stop it (kill %lld) or wait for it to end; `rucy-devguard "
	                                 "stats` works beside it", (long long)by->l_len),
	                 "process %lld reads these events already: a record goes to one reader only",
	                 (long long)by->l_len);
}

/* 0 or -1: somebody else has it, or it cannot be locked. */
static int lock_range(struct arena *a, struct diags *d, int fd, uint32_t map_id,
                      const char *file)
{
	enum { TRIES = 10 };
	int error = 0;
	for (int i = 0; i < TRIES; i++) {
		struct flock want = claim_range(map_id), is = want;
		want.l_pid = is.l_pid = 0; /* these locks insist on it */
		if (!fcntl(fd, F_OFD_SETLK, &want))
			return 0;
		error = errno;
		if (error != EAGAIN && error != EACCES && error != EINTR)
			break;
		/* given back meanwhile: once more */
		if (!fcntl(fd, F_OFD_GETLK, &is) && is.l_type != F_UNLCK)
			return claimed(a, d, &want, &is);
	}
	return diag_fail(d, "see the kernel log", "cannot lock %s for reading events: %s", file,
	                 strerror(error));
}

int reader_claim(struct arena *a, struct diags *d, uint32_t map_id)
{
	const char *mount = cgroup_mount(a);
	if (!mount)
		return cgroup_no_mount(a, d, errno);
	const char *file = arena_printf(a, "%s/cgroup.procs", mount);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return diag_fail(d, errno == EROFS ? arena_printf(a, "mount -o remount,rw %s", mount)
		                                   : error_hint(a, errno, privilege_hint(a)),
		                 "cannot open %s, which a reader of events locks: %s", file,
		                 strerror(errno));
	if (!lock_range(a, d, fd, map_id, file))
		return fd;
	close(fd);
	return -1;
}

int audit_claim(struct arena *a, struct diags *d, struct audit *au)
{
	if (au->lock >= 0)
		return 0;
	int fd = reader_claim(a, d, au->maps.counts_id);
	if (fd < 0)
		return -1;
	au->lock = fd;
	/* one that was killed may have left its interval */
	if (!audit_map_ring(d, au) && !audit_fold(d, au, 0))
		return 0;
	ring_buffer__free(au->ring);
	au->ring = NULL;
	close(fd);
	au->lock = -1;
	return -1;
}

int audit_fold(struct diags *d, struct audit *au, uint64_t interval_ns)
{
	struct audit_config config = {.fold_ns = interval_ns};
	uint32_t zero = 0;
	int error = bpf_map_update_elem(au->maps.fd[REPORT_CONFIG], &zero, &config, BPF_ANY);
	if (error)
		return diag_fail(d, error_hint(d->arena, -error, "see the kernel log"),
		                 "cannot set how records are folded: %s", strerror(-error));
	au->folds = interval_ns != 0;
	return 0;
}

/* ---- which programs report ---------------------------------------------------------------- */

/* 1 yes, 0 no (or it is gone meanwhile), -errno. */
static int reports(uint32_t id)
{
	struct bpf_prog_info info = {0};
	struct attached at = {0};
	uint32_t len = sizeof info;
	int fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int result = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (!result && info.type == BPF_PROG_TYPE_CGROUP_DEVICE)
		result = describe_program(fd, &at) == READ_OK ? at.ours && at.audit != AUDIT_NONE
		         : at.unreadable == ENOENT            ? 0 /* a map went */
		                                              : -at.unreadable;
	close(fd);
	return result;
}

int audit_programs(struct arena *a, struct diags *d, uint32_t after, uint32_t **ids, size_t *n)
{
	size_t cap = 0;
	uint32_t id = after;
	int error, yes = 0;
	*ids = NULL;
	*n = 0;
	while (yes >= 0 && !(error = bpf_prog_get_next_id(id, &id)))
		if ((yes = reports(id)) > 0)
			*ARENA_PUSH(a, *ids, *n, cap) = id;
	error = yes < 0 ? yes : error;
	if (error == -ENOENT)
		return 0;
	return diag_fail(d, error_hint(a, -error, "see the kernel log"),
	                 "cannot list the programs in the kernel: %s", strerror(-error));
}
