/* node_internal.h - what the files of node.h share. */
#ifndef DEVGUARD_CMD_GRANT_NODE_INTERNAL_H
#define DEVGUARD_CMD_GRANT_NODE_INTERNAL_H

#include <sys/stat.h>

#include "cmd/grant/node.h"

enum { NODE_TEMP = 48, NODE_PATH = 256, NODE_SECONDS = 5 /* that a container has to answer */ };

/* ---- node_fd.c: descriptors ---------------------------------------------------------------- */

/* One step down, O_PATH: no links, and with `same`, no mount. A descriptor (of a link itself, where there is one) or -errno. */
int fd_step(int dir, const char *name, bool same);
/* The first of a path's parts, NUL-terminated, in `name`; returns what follows it. */
const char *path_part(const char *path, char name[NODE_PATH]);
/* The id of the mount it is on, which none will have again (before Linux 6.8: that none has now). */
uint64_t fd_mount(int fd);
/* When it was made, ns; 0: not known. */
uint64_t fd_born(int fd);
/* Passes n descriptors along with bytes. 0 or -errno. */
int fds_send(int socket, const void *bytes, size_t size, const int *fds, size_t n);
/* Within so many milliseconds. 0, or -errno: ETIMEDOUT, EPIPE. What is not passed is -1. */
int fds_receive(int socket, int ms, void *bytes, size_t size, int *fds, size_t n);
/* A child that ends with its parent: 0 in it, its pid. *socket leads to the other. -errno. */
pid_t node_child_start(int *socket);
/* Ends it, and does not wait for one that cannot end. */
void node_child_end(pid_t pid, int socket);

/* ---- node_mounts.c: mount tables ----------------------------------------------------------------- */

enum { MOUNT_TYPE = 24 };
/* The type of the mount with that id (STATX_MNT_ID), by the table `name` of a directory in /proc; "": it is not in it. */
void mounts_type(int proc, const char *name, uint64_t id, char out[MOUNT_TYPE]);
/* Is something of the file system with that device mounted in this process's mount namespace, or in the first one? What is mounted
 * goes on to other mounts only where these are of the same file system. True, too, where it cannot be told. */
bool mounts_here(uint64_t dev);

/* ---- node_whose.c: in whose mounts ------------------------------------------------------------------ */

/* A process of the container, held. */
struct node_whose {
	struct process_held held;
	int ns;           /* its mount namespace */
	uint64_t ns_id;   /* the inode of that */
	bool hosts;       /* this process is in it, too */
	bool initial;     /* it belongs to the initial user namespace */
	size_t others;    /* processes of the cgroup in other ones */
	pid_t other;      /* one of them */
};
/* The process with that pid, or (0) the oldest one of the cgroup and those below. 0, or -1 with a diagnostic. */
int whose_choose(struct arena *a, struct diags *d, const struct cgroup *cg, pid_t pid, struct node_whose *out);
/* The next process, from *pid on, that has that mount namespace. False: there is none. */
bool whose_find(struct arena *a, uint64_t ns_id, pid_t *pid, struct node_whose *out);
/* One of a cgroup (its path from the mount on) that has another one. */
bool whose_beside(struct arena *a, const char *cgroup, uint64_t ns_id, pid_t *pid, struct node_whose *out);
/* It has not ended: what was read of it by its pid was its own. */
bool whose_runs(const struct node_whose *w);
void whose_let_go(struct node_whose *w);

/* ---- node_look.c: what is at a path --------------------------------------------------------------- */

struct node_at {
	uint64_t dev, ino, mount;
	uint64_t rdev;
	uint32_t mode, uid, gid;
	bool nodev;          /* by its mount */
};
struct node_seen {
	int error;           /* errno */
	const char *failed;  /* at what, 0: nothing did */
	uint32_t at;         /* behind that part of the path */
	/* the last directory that is there */
	struct node_at dir;
	uint32_t behind;     /* what follows here in the path is not there */
	bool tmpfs, read_only;
	char type[MOUNT_TYPE]; /* of its file system, "": not known */
	char root[NODE_PATH];  /* where the path begins, from the root of the mount namespace on; "": there */
	/* what is at the path */
	bool there;
	struct node_at node;
	/* the last directory on the way that has something called `temp` */
	bool has_temp;
	uint32_t temp_behind;
	int dir_fd, temp_fd;
};
/* Walks a path, from the root directory of the process, or (from_top) of its mount namespace. 0, or -1 with
 * out->error, _failed. */
