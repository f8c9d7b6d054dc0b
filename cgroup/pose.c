/*
 * pose.c - a request as a question: what a process can take on, and what none can, with the reason.
 */
#include "cgroup/probe.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/capability.h>

#include "cgroup/internal.h"
#include "policy/asked.h"

static bool given(const struct request *r, enum input in)
{
	return r->known & INPUT(in);
}

static bool given_as(const struct request *r, enum input in, int64_t value)
{
	return given(r, in) && r->fact[in] == value;
}

/* ---- what one fact needs ---------------------------------------------------------------- */

static const char *take_ids(const struct request *r, struct question *q)
{
	const struct {
		enum input in;
		uint32_t adopt, *to;
		const char *why;
	} ids[] = {
		{IN_UID, ADOPT_UID, &q->uid, "no process has such a uid"},
		{IN_GID, ADOPT_GID, &q->gid, "no process has such a gid"},
		{IN_EUID, ADOPT_EUID, &q->euid, "no process has such a euid"},
		{IN_EGID, ADOPT_EGID, &q->egid, "no process has such an egid"},
		{IN_FSUID, ADOPT_FSUID, &q->fsuid, "no process has such an fsuid"},
	};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		if (!given(r, ids[i].in))
			continue;
		if (r->fact[ids[i].in] < 0 || r->fact[ids[i].in] >= UINT32_MAX)
			return ids[i].why;
		*ids[i].to = (uint32_t)r->fact[ids[i].in];
		q->adopt |= ids[i].adopt;
	}
	return NULL;
}

static const char *take_comm(const struct request *r, struct question *q)
{
	if (!(r->known & (INPUT(IN_COMM_0) | INPUT(IN_COMM_1))))
		return NULL;
	for (int i = 0; i < COMM_SIZE; i++)
		q->comm[i] = (char)((uint64_t)r->fact[IN_COMM_0 + i / 8] >> 8 * (i % 8));
	/* the kernel pads it with zeros and ends it with one */
	for (size_t i = strnlen(q->comm, COMM_SIZE - 1); i < COMM_SIZE; i++)
		if (q->comm[i])
			return "no process has such a comm";
	q->adopt |= ADOPT_COMM;
	return NULL;
}

/* The kernel numbers sessions, one for each process that is given a login uid. */
static const char *take_login(const struct request *r, const struct asker_place *here, struct question *q)
{
	bool session = given(r, IN_SESSION), login = given(r, IN_LOGIN_UID);
	if (session && r->fact[IN_SESSION] != ID_NONE)
		return "a process cannot choose its session: the kernel numbers them";
	if (session && login && r->fact[IN_LOGIN_UID] != ID_NONE)
		return "a process with a login uid has a session";
	if (!session && !login)
		return NULL;
	if (!here->audit)
		return "this kernel keeps no login uid (CONFIG_AUDIT)";
	q->login = login ? (uint32_t)r->fact[IN_LOGIN_UID] : ID_NONE;
	q->adopt |= ADOPT_LOGIN;
	return NULL;
}

static const char *take_namespaces(const struct request *r, const struct asker_place *here, struct question *q)
{
	if (given_as(r, IN_HOST_USER_NS, 1) && !here->host_user_ns)
		return "this process is in another user namespace than the host's";
	if (given_as(r, IN_HOST_PID_NS, 1) && !here->host_pid_ns)
		return "this process is in another PID namespace than the host's";
	if (given_as(r, IN_KERNEL_THREAD, 1))
		return "no kernel thread asks for somebody else";
	q->adopt |= given_as(r, IN_HOST_USER_NS, 0) ? ADOPT_USER_NS : 0;
	q->adopt |= given_as(r, IN_HOST_PID_NS, 0) && here->host_pid_ns ? ADOPT_PID_NS : 0;
	return NULL;
}

static const char *take_parent(const struct request *r, const struct asker_place *here, struct question *q)
{
	if (!given(r, IN_PPID))
		return NULL;
	if (r->fact[IN_PPID] < 2 || r->fact[IN_PPID] >= here->pid_max)
		return "no process can have that parent: another has the number, or none can have it here";
	if (!here->host_pid_ns)
		return "a process of another PID namespace cannot choose its parent's number on the host";
	q->ppid = (uint32_t)r->fact[IN_PPID];
	q->adopt |= ADOPT_PPID;
	return NULL;
}

