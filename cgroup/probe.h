/*
 * probe.h - between the processes of a probe: probe.c asks, asker.c is the process in
 * the scratch cgroup, stand_in.c those that it makes for a question.
 */
#ifndef DEVGUARD_CGROUP_PROBE_H
#define DEVGUARD_CGROUP_PROBE_H

#include <stdint.h>
#include <sys/types.h>

#include "policy/request.h"

/* Facts to take on. The others are put back, or stay as they are. */
enum {
	ADOPT_UID = 1 << 0,
	ADOPT_GID = 1 << 1,
	ADOPT_COMM = 1 << 2,
	ADOPT_PLAIN = ADOPT_UID | ADOPT_GID | ADOPT_COMM, /* a process can go back from these */
	ADOPT_EUID = 1 << 3,
	ADOPT_EGID = 1 << 4,
	ADOPT_FSUID = 1 << 5,
	ADOPT_GROUPS = 1 << 6,
	ADOPT_CAPS = 1 << 7,
	ADOPT_LOGIN = 1 << 8,
	ADOPT_USER_NS = 1 << 9, /* one of its own */
	ADOPT_PID_NS = 1 << 10, /* one of its own */
	ADOPT_PPID = 1 << 11,
	ADOPT_PARENT = 1 << 12, /* the parent runs parent_program() */
};

/* One message each way. */
struct question {
	int32_t access; /* set of ACC_* */
	uint32_t slot;  /* the node to ask about read and write */
	uint32_t mode;  /* S_IFCHR or S_IFBLK */
	uint32_t adopt; /* ADOPT_* */
	uint32_t uid, gid, euid, egid, fsuid, login, ppid;
	uint32_t ngroups, groups[REQUEST_GROUPS];
	uint64_t caps;
	uint64_t device;
	int32_t cpu; /* where the asker has the shortest way back */
	char comm[COMM_SIZE];
};
enum { NOT_ASKED = -1 };
struct answer {
	int32_t adopt, mknod, access; /* 0, an errno, or NOT_ASKED */
	uint32_t lacking;             /* with adopt: which ADOPT_* failed, 0: another step */
};

/* Name of a slot's node. */
enum { NODE_NAME_MAX = 16, PROBE_SLOTS = 1024 };
void node_name(char *name, uint32_t slot);
/* Puts it to the kernel, as the process that calls. */
void question_put(int nodes, const struct question *q, struct answer *a);

/* Where the prober is. */
struct asker_place {
	bool host_user_ns, host_pid_ns, audit;
	int64_t pid_max;
};
void asker_place(struct asker_place *here);
/* The request as a question. NULL, or why it cannot be asked. */
const char *question_of(const struct request *r, const struct asker_place *here, struct question *q);
/* What these ADOPT_* are, for messages: "its login uid". */
const char *question_facts(uint32_t adopt);

/* Takes on the facts of a question, for good. 0, or errno and which of them. */
int adopt_facts(const struct question *q, uint32_t *lacking);
/* Has it put by a process that was made for it. `shared` is memory that children share. */
void stand_in(int nodes, const struct question *q, struct answer *shared);
/* What a parent runs that is to have another executable; NULL: none is here. */
const char *parent_program(void);

/* What the child does: lives until the other end of the socket is closed or
 * `parent` dies. Never returns. `nodes` is the directory of the nodes. */
_Noreturn void asker_run(int socket, int nodes, pid_t parent);

#endif
