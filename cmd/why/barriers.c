/*
 * barriers.c - what refuses a request beside node and programs: capabilities that count on the whole host
 * only, and drivers that are not there.
 *
 * mknod(2) asks for CAP_MKNOD before programs are asked. Drivers are asked after them.
 */
#include "cmd/why/why.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	if (!q->held.pid || !(q->request.access & ACC_MKNOD) || why_capable(q, CAP_MKNOD))
		return;
	why_refuses(q, "a missing capability", "EPERM",
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
	if (!q->held.pid || r->type != DEV_CHAR || !(r->access & (ACC_READ | ACC_WRITE)))
		return;
	if (r->major == 1 && (r->minor == 1 || r->minor == 4) && !why_capable(q, CAP_SYS_RAWIO))
		why_refuses(q, "a missing capability", "EPERM", "/dev/mem and /dev/port ask for CAP_SYS_RAWIO on the host");
	if (r->major == 1 && r->minor == 11 && r->access & ACC_READ && restricted("/proc/sys/kernel/dmesg_restrict") &&
	    !why_capable(q, CAP_SYSLOG) && !why_capable(q, CAP_SYS_ADMIN))
		why_refuses(q, "a missing capability", "EPERM",
		            "kernel.dmesg_restrict is set: reading /dev/kmsg asks for CAP_SYSLOG on the host");
	if (r->major == 5 && !r->minor && !q->view.terminal)
		why_refuses(q, "no terminal", "ENXIO", "the process has no controlling terminal, which /dev/tty stands for");
}

/* ---- drivers ------------------------------------------------------------------------------------------ */

/* Has a driver the major? Yes, too, where that cannot be told. */
static bool has_driver(int type, int64_t major)
{
	static const char *const heads[] = {"Character devices:", "Block devices:"};
	char line[128];
	bool there = false, part = false, read = false;
	FILE *f = fopen("/proc/devices", "re");
	while (f && fgets(line, sizeof line, f)) {
		if (strstr(line, "devices:"))
			part = !strncmp(line, heads[type == DEV_BLOCK], strlen(heads[type == DEV_BLOCK]));
		read |= part;
		there |= part && strtoll(line, NULL, 10) == major;
	}
	if (f)
		fclose(f);
	return there || !read;
}

/* Is the number itself there, of those kinds of which sysfs tells? */
static bool has_device(struct arena *a, const struct request *r)
{
	struct stat st;
	const char *kind = r->type == DEV_BLOCK ? "block" : "char";
	bool told = r->type == DEV_BLOCK || r->major == 1 || r->major == 10;
	const char *dir = arena_printf(a, "/sys/dev/%s", kind);
	return !told || stat(dir, &st) || !stat(arena_printf(a, "%s/%lld:%lld", dir, (long long)r->major, (long long)r->minor), &st);
}

static void look_for_driver(struct inquiry *q)
{
	struct arena *a = q->c->arena;
	const struct request *r = &q->request;
	if (!(r->access & (ACC_READ | ACC_WRITE)) || (has_driver(r->type, r->major) && has_device(a, r)))
		return;
	bool misc = r->type == DEV_CHAR && r->major == 10 && has_driver(r->type, r->major);
	why_refuses(q, "no driver", misc ? "ENODEV" : "ENXIO",
	            arena_printf(a, "no driver of this kernel has %s %lld:%lld", r->type == DEV_BLOCK ? "block" : "char",
	                         (long long)r->major, (long long)r->minor))
		->hint = "load its module; some load themselves when they are opened";
}

void why_barriers(struct inquiry *q)
{
	look_at_mknod(q);
	look_at_drivers_rules(q);
	look_for_driver(q);
}