static const char *take_who(const struct request *r, struct question *q)
{
	const struct request_who *w = &r->who;
	const uint64_t all = ((uint64_t)1 << CAPABILITIES) - 1;
	if (w->known & WHO_GROUPS) {
		q->ngroups = w->ngroups;
		memcpy(q->groups, w->groups, w->ngroups * sizeof *w->groups);
		q->adopt |= ADOPT_GROUPS;
	}
	if (w->known & WHO_CAPS) {
		q->caps = w->caps & all;
		q->adopt |= ADOPT_CAPS;
		if (given_as(r, IN_HOST_USER_NS, 0) && q->caps)
			return "a process of another user namespace has no capability on the host";
		if (r->access & ACC_MKNOD && !(q->caps >> CAP_MKNOD & 1))
			return "without CAP_MKNOD nobody makes a node: no program is asked";
	}
	if (r->access & ACC_MKNOD && given_as(r, IN_HOST_USER_NS, 0))
		return "in another user namespace nobody makes a node: no program is asked";
	return NULL;
}

/* ---- the question -------------------------------------------------------------------------- */

/* Facts that the asking process can take on, into the question. NULL, or why not. */
static const char *take_facts(const struct request *r, const struct asker_place *here, struct question *q)
{
	const input_set asks = INPUT(IN_PARAM_0) - INPUT(IN_ASK_0);
	input_set facts = r->known & ~(INPUT(IN_UID) - 1) & ~asks;
	if (facts & ~(PROBE_FACTS | INPUT(IN_EXE) | INPUT(IN_PARENT_EXE))) /* which files: probe_who.c */
		return "a process cannot choose its pid, cgroup id, the uptime or a parameter";
	if (r->known & asks && !r->who.known)
		return "it is not said in which groups and cgroup it is, and what it may";
	const char *why = take_ids(r, q);
	why = why ? why : take_comm(r, q);
	why = why ? why : take_login(r, here, q);
	why = why ? why : take_namespaces(r, here, q);
	why = why ? why : take_parent(r, here, q);
	return why ? why : take_who(r, q);
}

const char *question_of(const struct request *r, const struct asker_place *here, struct question *q)
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
	q->slot = (uint32_t)((q->device << 1 | (q->mode == S_IFBLK)) * 0x9e3779b97f4a7c15ull >> 54) % PROBE_SLOTS;
	return take_facts(r, here, q);
}

/* ---- the place ------------------------------------------------------------------------------ */

/* The first namespaces have these numbers for good. */
static bool in_namespace(const char *name, const char *first)
{
	char text[64];
	ssize_t n = readlink(name, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	return !strcmp(text, first);
}

void asker_place(struct asker_place *here)
{
	char text[32];
	*here = (struct asker_place){.host_user_ns = in_namespace("/proc/self/ns/user", "user:[4026531837]"),
	                             .host_pid_ns = in_namespace("/proc/self/ns/pid", "pid:[4026531836]"),
	                             .audit = !access("/proc/self/loginuid", F_OK)};
	if (file_read(AT_FDCWD, "/proc/sys/kernel/pid_max", text, sizeof text) > 0)
		here->pid_max = atoll(text);
}

const char *question_facts(uint32_t adopt)
{
	static const struct {
		uint32_t adopt;
		const char *text;
	} facts[] = {
		{ADOPT_PPID, "its parent's number"}, {ADOPT_PARENT, "a parent that runs another program"}, {ADOPT_COMM, "its comm"},
		{ADOPT_LOGIN, "its login uid"}, {ADOPT_USER_NS, "a user namespace"}, {ADOPT_PID_NS, "a PID namespace"},
		{ADOPT_CAPS, "its capabilities"}, {ADOPT_GROUPS, "its groups"}, {ADOPT_GID | ADOPT_EGID, "its gid and egid"},
	};
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
		if (adopt & facts[i].adopt)
			return facts[i].text;
	return "its uid, euid and fsuid";
}
