/*
 * caller.c - calls getpgid(2), which programs of tests are attached to.
 *
 *	caller NUMBER COUNT [NAME]  COUNT times with that number, which is no process's; NAME: it is called so,
 *	                            and stays for half a second
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	if (argc > 3)
		prctl(PR_SET_NAME, argv[3]);
	for (long i = 0, n = atol(argv[2]); i < n; i++)
		syscall(SYS_getpgid, atol(argv[1]));
	printf("%d\n", (int)getpid());
	if (argc > 3)
		usleep(500000);
	return 0;
}
