/*
 * replay.c - runs a harness on files, each in a process of its own: a line for each file,
 * "ok NAME" or "not ok NAME: how it ended". Without arguments the names of the harnesses.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60 }; /* of CPU time: an end for what has none */

static void run(const struct harness *h, const char *path)
{
	static unsigned char data[1 << 20];
	FILE *in = fopen(path, "rb");
	if (!in)
		exit(1);
	size_t len = fread(data, 1, sizeof data, in);
	if (ferror(in) || !feof(in))
		exit(1);
	fclose(in);
	setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
	fuzz_one(h, data, len);
	exit(0);
}

int main(int argc, char **argv)
{
	const struct harness *h = argc > 1 ? fuzz_harness(argv[1]) : NULL;
	int failed = 0;
	for (size_t i = 0; argc == 1 && i < fuzz_nharnesses; i++)
		puts(fuzz_harnesses[i].name);
	if (!h)
		return argc > 1;
	for (int i = 2; i < argc; i++) {
		int status = -1;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			run(h, argv[i]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			failed = 1;
			printf("not ok %s: %s %d\n", argv[i], WIFSIGNALED(status) ? "signal" : "status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		} else
			printf("ok %s\n", argv[i]);
	}
	return failed;
}
