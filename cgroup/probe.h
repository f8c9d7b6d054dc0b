/*
 * probe.h - between the two processes of a probe: probe.c asks, asker.c is the
 * process in the scratch cgroup.
 */
#ifndef DEVGUARD_CGROUP_PROBE_H
#define DEVGUARD_CGROUP_PROBE_H

#include <stdint.h>
#include <sys/types.h>

#include "policy/request.h"

enum { ADOPT_UID = 1, ADOPT_GID = 2, ADOPT_COMM = 4 };

/* One message each way. */
struct question {
	int32_t access; /* set of ACC_* */
	uint32_t slot;  /* the node to ask about read and write */
	uint32_t mode;  /* S_IFCHR or S_IFBLK */
	uint32_t adopt; /* which of these facts to take on; the others are put back */
	uint32_t uid, gid;
	uint64_t device;
	int32_t cpu; /* where the asker has the shortest way back */
	char comm[COMM_SIZE];
};
enum { NOT_ASKED = -1 };
struct answer {
	int32_t adopt, mknod, access; /* 0, an errno, or NOT_ASKED */
};

/* Name of a slot's node. */
enum { NODE_NAME_MAX = 16 };
void node_name(char *name, uint32_t slot);

/* What the child does: lives until the other end of the socket is closed or
 * `parent` dies. Never returns. `nodes` is the directory of the nodes. */
_Noreturn void asker_run(int socket, int nodes, pid_t parent);

#endif
