/* options.h - the command line of a verb. */
#ifndef DEVGUARD_CMD_OPTIONS_H
#define DEVGUARD_CMD_OPTIONS_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

struct cmd;
struct verb;

/* ---- options.c --------------------------------------------------------------------- */

enum { OPT_END = -1, OPT_STOP = -2 };
/* Those that all verbs deal with alike; a verb's own: OPT_VERB + n */
enum { OPT_JSON = 256, OPT_PARAM, OPT_MODE, OPT_AUDIT, OPT_RING, OPT_HELP, OPT_LIMIT, OPT_UNCONFINED, OPT_OWN,
       OPT_OF_UNIT, OPT_CLAIMS, OPT_VERB };
#define OPTION_JSON  {"json", no_argument, NULL, OPT_JSON}
#define OPTION_PARAM {"param", required_argument, NULL, OPT_PARAM}
#define OPTION_MODE  {"mode", required_argument, NULL, OPT_MODE}
#define OPTION_AUDIT {"audit", required_argument, NULL, OPT_AUDIT}
#define OPTION_LIMIT {"limit", required_argument, NULL, OPT_LIMIT}
#define OPTION_UNCONFINED {"unconfined", no_argument, NULL, OPT_UNCONFINED}
#define OPTION_CLAIMS {"claims", required_argument, NULL, OPT_CLAIMS}
#define OPTION_RING  {"ring", required_argument, NULL, OPT_RING}
/* Instead of a CGROUP: where_open() */
#define OPTION_SELF  {"self", no_argument, NULL, OPT_OWN}
#define OPTION_UNIT  {"unit", required_argument, NULL, OPT_OF_UNIT}
#define OPTION_HELP  {"help", no_argument, NULL, OPT_HELP}

/* Of verbs that take a SOURCE, the beginning of their help. */
#define SOURCE_HELP \
	"SOURCE is a policy; a list of another tool: oci:FILE, compose:FILE#SERVICE, ...;\n" \
	"or what the kernel has, whoever wrote it: prog:ID, cgroup:CGROUP,\n" \
	"effective:CGROUP. `" PROGRAM " help` and the man page list all of them.\n\n"

/* Of verbs that take a REQUEST: the facts about the caller that it may give. */
#define REQUEST_FACTS \
	"Facts that a request may give (rucy-devguard-policy(7), THE CALLER):\n" \
	"  uid= gid= euid= egid= fsuid= pid= tid= ppid= cgroup_id= uptime=  numbers\n" \
	"  comm=NAME            login_uid=1000 session=3         or none: not set\n" \
	"  host_user_ns= host_pid_ns= kernel_thread=             yes or no\n" \
	"  exe=/PATH parent_exe=/PATH                            -: no file of the policy\n" \
	"  groups=44,105        all its groups, or none\n" \
	"  caps=sys_rawio,...   all its capabilities, or all, or none\n" \
	"  cgroup=/PATH         its cgroup, in the v2 hierarchy\n\n"

/* The verb's next own option; --json, --param, --limit, --unconfined, --mode, --audit, --ring, --claims, --self,
 * --unit and --help are dealt with here.
 * OPT_END: operands start at argv[optind]. OPT_STOP: return c->status. */
int options_next(struct cmd *c, int argc, char **argv);
/* Values of options: a number from 1 on; seconds, a fraction too, as nanoseconds of
 * at least `least`. STATUS_OK or a usage error. */
int option_count(struct cmd *c, const char *option, const char *text, uint64_t *out);
int option_seconds(struct cmd *c, const char *option, const char *text, uint64_t least,
                   uint64_t *out);
/* "30m", "1h30m", "2s", "3d" as nanoseconds, at least a second. STATUS_OK or a usage error. */
int option_duration(struct cmd *c, const char *option, const char *text, uint64_t *out);
/* The position of a value among n, or -1 with a usage error in c->status. */
int option_word(struct cmd *c, const char *option, const char *text, const char *const *values,
                size_t n);
/* The limits that hold without --limit. STATUS_OK or a usage error. */
int limits_from_environment(struct cmd *c);
/* Prints `help VERB`. */
/* What follows its name, from a column on; further lines are indented. */
void print_synopsis(const struct verb *v, int column, int indent);
void print_verb_help(struct cmd *c, const struct verb *v);
/* Prints the verb's line of `help --options`: its name and options, `=` behind what takes a value. */
void print_verb_options(const struct verb *v);

#endif
