/*
 * node_work.c - the child that makes a node, or takes it away: what node_look.c found is changed here, by descriptors.
 *
 * It is a process of its own because it takes on an id that the container's file system knows, and goes into the mount
 * namespace of the container, where alone a mount can be put or taken away. There it runs nothing and looks nothing
 * up but names in directories that it holds; /proc is the host's, opened before. It ends with its parent, and has what the
 * parent has: a lock is held until both are gone.
 *
 * A mounted node is on a tmpfs of its own that is mounted nowhere else: the host's node could be changed through a
 * clone of its mount, and its owner may be nobody there.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORK_MS = 20000 };

static int failed(struct work_done *out, int error, const char *at)
{
	out->error = error < 0 ? -error : error;
	snprintf(out->failed, sizeof out->failed, "%s", at);
	return -1;
}

/* Makes files as that owner, with all that root may. 0 or -errno. */
static int become(const struct node_owner *o)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[2];
	pid_t parent = getppid();
	umask(0);
	if (syscall(SYS_capget, &head, caps))
		return -errno;
	setfsgid(o->gid);
	setfsuid(o->uid);
	if ((uint32_t)setfsuid((uid_t)-1) != o->uid || (uint32_t)setfsgid((gid_t)-1) != o->gid)
		return -EPERM;
	if (syscall(SYS_capset, &head, caps)) /* another id lost those over files */
		return -errno;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) /* and this */
		return -ESRCH;
	return 0;
}

/* ---- a mount ------------------------------------------------------------------------------------------ */

/* The node alone, on a tmpfs that nothing else is on. A descriptor of its mount, or -1. */
static int own_mount(const struct node_work *w, struct work_done *out)
{
	struct stat st;
	struct node_tree t = {.below = "node", .temp = "node"};
	struct tree_made made = {.leaf = -1};
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), tree = -1;
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return failed(out, errno, "a tmpfs for it");
	t.dir = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	close(fs);
	if (t.dir < 0)
		return failed(out, errno, "a tmpfs for it");
	int error = tree_make(&t, &w->owner, w->type | w->owner.mode, w->rdev, &made);
	if (error)
		failed(out, error, "the node on a tmpfs");
	else if ((tree = open_tree(t.dir, "node", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW)) < 0 || fstat(tree, &st))
		failed(out, errno, "a mount of it");
	if (tree >= 0 && !out->error) {
		out->mount = fd_mount(tree);
		out->fs = st.st_dev;
	}
	if (made.leaf >= 0)
		close(made.leaf);
	close(t.dir);
	return tree;
}

/* ---- made --------------------------------------------------------------------------------------------------- */

static void undo(const struct node_work *w, const struct work_done *done, bool shown)
{
	struct tree_ident id = {done->dev, done->ino, done->born, w->mounted ? 0 : w->rdev, w->mounted ? S_IFREG : w->type};
	char first[NODE_PATH];
	path_part(w->tree.below, first);
	if (!shown || !renameat2(w->tree.dir, first, w->tree.dir, w->tree.temp, RENAME_NOREPLACE))
		tree_drop(&w->tree, &id);
}

/* The parent has written down what was made. */
static bool told(int socket, const struct work_done *done)
{
	char go;
	return !fds_send(socket, done, sizeof *done, NULL, 0) && !fds_receive(socket, WORK_MS, &go, 1, NULL, 0) && go;
}

static int make(int socket, const struct node_work *w, struct work_done *out)
{
	struct tree_made made;
	int tree = w->mounted ? own_mount(w, out) : -1;
	if (w->mounted && tree < 0)
		return -1;
	int error = become(&w->owner);
	if (error)
		return failed(out, error, "the container's ids");
	error = w->mounted ? tree_make(&w->tree, &w->owner, S_IFREG, 0, &made)
	                   : tree_make(&w->tree, &w->owner, w->type | w->owner.mode, w->rdev, &made);
	if (error)
		return failed(out, error, "");
	out->dev = made.dev;
	out->ino = made.ino;
	out->born = made.born;
	out->top = made.top;
	if (!told(socket, out)) {
		undo(w, out, false);
		return failed(out, EPIPE, "its record");
	}
	error = tree_show(&w->tree);
	if (error) {
		undo(w, out, false);
		return failed(out, error, "");
	}
	if (w->mounted && (setns(w->whose->ns, CLONE_NEWNS) ||
	                   move_mount(tree, "", made.leaf, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))) {
		error = errno;
		undo(w, out, true);
		return failed(out, error, "its mount");
	}
	return 0;
}

