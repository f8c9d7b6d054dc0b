/*
 * probe.c - any request put to the real kernel.
 *
 * The kernel cannot test-run device programs, but it asks them about any device
 * number when a node of it is made or looked at. So: a scratch cgroup with the
 * program attached, a process in it (asker.c), and nodes on a tmpfs that is mounted
 * nowhere and goes with its last descriptor. The nodes are made by this process,
 * which the program does not guard; they are kept in slots and made again only
 * when another device comes to the same slot.
 *
 * Before the program is attached the same questions must all be allowed: whatever
 * else could say EPERM (a missing capability, programs of ancestors, a v1 device
 * cgroup, a seccomp filter) makes probe_open() fail and is not taken for a verdict.
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/capability.h>

#include "cgroup/hostmaps.h"
#include "cgroup/hostprog.h"

#define PREFIX "devguard-probe"

enum { SLOTS = 1024, ANSWER_WAIT_SECONDS = 10 };

struct probe {
	struct cgroup *cg;
	struct cgroup *below; /* another's, where the asker is; NULL: none was made */
	int socket, nodes; /* -1: not open */
	pid_t asker;       /* 0: none */
	bool others;       /* programs of anybody: a denial may be another errno than EPERM */
	uint64_t device_of[SLOTS]; /* 1 + device with type, 0: no node */
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
	if (mknodat(pr->nodes, name, q->mode | 0600, (dev_t)q->device))
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

/* Facts that the asking process can take on, into the question. NULL, or why not. */
static const char *take_facts(const struct request *r, struct question *q)
{
	const input_set comm = INPUT(IN_COMM_0) | INPUT(IN_COMM_1);
	input_set facts = r->known & ~(INPUT(IN_UID) - 1);
	if (facts & ~PROBE_FACTS)
		return "a process cannot choose its pid, cgroup id, the uptime or a parameter";
	if (facts & INPUT(IN_UID)) {
		if (r->fact[IN_UID] < 0 || r->fact[IN_UID] >= UINT32_MAX)
			return "no process has such a uid";
		q->uid = (uint32_t)r->fact[IN_UID];
		q->adopt |= ADOPT_UID;
	}
	if (facts & INPUT(IN_GID)) {
		if (r->fact[IN_GID] < 0 || r->fact[IN_GID] >= UINT32_MAX)
			return "no process has such a gid";
		q->gid = (uint32_t)r->fact[IN_GID];
		q->adopt |= ADOPT_GID;
	}
	if (facts & comm) {
		for (int i = 0; i < COMM_SIZE; i++)
			q->comm[i] = (char)((uint64_t)r->fact[IN_COMM_0 + i / 8] >> 8 * (i % 8));
		/* the kernel pads it with zeros and ends it with one */
		for (size_t i = strnlen(q->comm, COMM_SIZE - 1); i < COMM_SIZE; i++)
			if (q->comm[i])
				return "no process has such a comm";
		q->adopt |= ADOPT_COMM;
	}
	return NULL;
}

/* The request as a question. NULL, or why it cannot be asked. */
static const char *make_question(const struct request *r, struct question *q)
{
	*q = (struct question){.access = r->access, .cpu = sched_getcpu()};
	if ((r->type != DEV_CHAR && r->type != DEV_BLOCK) || r->access & ~ACC_ALL)
		return "the kernel has no such device type or access";
	if (r->major < 0 || r->major > MAJOR_MAX || r->minor < 0 || r->minor > MINOR_MAX)
		return "no node can have such a device number";
	if (!r->major && !r->minor && (r->type == DEV_CHAR || r->access != ACC_MKNOD))
		return "the kernel asks no program about device number 0:0";
	q->mode = r->type == DEV_CHAR ? S_IFCHR : S_IFBLK;
	q->device = makedev((unsigned)r->major, (unsigned)r->minor);
	q->slot = (uint32_t)((q->device << 1 | (q->mode == S_IFBLK)) * 0x9e3779b97f4a7c15ull >> 54) % SLOTS;
	return take_facts(r, q);
}

/* Is it the program that says so, and no file system that is full? */
static bool denies(const struct probe *pr, int error)
{
	return error == EPERM || (pr->others && error != ENOSPC && error != ENOMEM && error != EEXIST);
}

enum probe_answer probe_ask(struct probe *pr, const struct request *r, const char **why)
{
	struct question q;
	struct answer a;
	int error;
	*why = make_question(r, &q);
	if (*why)
		return PROBE_SKIPPED;
	if ((q.access & ~ACC_MKNOD || !q.access) && (error = place_node(pr, &q)))
		return failed(pr, why, "cannot make the device node", error);
	error = exchange(pr, &q, &a);
	if (error)
		return failed(pr, why, "the asking process does not answer", error);
	if (a.adopt)
		return failed(pr, why, "cannot take on the caller's uid, gid or comm", a.adopt);
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
	if (!fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) &&
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
	pr->nodes = detached_tmpfs();
	if (pr->nodes < 0)
		return diag_fail(d, error_hint(a, errno, privilege_hint(a)), "no file system for a probe: %s",
		                 strerror(errno));
	return start_asker(d, pr) || transient_enter(d, pr->cg, pr->asker) || calibrate(a, d, pr) ? -1 : 0;
}

static struct probe *new_probe(struct arena *a)
{
	struct probe *pr = arena_alloc(a, sizeof *pr);
	pr->socket = pr->nodes = -1;
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
	return end(pr, begin(a, d, pr) || attach(a, d, pr, program_fd(p)), out);
}

int probe_open_programs(struct arena *a, struct diags *d, const uint32_t *ids, size_t n, struct probe **out)
{
	struct probe *pr = new_probe(a);
	int failed = begin(a, d, pr);
	pr->others = true;
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
	pr->others = true;
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
	transient_end(pr->cg);
	*pr = (struct probe){.socket = -1, .nodes = -1};
}
