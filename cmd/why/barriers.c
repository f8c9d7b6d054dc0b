/*
 * barriers.c - what refuses a request beside node and programs: capabilities that count on the whole host
 * only, the devices controller of cgroup v1, and drivers that are not there.
 *
 * mknod(2) asks for CAP_MKNOD before programs are asked. Drivers are asked after them.
 */
#include "cmd/why/why.h"

#include <linux/capability.h>

struct refusal *why_refuses(struct inquiry *q, const char *what, const char *error, const char *text)
{
	struct node *n = &q->node;
	struct refusal *r = &n->list[n->n < REFUSALS_MAX ? n->n++ : REFUSALS_MAX - 1];
	*r = (struct refusal){.what = what, .error = error, .text = text};
	return r;
}

bool why_capable(const struct inquiry *q, int capability)
{
	return q->view.initial_user_ns && q->view.caps & 1ull << capability;
}

/* ---- capabilities ------------------------------------------------------------------------------------ */

static void look_at_mknod(struct inquiry *q)
{
	if (!q->caller || !(q->request.access & ACC_MKNOD) || why_capable(q, CAP_MKNOD))
		return;
	why_refuses(q, "a missing capability denies it", "EPERM",
	            q->view.initial_user_ns ? "the process has not CAP_MKNOD: it can make no node"
	                                    : "the process is in a user namespace of its own: no node can be made from there");
}

static bool restricted(const char *file)
{
	FILE *f = fopen(file, "re");
	int value = 0;
	bool set = f && fscanf(f, "%d", &value) == 1 && value;
	if (f)
		fclose(f);
	return set;
}

/* What some drivers of the kernel itself ask for. */
static void look_at_drivers_rules(struct inquiry *q)
{
	const struct request *r = &q->request;
	if (!q->caller || r->type != DEV_CHAR || !(r->access & (ACC_READ | ACC_WRITE)))
		return;
	if (r->major == 1 && r->minor == 1 && !why_capable(q, CAP_SYS_RAWIO))
		why_refuses(q, "a missing capability denies it", "EPERM", "/dev/mem asks for CAP_SYS_RAWIO on the host");
	if (r->major == 1 && r->minor == 11 && r->access & ACC_READ && restricted("/proc/sys/kernel/dmesg_restrict") &&
	    !why_capable(q, CAP_SYSLOG) && !why_capable(q, CAP_SYS_ADMIN))
		why_refuses(q, "a missing capability denies it", "EPERM",
		            "kernel.dmesg_restrict is set: reading /dev/kmsg asks for CAP_SYSLOG on the host");
	if (r->major == 5 && !r->minor && !q->view.terminal)
		why_refuses(q, "there is no terminal", "ENXIO", "the process has no controlling terminal, which /dev/tty stands for");
}

/* ---- cgroup v1 --------------------------------------------------------------------------------------- */

/* Asked when all programs have allowed it. One line has to allow all of it. */
static void look_at_v1(struct inquiry *q)
{
	const char *list = q->held.pid ? process_devices_v1(q->c->arena, q->held.pid) : NULL;
	const struct request *r = &q->request;
	if (list && !devices_v1_allow(list, r->type, r->major, r->minor, r->access))
		why_refuses(q, "the devices controller of cgroup v1 denies it", "EPERM",
		            "this host has cgroup v1 beside v2, and no line of devices.list of the process's v1 cgroup allows it");
}

/* ---- drivers ------------------------------------------------------------------------------------------ */

static bool look_for_driver(struct inquiry *q)
{
	struct arena *a = q->c->arena;
	const struct request *r = &q->request;
	if (!(r->access & (ACC_READ | ACC_WRITE)) || driver_has(a, r->type, r->major, r->minor))
		return true;
	bool misc = r->type == DEV_CHAR && r->major == 10 && driver_has(a, r->type, r->major, -1);
	why_refuses(q, "no driver has it", misc ? "ENODEV" : "ENXIO",
	            arena_printf(a, "no driver of this kernel has %s %lld:%lld", r->type == DEV_BLOCK ? "block" : "char",
	                         (long long)r->major, (long long)r->minor))
		->hint = "load its module; some load themselves when they are opened";
	return false;
}

void why_barriers(struct inquiry *q)
{
	look_at_mknod(q);
	look_at_v1(q);
	if (look_for_driver(q))
		look_at_drivers_rules(q);
}
