/*
 * node_fd.c - what the files of node.h do with descriptors: steps that follow no link, descriptors sent to another process, a
 * child that cannot outlive its parent.
 */
#include "cmd/grant/node_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOUNT_ID_UNIQUE 0x4000u /* STATX_MNT_ID_UNIQUE, Linux 6.8 */

/* ---- one step --------------------------------------------------------------------------- */

int fd_step(int dir, const char *name, bool same)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
	                       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	how.resolve |= same ? RESOLVE_NO_XDEV : 0;
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
	return fd < 0 ? -errno : fd;
}

const char *path_part(const char *path, char name[NODE_PATH])
{
	path += strspn(path, "/");
	size_t n = strcspn(path, "/");
	snprintf(name, NODE_PATH, "%.*s", (int)n, path);
	return path + n + strspn(path + n, "/");
}

uint64_t fd_mount(int fd)
{
	struct statx st;
	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, MOUNT_ID_UNIQUE, &st) && st.stx_mask & MOUNT_ID_UNIQUE)
		return st.stx_mnt_id;
	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) ? 0 : st.stx_mnt_id;
}

uint64_t fd_born(int fd)
{
	struct statx st;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) || !(st.stx_mask & STATX_BTIME))
		return 0;
	return (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
}

/* ---- sent ------------------------------------------------------------------------------------ */

enum { FDS_MAX = 4 };
union control { struct cmsghdr head; char room[CMSG_SPACE(FDS_MAX * sizeof(int))]; };

int fds_send(int socket, const void *bytes, size_t size, const int *fds, size_t n)
{
	union control c = {0};
	struct iovec part = {(void *)bytes, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (n) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(n * sizeof *fds);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof *fds)};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, n * sizeof *fds);
	}
	return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -errno;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_readable(int socket, int ms)
{
	struct pollfd p = {.fd = socket, .events = POLLIN};
	int64_t until = now_ms() + ms;
	for (;;) {
		int64_t left = until - now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

int fds_receive(int socket, int ms, void *bytes, size_t size, int *fds, size_t n)
{
	union control c = {0};
	struct iovec part = {bytes, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	int error = wait_readable(socket, ms);
	if (error)
		return error;
	ssize_t got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = got < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len <= CMSG_LEN(n * sizeof *fds))
		memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	return got < 0 ? -errno : (size_t)got == size ? 0 : -EPIPE;
}

/* ---- the child ------------------------------------------------------------------------------------ */

pid_t node_child_start(int *socket)
{
	int pair[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid_t pid = fork();
	if (pid) {
		int error = errno;
		close(pair[1]);
		*socket = pair[0];
		if (pid < 0)
			close(pair[0]);
		return pid < 0 ? -error : pid;
	}
	close(pair[0]);
	*socket = pair[1];
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	return 0;
}

void node_child_end(pid_t pid, int socket)
{
	close(socket);
	kill(pid, SIGKILL);
	for (int i = 0; i < 200 && !waitpid(pid, NULL, WNOHANG); i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}
