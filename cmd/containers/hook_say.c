/*
 * hook_say.c - how a hook is heard: runtimes throw away what their hooks say, crun always, runc
 * when the hook succeeds.
 */
#include "cmd/containers/hook.h"
#include "policy/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

static bool is_null(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* pidfd_getfd(2), since Linux 5.6. */
void hook_speak_up(bool always)
{
	if (!always && (!is_null(STDOUT_FILENO) || !is_null(STDERR_FILENO)))
		return;
	int runtime = (int)syscall(SYS_pidfd_open, getppid(), 0);
	int fd = runtime < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, runtime, STDERR_FILENO, 0);
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
	if (runtime >= 0)
		close(runtime);
}

int hook_tell_kernel(const char *text)
{
	enum { LINE = 900 }; /* the kernel takes no more than some 960 bytes */
	char line[LINE + 2], safe[LINE];
	text_escape(safe, sizeof safe - 32, text, strlen(text));
	int n = snprintf(line, sizeof line, "<3>" PROGRAM ": %s\n", safe);
	int fd = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	int error = fd < 0 || write(fd, line, (size_t)n) != n ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

void hook_tell_syslog(const char *text)
{
	openlog(PROGRAM, LOG_PID, LOG_USER);
	syslog(LOG_WARNING, "%s", text);
	closelog();
}
