/* spent COMMAND ARG...: the wall time of a whole process, in ms, its peak resident
 * memory, in KiB, and its time on a processor, in ms; those of its children are in
 * it. Says nothing when the command fails. */
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
	double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
	             (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
	return printf("%.2f %ld %.2f\n", now() - start, used.ru_maxrss, cpu) < 0;
}