int node_look(const struct node_whose *w, bool from_top, const char *path, const char *temp, struct node_seen *out);
void node_look_end(struct node_seen *s);

/* ---- node_there.c: what of it is a node --------------------------------------------------------------- */

/* Is the device at the path; is it the node that was made for g? */
bool there_is(const struct node_seen *s, int type, uint64_t rdev);
bool there_is_made(const struct node_seen *s, const struct host_grant *g);

/* ---- node_owner.c ---------------------------------------------------------------------------------- */

struct node_owner { uint32_t uid, gid, mode; };
/* The path of the device's node on this host, by its driver; NULL: not known. */
const char *owner_device(struct arena *a, const struct node_wish *w);
/* Mode and owner for the node: those of the host's, by the ids that the process has for them. `path` NULL: root's
 * alone. 0, or -1 with a diagnostic. */
int owner_find(struct arena *a, struct diags *d, const struct node_wish *w, const struct node_whose *whose, const char *path,
               struct node_owner *out);
/* A warning when the process can do nothing with a node of this kind at that path. */
void owner_remark(struct arena *a, struct diags *d, const struct node_wish *w, const struct node_whose *whose, const struct node_owner *o,
                  const char *path);

/* ---- node_tree.c: below one directory ------------------------------------------------------------------ */

/* What is made in a directory: node, or directories with it. */
struct node_tree {
	int dir;
	char below[NODE_PATH]; /* "fuse", "bus/usb/001/002" */
	char temp[NODE_TEMP];  /* the first part's name until it is shown */
};
struct tree_made {
	int leaf;              /* O_PATH */
	uint64_t dev, ino, born; /* of the leaf */
	uint64_t top;          /* inode of the first directory, 0: none was made */
};
/* The name that what is made for a grant has first. */
void tree_temp(const struct host_grant *g, char out[NODE_TEMP]);
/* Makes it under its temporary name; mode with the type. 0 or -errno: nothing is left. */
int tree_make(const struct node_tree *t, const struct node_owner *o, uint32_t mode, uint64_t rdev, struct tree_made *out);
/* 0 or -errno (EEXIST). */
int tree_show(const struct node_tree *t);
/* Mode and owner, of what a descriptor is. 0 or -errno. */
int tree_dress(int fd, const struct node_owner *o, uint32_t mode);
/* What something must be to be removed; ino 0: its type and number are all that is known, born 0: that is not. */
struct tree_ident { uint64_t dev, ino, born, rdev; uint32_t type; };
/* Removes what tree_make() made, which nobody has been shown. 0 or -errno: ESTALE, it is something else. */
int tree_drop(const struct node_tree *t, const struct tree_ident *id);
/* Removes the entry `name`, by way of `temp`. 0 or -errno: ENOENT; ESTALE: it is something else, and stays. */
int tree_take(int dir, const char *name, const char *temp, const struct tree_ident *id);
/* Removes directories that are empty, from `dir` up to the one with that inode; names: its path. 0 or -errno. */
int tree_fold(int dir, const char *names, uint64_t dev, uint64_t top);
bool tree_is(int fd, const struct tree_ident *id);

/* ---- node_work.c: the child that changes something --------------------------------------------------------- */

struct node_work {
	const struct node_whose *whose;
	struct node_tree tree;
	struct node_owner owner;
	bool mounted;          /* by a mount over an empty file */
	uint32_t type;         /* S_IFCHR, S_IFBLK */
	uint64_t rdev;
};
struct work_done {
	int error;             /* errno */
	char failed[64];       /* at what */
	bool left;             /* it is not known whether something of it is left */
	uint64_t dev, ino, born, top, mount;
	uint64_t fs;           /* mounted: the device of its own file system */
};
/* Makes it under its temporary name, asks `made` (which fills the journal), shows it. 0 or -1. */
int node_work(const struct node_work *w, int (*made)(void *arg, const struct work_done *done), void *arg, struct work_done *out);

struct node_taking {
	const struct node_whose *whose;
	int dir;               /* the last directory on the way to it that is there */
	const char *dir_path;
	const char *name;      /* of the node in it; NULL: there are directories missing between */
	int temp_dir;          /* where something has the temporary name, or -1 */
	const char *temp, *temp_below; /* what was to be below it */
	const struct host_grant *g;
	uint64_t rdev;
};
/* The opposite: 1 removed, 0 not there, -1 with out->error, _failed. */
int node_take(const struct node_taking *t, struct work_done *out);

#endif
