/* spent COMMAND ARG...: the wall time of a whole process, in ms, and its peak
 * resident memory, in KiB. Says nothing when the command fails. */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage used;
	pid_t pid;
	int status;
	double start = now();
	if (argc < 2 || posix_spawnp(&pid, argv[1], NULL, NULL, argv + 1, environ) ||
	    wait4(pid, &status, 0, &used) != pid || status)
		return 1;
	return printf("%.2f %ld\n", now() - start, used.ru_maxrss) < 0;
}
