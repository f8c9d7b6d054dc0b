/*
 * cmd.h - what the verbs share: the running command, its exit status, how
 * messages and JSON are printed, how a POLICY is read and compiled.
 *
 * Only this directory prints, exits, or reads argv and the environment.
 */
#ifndef DEVGUARD_CMD_CMD_H
#define DEVGUARD_CMD_CMD_H

#include <getopt.h>
#include <jansson.h>

#include "cgroup/cgroup.h"
#include "cmd/room/room.h"
#include "compiler/compiler.h"
#include "policy/limits.h"
#include "policy/manifest/manifest.h"

#define PROGRAM     "rucy-devguard"
#define JSON_SCHEMA "rucy-devguard/1"

/* Exit status, the same for every verb (run passes its command's on). */
enum status {
	STATUS_OK = 0,       /* done, or allow */
	STATUS_FAILED = 1,   /* the host, a file or the kernel said no */
	STATUS_DENY = 2,     /* deny, or a test failed */
	STATUS_REFUSED = 3,  /* the policy is refused */
	STATUS_DETACHED = 4, /* what audit or stats read is not attached any more */
	STATUS_USAGE = 64,   /* the command line is wrong */
};

/* ---- input.c: text read whole ------------------------------------------------ */

struct document {
	const char *file; /* what messages call it */
	char *text;       /* NUL-terminated, malloc */
	size_t len;
	size_t *lines;    /* offsets of the lines, made when first asked for */
	size_t nlines;
};

/* ---- main.c: the running command ------------------------------------------------ */

struct asked;
struct confine_plan;

struct cmd {
	const struct verb *verb;
	struct arena *args;   /* lives as long as the command */
	struct arena *arena;  /* one policy's; see cmd_reset() */
	struct diags diags;   /* in `arena` */
	struct room *rooms[4]; /* children at work; ended before the arena goes */
	size_t nrooms;
	pid_t dying[8];       /* children that were killed and not waited for yet */
	size_t ndying;
	struct confine_plan *room_plan; /* made with the first */
	struct limits limits;           /* --limit */
	const char *limits_given;       /* its text, NULL: it was not given */
	double spent_wall, spent_cpu;   /* seconds of this compilation so far */
	bool unconfined, unconfined_said; /* --unconfined */
	struct asked *asked;  /* what the policy asked of the host, in `arena` */
	size_t nasked, asked_cap;
	const char *policy_dir; /* of the policy being compiled; NULL: it has none */
	bool policy_trusted;  /* only root may have written it, and what it loads */
	const char **loaded;  /* files it loaded */
	size_t nloaded, loaded_cap;
	struct document inputs[4]; /* what messages quote: a state, a manifest, a policy, its cases */
	size_t ninputs;
	struct param_setting *params; /* --param, in the order given */
	size_t nparams, params_cap;
	int mode, audit;      /* --mode, --audit: 1 + value, 0 as the policy says */
	uint32_t ring;        /* --ring: bytes, 0 as it is */
	bool kernel_asked;    /* what libbpf asks once, see load.c */
	bool cache;           /* compiled policies are kept for the next time */
	bool json;            /* --json: one object on stdout instead of text */
	bool verbose;         /* check -v */
	bool quiet;           /* warnings are for other verbs to show */
	bool notes;           /* notes too belong into the JSON */
	bool printed;         /* the JSON was already printed by the verb */
	json_t *out;          /* with --json: the object printed at the end */
	json_t *diagnostics;  /* with --json: those shown so far */
	int status;           /* after options_next() gave OPT_STOP */
	jmp_buf no_memory;
	void (*old_xfsz)(int), (*old_chld)(int); /* what SIGXFSZ and SIGCHLD did when we were started: for a command we start */
};

struct verb {
	const char *name;
	const char *synopsis;  /* what follows the name */
	const char *summary;   /* one line */
	const char *help;      /* the rest of `help VERB` */
	const char *shorts;    /* for getopt_long, see options.c */
	const struct option *longs;
	bool json;             /* has --json */
	int (*main)(struct cmd *c, int argc, char **argv);
};

