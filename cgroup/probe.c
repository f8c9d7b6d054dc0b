/*
 * probe.c - any request put to the real kernel.
 *
 * The kernel cannot test-run device programs, but it asks them about any device
 * number when a node of it is made or looked at. So: a scratch cgroup with the
 * program attached, a process in it (asker.c) that is given the facts of the request
 * (pose.c, probe_who.c), and nodes on a tmpfs that is mounted
 * nowhere and goes with its last descriptor. The nodes are made by this process,
 * which the program does not guard; they are kept in slots and made again only
 * when another device comes to the same slot.
 *
 * Before the program is attached the same questions must all be allowed: whatever
 * else could say EPERM (a missing capability, programs of ancestors, a v1 device
 * cgroup, a seccomp filter) makes probe_open() fail and is not taken for a verdict.
 */
#include "cgroup/probe_who.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/capability.h>

#include "cgroup/hostmaps.h"
#include "cgroup/hostprog.h"

#define PREFIX "devguard-probe"

enum { ANSWER_WAIT_SECONDS = 10 };

struct probe {
	struct cgroup *cg;
	struct cgroup *below; /* another's, where the asker is; NULL: none was made */
	int socket, nodes; /* -1: not open */
	pid_t asker;       /* 0: none */
	bool others;       /* programs of anybody: a denial may be another errno than EPERM */
	struct asker_place here;
	struct probe_who who;
	uint64_t device_of[PROBE_SLOTS]; /* 1 + device with type, 0: no node */
	char why[128];
};

/* ---- asking ------------------------------------------------------------------------- */

static enum probe_answer failed(struct probe *pr, const char **why, const char *what, int error)
{
	snprintf(pr->why, sizeof pr->why, "%s: %s", what, strerror(error));
	*why = pr->why;
	return PROBE_FAILED;
}

/* Makes sure that the slot's node is this device. 0 or errno. */
static int place_node(struct probe *pr, const struct question *q)
{
	char name[NODE_NAME_MAX];
	uint64_t key = 1 + (q->device << 1 | (q->mode == S_IFBLK));
	if (pr->device_of[q->slot] == key)
		return 0;
	node_name(name, q->slot);
	if (pr->device_of[q->slot] && unlinkat(pr->nodes, name, 0))
		return errno;
	pr->device_of[q->slot] = 0;
	/* everybody's: who asks may be anybody, without capabilities */
	if (mknodat(pr->nodes, name, q->mode | 0666, (dev_t)q->device) || fchmodat(pr->nodes, name, 0666, 0))
		return errno;
	pr->device_of[q->slot] = key;
	return 0;
}