int node_work(const struct node_work *w, int (*made)(void *arg, const struct work_done *done), void *arg, struct work_done *out)
{
	int socket, error;
	*out = (struct work_done){0};
	pid_t pid = node_child_start(&socket);
	if (pid < 0)
		return failed(out, pid, "a process");
	if (!pid) {
		make(socket, w, out);
		_exit(fds_send(socket, out, sizeof *out, NULL, 0) != 0);
	}
	error = fds_receive(socket, WORK_MS, out, sizeof *out, NULL, 0);
	if (!error && !out->error) {
		char go = !made(arg, out);
		error = fds_send(socket, &go, 1, NULL, 0);
		if (!error)
			error = fds_receive(socket, WORK_MS, out, sizeof *out, NULL, 0);
	}
	node_child_end(pid, socket);
	out->left = error;
	return error ? failed(out, error, "a process") : out->error ? -1 : 0;
}

/* ---- taken away --------------------------------------------------------------------------------------------- */

/* Takes the mount on top of the name away, when it is ours. 0: nothing is mounted there now. */
static int unmount(const struct node_taking *t, const char *name, uint64_t mount)
{
	char number[16];
	int procs = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procs < 0 || setns(t->whose->ns, CLONE_NEWNS))
		return -errno;
	int fd = fd_step(t->dir, name, false);
	if (fd < 0)
		return fd;
	uint64_t here = fd_mount(fd);
	if (here == fd_mount(t->dir)) {
		close(fd);
		return 0;
	}
	snprintf(number, sizeof number, "%d", fd);
	int error = here != mount ? -EBUSY : fchdir(procs) || umount2(number, MNT_DETACH) ? -errno : 0;
	close(fd);
	return error;
}

/* What has its temporary name. 1, 0: nothing has; or -1. */
static int take_temp(const struct node_taking *t, const struct tree_ident *id, struct work_done *out)
{
	struct node_tree tree = {.dir = t->temp_dir};
	if (t->temp_dir < 0)
		return 0;
	snprintf(tree.below, sizeof tree.below, "%s", t->temp_below);
	snprintf(tree.temp, sizeof tree.temp, "%s", t->temp);
	int error = tree_drop(&tree, id);
	return error && error != -ENOENT ? failed(out, error, "") : !error;
}

/* What has its name. */
static int take_shown(const struct node_taking *t, const struct tree_ident *id, struct work_done *out)
{
	if (!t->name || !id->ino)
		return 0;
	int error = id->type == S_IFREG ? unmount(t, t->name, t->g->node_mount) : 0;
	if (error && error != -ENOENT)
		return failed(out, error, "");
	error = tree_take(t->dir, t->name, t->temp, id);
	return error && error != -ENOENT && error != -ESTALE ? failed(out, error, "") : !error;
}

static int take(const struct node_taking *t, struct work_done *out)
{
	const struct host_grant *g = t->g;
	bool mounted = g->node == GRANT_NODE_MOUNTED;
	struct tree_ident id = {g->node_dev, g->node_ino, g->node_born, mounted ? 0 : t->rdev,
	                        mounted ? S_IFREG : g->key.type == DEV_CHAR ? S_IFCHR : S_IFBLK};
	struct stat st;
	int error = fstat(t->temp_dir >= 0 ? t->temp_dir : t->dir, &st) ? -errno : become(&(struct node_owner){st.st_uid, st.st_gid, 0});
	if (error)
		return failed(out, error, "the container's ids");
	int hidden = take_temp(t, &id, out), shown = hidden < 0 ? -1 : take_shown(t, &id, out);
	if (shown < 0)
		return -1;
	if (g->node_dir && tree_fold(t->dir, t->dir_path, g->node_dev, g->node_dir) == -ENOTEMPTY)
		snprintf(out->failed, sizeof out->failed, "directories");
	return hidden || shown;
}

int node_take(const struct node_taking *t, struct work_done *out)
{
	struct { struct work_done done; int result; } answer = {0};
	int socket;
	*out = answer.done;
	pid_t pid = node_child_start(&socket);
	if (pid < 0)
		return failed(out, pid, "a process");
	if (!pid) {
		answer.result = take(t, &answer.done);
		_exit(fds_send(socket, &answer, sizeof answer, NULL, 0) != 0);
	}
	int error = fds_receive(socket, WORK_MS, &answer, sizeof answer, NULL, 0);
	node_child_end(pid, socket);
	*out = answer.done;
	return error ? failed(out, error, "a process") : answer.result;
}
