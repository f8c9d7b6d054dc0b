/* cli.h - a program that has verbs: how it is called, and what it says of itself. */
#ifndef DEVGUARD_CMD_CLI_H
#define DEVGUARD_CMD_CLI_H

#include <stdbool.h>
#include <stddef.h>

struct cmd;
struct inside;
struct verb;

struct cli {
	const char *name;    /* as it is called */
	const char *summary; /* what it is, for `help` */
	const struct verb *const *verbs;
	size_t nverbs;
	const char *has;     /* "mruby 3.1.0, ": for `--version` */
	bool one_policy;     /* it carries one, and takes no other */
	const char *words;   /* what its usage lines say, for the end of `help` */
	const char *example; /* a whole command line that works */
	const char *helped;  /* a verb, for an example of `help` */
	void (*print_version)(struct cmd *c);
	void (*judge)(struct inside *in); /* the work of a child that proves: what this program has it take */
};

/* ---- cli.c -------------------------------------------------------------------------- */

/* Runs what the command line says; returns the exit status. */
int cli_main(const struct cli *p, int argc, char **argv);

#endif