static int exchange(struct probe *pr, const struct question *q, struct answer *a)
{
	ssize_t n = send(pr->socket, q, sizeof *q, MSG_NOSIGNAL);
	if (n != (ssize_t)sizeof *q)
		return n < 0 ? errno : EIO;
	do
		n = recv(pr->socket, a, sizeof *a, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *a ? 0 : n < 0 ? errno : EPIPE;
}

/* Is it the program that says so, and no file system that is full? */
static bool denies(const struct probe *pr, int error)
{
	return error == EPERM || (pr->others && error != ENOSPC && error != ENOMEM && error != EEXIST);
}

/* What a process here has no right to take on, or what is another's, is not asked; that is no fault. */
static enum probe_answer not_adopted(struct probe *pr, const struct question *q, const struct answer *a, const char **why)
{
	const char *what = question_facts(a->lacking);
	if (!(q->adopt & ~ADOPT_PLAIN) || !a->lacking)
		return failed(pr, why, "cannot take on what the request says of the caller", a->adopt);
	snprintf(pr->why, sizeof pr->why, "a process here cannot take on %s: %s", what, strerror(a->adopt));
	*why = pr->why;
	return PROBE_SKIPPED;
}

enum probe_answer probe_ask(struct probe *pr, const struct request *r, const char **why)
{
	struct question q;
	struct answer a;
	int error;
	*why = question_of(r, &pr->here, &q);
	if (!*why)
		*why = probe_who_set(&pr->who, r, pr->asker, &q);
	if (*why)
		return PROBE_SKIPPED;
	if ((q.access & ~ACC_MKNOD || !q.access) && (error = place_node(pr, &q)))
		return failed(pr, why, "cannot make the device node", error);
	error = exchange(pr, &q, &a);
	if (error)
		return failed(pr, why, "the asking process does not answer", error);
	if (a.adopt)
		return not_adopted(pr, &q, &a, why);
	if (a.mknod > 0 && !denies(pr, a.mknod))
		return failed(pr, why, "mknod", a.mknod);
	if (a.access > 0 && !denies(pr, a.access))
		return failed(pr, why, "faccessat", a.access);
	return a.mknod > 0 || a.access > 0 ? PROBE_DENY : PROBE_ALLOW;
}

/* ---- setting up ----------------------------------------------------------------------- */

/* A tmpfs mounted nowhere: gone with the last descriptor, also after SIGKILL. */
static int detached_tmpfs(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -1;
	if (fs < 0)
		return -1;
	if (!fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0777", 0) &&
	    !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	int error = errno;
	close(fs);
	errno = error;
	return mount;
}

static int start_asker(struct diags *d, struct probe *pr)
{
	int pair[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return diag_fail(d, "raise the limit of open files (ulimit -n)", "no socket for a probe: %s",
		                 strerror(errno));
	struct timeval wait = {.tv_sec = ANSWER_WAIT_SECONDS};
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	pid_t pid = fork();
	if (!pid)
		asker_run(pair[1], pr->nodes, parent);
	int error = errno;
	close(pair[1]);
	pr->socket = pair[0];
	if (pid < 0)
		return diag_fail(d, "raise the limit of processes (ulimit -u, pids.max)",
		                 "no process for a probe: %s", strerror(error));
	pr->asker = pid;
	return 0;
}

/* How many programs answer for the scratch cgroup, but for our host program: that one turns nothing there. -1 with a
 * diagnostic. */
static int answering(struct arena *a, struct diags *d, const struct probe *pr)
{
	struct host_found found;
	int others = cgroup_effective(pr->cg);
	if (others < 0)
		return diag_fail(d, privilege_hint(a), "cannot ask which programs a scratch cgroup has");
	if (!others)
		return 0;
	if (hostprog_find(a, d, pr->cg, &found))
		return -1;
	if (found.fd >= 0)
		close(found.fd);
	return others - (found.fd >= 0);
}

/* Every kind of question, on numbers that nobody allows by chance: all must be
 * allowed as long as the program is not attached. */
static int calibrate(struct arena *a, struct diags *d, struct probe *pr)
{
	static const int accesses[] = {0, ACC_READ, ACC_WRITE, ACC_READ | ACC_WRITE, ACC_MKNOD};
	char letters[4];
	int others = answering(a, d, pr);
	if (others > 0)
		return diag_fail(d, "run it where the cgroup v2 hierarchy has no device programs at its root, "
		                    "as on a host outside containers",
		                 "programs of others answer for a scratch cgroup too");
	if (others)
		return -1;
	for (int type = DEV_BLOCK; type <= DEV_CHAR; type++)
		for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
			struct request r = {.type = type, .access = accesses[i], .major = MAJOR_MAX, .minor = MINOR_MAX};
			const char *why;
			if (probe_ask(pr, &r, &why) == PROBE_ALLOW)
				continue;
			return diag_fail(d, "CAP_MKNOD is needed, no v1 device cgroup may confine this process, "
			                    "and no seccomp filter may forbid mknod and faccessat2",
			                 "requests cannot be put to this kernel: '%c %d:%d %s' fails without any "
			                 "policy: %s", type == DEV_CHAR ? 'c' : 'b', MAJOR_MAX, MINOR_MAX,
			                 access_text(accesses[i], letters), why ? why : strerror(EPERM));
		}
	return 0;
}

/* ---- open and close --------------------------------------------------------------- */

const char *probe_closed(struct arena *a)
{
	const char *closed = kernel_closed();
	if (closed)
		return closed;
	if (!capable(CAP_SYS_ADMIN))
		return "root without CAP_SYS_ADMIN";
	if (!capable(CAP_MKNOD))
		return "root without CAP_MKNOD";
	const char *mount = cgroup_mount(a);
	if (!mount)
		return "no cgroup v2 hierarchy is mounted";
	if (access(mount, W_OK) && errno == EROFS)
		return arena_printf(a, "%s is read-only", mount);
	return NULL;
}

static int attach(struct arena *a, struct diags *d, struct probe *pr, int fd)
{
	int error = bpf_prog_attach(fd, pr->cg->fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
	return error ? diag_fail(d, privilege_hint(a), "cannot attach to a scratch cgroup: %s", strerror(-error)) : 0;
}

/* A scratch cgroup with an asker, and no program yet. */
static int begin(struct arena *a, struct diags *d, struct probe *pr)
{
	const char *mount = cgroup_mount(a);
	if (mount)
		transient_sweep(mount, PREFIX);
	/* grants and who lets requests pass turn nothing in it */
	if (transient_new(a, d, mount, PREFIX, &pr->cg) || guarded_add(a, d, pr->cg, false))
		return -1;
	pr->who.levels[pr->who.nlevels++] = pr->cg;
	pr->nodes = detached_tmpfs();
	if (pr->nodes < 0)
		return diag_fail(d, error_hint(a, errno, privilege_hint(a)), "no file system for a probe: %s",
		                 strerror(errno));
	return start_asker(d, pr) || transient_enter(d, pr->cg, pr->asker) || calibrate(a, d, pr) ? -1 : 0;
}

static struct probe *new_probe(struct arena *a)
{
	struct probe *pr = arena_alloc(a, sizeof *pr);
	pr->socket = pr->nodes = pr->who.map = -1;
	pr->who.arena = a;
	asker_place(&pr->here);
	return pr;
}

static int end(struct probe *pr, int failed, struct probe **out)
{
	*out = failed ? NULL : pr;
	if (failed)
		probe_close(pr);
	return failed ? -1 : 0;
}

int probe_open(struct arena *a, struct diags *d, const struct program *p, struct probe **out)
{
	struct probe *pr = new_probe(a);
	return end(pr, begin(a, d, pr) || probe_who_open(a, d, p, &pr->who) || attach(a, d, pr, program_fd(p)), out);
}

int probe_open_programs(struct arena *a, struct diags *d, const uint32_t *ids, size_t n, struct probe **out)
{
	struct probe *pr = new_probe(a);
	int failed = begin(a, d, pr);
	pr->others = pr->who.foreign = true;
	for (size_t i = 0; i < n && !failed; i++) {
		int fd = bpf_prog_get_fd_by_id(ids[i]);
		failed = fd < 0 ? diag_fail(d, error_hint(a, -fd, "list shows those there are"), "cannot open program %u: %s", ids[i], strerror(-fd))
		                : attach(a, d, pr, fd);
		if (fd >= 0)
			close(fd);
	}
	return end(pr, failed, out);
}

/* Into the cgroup itself, or, where only cgroups below may have processes, into a new one below it. */
static int enter(struct arena *a, struct diags *d, struct probe *pr, const struct cgroup *cg)
{
	struct diags unsaid;
	char events[128];
	diags_init(&unsaid, a);
	if (file_read(cg->fd, "cgroup.events", events, sizeof events) > 0 && strstr(events, "frozen 1"))
		return diag_fail(d, "thaw it first", "%s is frozen: no process in it can ask the kernel", cg->path);
	if (!transient_enter(&unsaid, cg, pr->asker))
		return 0;
	transient_sweep(cg->path, PREFIX);
	return transient_new(a, d, cg->path, PREFIX, &pr->below) || transient_enter(d, pr->below, pr->asker) ? -1 : 0;
}

int probe_open_in(struct arena *a, struct diags *d, const struct cgroup *cg, struct probe **out)
{
	struct probe *pr = new_probe(a);
	int failed = begin(a, d, pr);
	pr->others = pr->who.foreign = true;
	return end(pr, failed || enter(a, d, pr, cg), out);
}

void probe_close(struct probe *pr)
{
	if (!pr)
		return;
	if (pr->socket >= 0)
		close(pr->socket);
	if (pr->asker) {
		kill(pr->asker, SIGKILL);
		while (waitpid(pr->asker, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (pr->nodes >= 0)
		close(pr->nodes);
	transient_end(pr->below);
	probe_who_close(&pr->who);
	transient_end(pr->cg);
	*pr = (struct probe){.socket = -1, .nodes = -1, .who.map = -1};
}
