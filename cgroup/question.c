/*
 * question.c - one question to the kernel: mknod(2) for mknod, faccessat2(2) for read and write. System calls only:
 * it runs in processes that were forked from one with state of its own.
 */
#include "cgroup/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MADE "made" /* the node that mknod questions make and remove */

void node_name(char *name, uint32_t slot)
{
	snprintf(name, NODE_NAME_MAX, "n%u", slot);
}

static int ask_mknod(int nodes, const struct question *q)
{
	if (mknodat(nodes, MADE, q->mode | 0600, (dev_t)q->device))
		return errno;
	return unlinkat(nodes, MADE, 0) ? errno : 0;
}

static int ask_access(int nodes, const struct question *q)
{
	char name[NODE_NAME_MAX];
	int mode = (q->access & ACC_READ ? R_OK : 0) | (q->access & ACC_WRITE ? W_OK : 0);
	node_name(name, q->slot);
	/* no libc wrapper: it would imitate the flag by reading the mode bits */
	return syscall(SYS_faccessat2, nodes, name, mode ? mode : F_OK, AT_EACCESS) ? errno : 0;
}

void question_put(int nodes, const struct question *q, struct answer *a)
{
	if (q->access & ACC_MKNOD)
		a->mknod = ask_mknod(nodes, q);
	if (q->access & ~ACC_MKNOD || !q->access)
		a->access = ask_access(nodes, q);
}