extern const struct verb verb_check, verb_compile, verb_apply, verb_detach, verb_status, verb_eval,
	verb_test, verb_run, verb_audit, verb_stats, verb_import, verb_oci_hook,
	verb_install_hook, verb_doctor;

/* ---- cmd.c -------------------------------------------------------------------------- */

/* Forgets everything about the policy before this one: arena, messages, inputs; begins anew. */
void cmd_reset(struct cmd *c);
/* The same at the end. */
void cmd_forget(struct cmd *c);
/* A new arena, freed by whoever asked; memory that runs out in it ends the command. */
struct arena *cmd_arena(struct cmd *c);
/* Where memory that ran out leads: message and exit status 1. */
_Noreturn void cmd_no_memory(struct cmd *c);
/* Adds a usage error and returns STATUS_USAGE. hint NULL: points to the help. */
int usage_error(struct cmd *c, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The worse of two exit statuses: usage, refused, failed, deny, ok. */
int worse_status(int a, int b);
/* Runs one function for each POLICY in argv, each in a fresh arena. In JSON the
 * objects they fill become the array "policies". */
int each_policy(struct cmd *c, int argc, char **argv,
                int (*one)(struct cmd *c, const char *path, json_t *item));

/* ---- options.c --------------------------------------------------------------------- */

enum { OPT_END = -1, OPT_STOP = -2 };
enum { OPT_JSON = 256, OPT_PARAM, OPT_MODE, OPT_AUDIT, OPT_RING, OPT_HELP, OPT_LIMIT, OPT_UNCONFINED, OPT_VERB }; /* a verb's own: OPT_VERB + n */
#define OPTION_JSON  {"json", no_argument, NULL, OPT_JSON}
#define OPTION_PARAM {"param", required_argument, NULL, OPT_PARAM}
#define OPTION_MODE  {"mode", required_argument, NULL, OPT_MODE}
#define OPTION_AUDIT {"audit", required_argument, NULL, OPT_AUDIT}
#define OPTION_LIMIT {"limit", required_argument, NULL, OPT_LIMIT}
#define OPTION_UNCONFINED {"unconfined", no_argument, NULL, OPT_UNCONFINED}
#define OPTION_RING  {"ring", required_argument, NULL, OPT_RING}
#define OPTION_HELP  {"help", no_argument, NULL, OPT_HELP}

/* The verb's next own option; --json, --param, --limit, --unconfined, --mode, --audit, --ring and --help are dealt
 * with here.
 * OPT_END: operands start at argv[optind]. OPT_STOP: return c->status. */
int options_next(struct cmd *c, int argc, char **argv);
/* Values of options: a number from 1 on; seconds, a fraction too, as nanoseconds of
 * at least `least`. STATUS_OK or a usage error. */
int option_count(struct cmd *c, const char *option, const char *text, uint64_t *out);
int option_seconds(struct cmd *c, const char *option, const char *text, uint64_t least,
                   uint64_t *out);
/* The position of a value among n, or -1 with a usage error in c->status. */
int option_word(struct cmd *c, const char *option, const char *text, const char *const *values,
                size_t n);
/* The limits that hold without --limit. STATUS_OK or a usage error. */
int limits_from_environment(struct cmd *c);
/* Prints `help VERB`. */
void print_verb_help(const struct verb *v);

/* ---- output.c ----------------------------------------------------------------------- */

/* Copies text so that it is safe on a terminal: control bytes, bytes that are no
 * UTF-8 and characters that reorder a line become \xNN. Writes at most cap bytes
 * with the final NUL and returns the length; no allocation, no locale. */
size_t text_escape(char *out, size_t cap, const char *text, size_t len);
/* Writes text, escaped that way. */
void put_text(FILE *out, const char *text);
void put_bytes(FILE *out, const char *text, size_t len);
/* The text as a JSON string, also when it is no valid UTF-8. */
json_t *text_json(const char *text);
/* Shows the messages collected so far (stderr, or kept for the JSON object) and
 * forgets them. Notes are not shown as text: check puts them in its report. */
void diags_flush(struct cmd *c);
/* Shows one message now. */
void diag_show(struct cmd *c, struct diag *d);
/* Prints c->out with the diagnostics and the exit status. */
void json_finish(struct cmd *c, int status);
/* Flushes stdout; a full disk is an error. Returns status or STATUS_FAILED. */
int stdout_finish(struct cmd *c, int status);
/* "3 rules", "1 rule": for "%zu %s%s". */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* ---- outfile.c ------------------------------------------------------------------------ */

struct output {
	FILE *file;
	const char *path; /* NULL: stdout */
	char *temporary;  /* to be renamed to path, or NULL */
	bool nameless;    /* it gets its name when it is whole */
};
/* NULL and "-" are stdout. 0, or -1 with a diagnostic. */
int output_open(struct cmd *c, const char *path, struct output *out);
/* 0, or -1 with a diagnostic: then the file is as it was. */
int output_close(struct cmd *c, struct output *out);

/* ---- input.c ------------------------------------------------------------------------- */

/* FOREIGN: another tool's list */
enum input_kind { INPUT_POLICY, INPUT_CASES, INPUT_MANIFEST, INPUT_FOREIGN, INPUT_STATE };
/* Reads a file or `-` (stdin) to its end; sizes reported by the kernel are not
 * trusted. STATUS_OK, or a status with a diagnostic. */
int input_read(struct cmd *c, const char *path, enum input_kind kind, struct document **out);
/* The same for a file that is open; `file` is what messages call it. Closes fd. */
int input_read_fd(struct cmd *c, int fd, const char *file, enum input_kind kind,
                  struct document **out);
void input_free(struct document *in);
/* The text of a line (from 1), NULL when there is none; *len without newline. */
const char *input_line(struct document *in, int line, size_t *len);

/* ---- load.c ---------------------------------------------------------------------------- */

/* Requests to be put to mruby itself, when the policy is Ruby. */
struct ask {
	const struct request_record *requests;
	struct verdict *verdicts; /* filled in, one a request */
	size_t n;
};

/* How far a POLICY is to be loaded. */
enum load_depth { LOAD_DIAGRAM, LOAD_IMAGE };
struct load {
	enum load_depth depth;
	bool keep;               /* the unit will be asked: unit.judge */
	bool lint;               /* warn of rules that never decide; unit.inputs */
	bool bytecode;           /* unit.bytecode */
	bool kernel;             /* the kernel will be given it */
	const struct ask *ask;   /* or NULL */
};

/* A POLICY from the command line, proven. */
struct unit {
	bool from_object;
	struct policy *policy; /* its rules have no terms here */
	struct image image;    /* LOAD_IMAGE, and of every object */
	uint32_t inputs;       /* load.lint: set of enum input that the verdict reads */
	int null_denied;       /* accesses to /dev/null (c 1:3) that it denies everybody: set of ACC_* */
	const char *bytecode;  /* load.bytecode: a listing, NULL for an object */
	struct room *judge;    /* load.keep: who answers for it; ends with cmd_reset() */
	bool kept_uid;         /* the children kept the uid: room_kept_uid() */
	uint32_t ring;         /* bytes, as the manifest says; 0: it does not. --ring goes over it */
};
/* Reads and compiles .rb, or reads and proves .o; --mode and --audit go over what
 * the policy says. STATUS_OK or a status with diagnostics. */
int unit_load(struct cmd *c, const char *path, const struct load *l, struct unit *u);
/* The same for a file that is open, and that only root may have written. Closes fd. */
int unit_load_fd(struct cmd *c, int fd, const char *file, const struct load *l, struct unit *u);
/* The same for the devices of a bundle's config.json. */
int unit_load_spec(struct cmd *c, const char *path, const struct load *l, struct unit *u);
/* The same policy without audit, errnos and mode. STATUS_OK or a status with diagnostics. */
int unit_plain(struct cmd *c, const struct unit *u, struct unit *out);
/* A listing, which may hold control bytes. STATUS_OK or a status with diagnostics. */
int unit_listing(struct cmd *c, const struct unit *u, enum dump_kind kind, const char **text);

enum { ASK_MOST = 128 }; /* requests in one frame */
struct request_record request_record(const struct request *r);
/* The verdicts on n requests. STATUS_OK or a status with diagnostics. */
int unit_ask(struct cmd *c, const struct unit *u, const struct request_record *requests, size_t n,
             struct verdict_pair *out);
/* A verdict as a decision of the policy. False: it is no verdict. */
bool verdict_decision(struct cmd *c, const struct policy *p, const struct verdict *v, struct decision *out);
/* The bytes to give the kernel. */
int unit_object(struct cmd *c, struct unit *u, struct bytes *out);
/* Loads it into the kernel. One that reports takes over what program `from` counted
 * (0: none). 0, or -1 with a diagnostic. */
int unit_program(struct cmd *c, struct unit *u, uint32_t from, struct program **out);

/* ---- attach.c --------------------------------------------------------------------------- */

/* Attaches (or says what that would do) and reports: one line, or into c->out. */
int apply_unit(struct cmd *c, struct unit *u, struct cgroup *cg, bool dry_run);

/* ---- warn.c ----------------------------------------------------------------------------- */

/* Warns of what attaching it there would do to everybody: at the root of the hierarchy, or
 * without /dev/null. */
void warn_of_apply(struct cmd *c, struct unit *u, const struct cgroup *cg);

/* ---- guard.c --------------------------------------------------------------------------- */

/* Is this the name of a manifest (.yaml, .yml)? */
bool manifest_named(const char *path);

/* Reads guard.yaml; the manifest and what it needs for messages live in `keep`,
 * which must outlive them. trusted: only if root alone can have written it (an
 * absolute path). STATUS_OK or a status with diagnostics. */
int manifest_load(struct cmd *c, struct arena *keep, const char *path, bool trusted,
                  struct manifest **m);

/* Loads the policy of a ruling with its parameters, mode and audit (those of the
 * command line go over them). STATUS_OK or a status with diagnostics at the place
 * in the manifest. *path, if not NULL, is the file it came from. */
int ruling_load(struct cmd *c, const struct manifest *m, const struct ruling *r, const struct load *l,
                struct unit *u, const char **path);

/* `check guard.yaml`: the manifest and each policy it may choose. */
int check_manifest(struct cmd *c, const char *path, json_t *item);

/* The same without a report, and only if the manifest is trusted. STATUS_OK or a
 * status with diagnostics that were shown. */
int prove_manifest(struct cmd *c, const char *path);

/* ---- guard_apply.c ---------------------------------------------------------------- */

/* `apply --config guard.yaml`: all cgroups there are now. */
int apply_manifest(struct cmd *c, const char *path, bool dry_run);

/* ---- own.c ------------------------------------------------------------------------------- */

/* The path of the cgroup this process is in, or NULL with a diagnostic. */
const char *own_cgroup(struct cmd *c);

/* ---- cache.c ----------------------------------------------------------------------------- */

/* The object made from this very policy with the settings of the command line, if what
 * the policy asked of the host then would be answered alike now. */
bool cache_find(struct cmd *c, const struct document *in, struct bytes *object);
void cache_store(struct cmd *c, const struct document *in, const struct bytes *object);

/* ---- verdict.c --------------------------------------------------------------------------- */

/* "policy.rb:7 label", "policy.rb:3 default", "default". */
const char *decider_text(struct arena *a, const struct policy *p, const struct decision *d);
json_t *decider_json(const struct policy *p, const struct decision *d);
/* Adds the error that a fact decides which the request does not give. */
struct diag *missing_fact(struct cmd *c, const struct policy *p, struct span at, const char *request,
                          int missing);

#endif
