/*
 * cmd.h - the running command: what every verb is given, and how a verb ends.
 *
 * Only this directory prints, exits, or reads argv and the environment. By topic:
 *
 *   options.h    the command line          settings.h   what it says over a policy
 *   document.h   texts that are read       output.h     what is printed and written
 *   unit.h       a POLICY: loaded, asked, given to the kernel
 *   where/where.h  a CGROUP, as people name it
 */
#ifndef DEVGUARD_CMD_CMD_H
#define DEVGUARD_CMD_CMD_H

#include <setjmp.h>

#include "cmd/document.h"
#include "cmd/output.h"
#include "cmd/room/rooms.h"
#include "cmd/settings.h"
#include "policy/arena.h"

#define PROGRAM "rucy-devguard"

/* Exit status, the same for every verb (run passes its command's on). */
enum status {
	STATUS_OK = 0,       /* done, or allow */
	STATUS_FAILED = 1,   /* the host, a file or the kernel said no */
	STATUS_DENY = 2,     /* deny, or a test failed */
	STATUS_REFUSED = 3,  /* the policy is refused */
	STATUS_DETACHED = 4, /* what audit or stats read is not attached any more */
	STATUS_USAGE = 64,   /* the command line is wrong */
};

struct cli;
struct cmd {
	const struct cli *cli;
	const struct verb *verb;
	struct arena *args;         /* lives as long as the command */
	struct arena *arena;        /* one policy's; see cmd_reset() */
	struct diags diags;         /* in `arena` */
	struct settings settings;   /* of the command line */
	struct { bool self; const char *unit; } where; /* --self, --unit: see where.h */
	struct documents inputs;    /* what messages quote */
	struct rooms rooms;         /* where policies are compiled */
	struct asking asking;       /* what the policy asked of the host, in `arena` */
	struct json_output json;
	struct functions *functions; /* of the kernel, see source.c; in `args` */
	struct { struct claims_file *list; size_t n, cap; } claims; /* --claims, see claims.c; in `args` */
	bool kernel_asked;          /* what libbpf asks once, see load.c */
	bool cache;                 /* compiled policies are kept for the next time */
	bool changed;               /* something may have been attached or taken off: told where memory runs out from then on */
	bool quiet;                 /* warnings are for other verbs to show */
	int status;                 /* after options_next() gave OPT_STOP */
	jmp_buf no_memory;
	struct { void (*xfsz)(int), (*chld)(int); } before; /* what these signals did: for a command we start */
};

struct option;
struct verb {
	const char *name;
	const char *synopsis;  /* what follows the name */
	const char *usage;     /* the same without options, for an error */
	const char *example;   /* a whole command line that works */
	const char *summary;   /* one line */
	const char *help;      /* the rest of `help VERB` */
	const char *shorts;    /* for getopt_long, see options.c */
	const struct option *longs;
	bool json;             /* has --json */
	int (*main)(struct cmd *c, int argc, char **argv);
};

#define VERB(name) extern const struct verb verb_##name;
#include "cmd/verbs.def"

/* ---- error.c ------------------------------------------------------------------------ */

/* Where memory that ran out leads: message and exit status 1. */
_Noreturn void cmd_no_memory(struct cmd *c);
/* A new arena, freed by whoever asked; memory that runs out in it ends the command. */
struct arena *cmd_arena(struct cmd *c);
/* Adds a usage error and returns STATUS_USAGE. hint NULL: how the verb is used, and an example. */
int usage_error(struct cmd *c, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A command line that begins with PROGRAM: with the name that this program has. */
const char *example_text(struct cmd *c, const char *line);
/* The worse of two exit statuses: usage, refused, failed, deny, ok. */
int worse_status(int a, int b);

/* ---- cmd.c -------------------------------------------------------------------------- */

/* Forgets everything about the policy before this one: arena, messages, inputs; begins anew. */
void cmd_reset(struct cmd *c);
/* The same at the end. */
void cmd_forget(struct cmd *c);
/* Runs one function for each POLICY in argv, each in a fresh arena. In JSON the
 * objects they fill become the array "policies". */
int each_policy(struct cmd *c, int argc, char **argv,
                int (*one)(struct cmd *c, const char *path, const void *options, json_t *item), const void *options);

#endif
