/* unit.h - a POLICY as the verbs work with it: loaded, asked, given to the kernel. */
#ifndef DEVGUARD_CMD_UNIT_H
#define DEVGUARD_CMD_UNIT_H

#include "cmd/output.h"
#include "cmd/room/room.h"
#include "cmd/settings.h"
#include "compiler/compiler.h"

struct cgroup;
struct document;
struct program;

/* Requests to be put to mruby itself, when the policy is Ruby. */
struct ruby_ask {
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
	bool policy_only;        /* a SOURCE that is no policy is refused */
	bool any_section;        /* a raw program of a tracing section will do, too */
	const struct ruby_ask *ask;   /* or NULL */
};

/* A POLICY from the command line, proven. */
struct unit {
	const char *instead;   /* of Ruby: "an object", "a list", ...; NULL: it is Ruby */
	struct policy *policy; /* its rules have no terms here */
	struct image image;    /* LOAD_IMAGE, and of every object */
	input_set inputs;      /* load.lint: that the verdict reads */
	int null_denied;       /* accesses to /dev/null (c 1:3) that it denies everybody: set of ACC_* */
	const char *bytecode;  /* load.bytecode: a listing, NULL for an object */
	struct room *judge;    /* load.keep: who answers for it; ends with unit_end() or cmd_reset() */
	uint32_t part;         /* which program the judge is asked about, see each.h; 0: all that it has */
	bool kept_uid;         /* the children kept the uid: room_kept_uid() */
	struct claims_told claims; /* of the policy itself; also of one that is refused */
	uint32_t ring;         /* bytes of its ring buffer; 0: as it is */
	const struct who_root *root; /* of a container, which was looked at; NULL: the files are this host's */
	const struct who *who; /* unit_who(): which files and cgroups its names are here; NULL: nobody asked */
};

/* ---- claims_told.c ---------------------------------------------------------------------- */

/* "  claims: 3 proven", of a file of its own with its name; each as an object. */
void claims_print(const struct claims_told *told, const char *file, bool each);
void claims_json(const struct claims_told *told, json_t *list);

/* ---- load.c ---------------------------------------------------------------------------- */

/* Any SOURCE: reads and compiles .rb, reads and proves .o, reads lists of other tools and programs of the
 * kernel; the settings go over what the policy says. STATUS_OK or a status with diagnostics. */
int unit_load(struct cmd *c, const struct settings *s, const char *path, const struct load *l, struct unit *u);
/* The same for a file that is open, and that only root may have written. Closes fd. */
int unit_load_fd(struct cmd *c, const struct settings *s, int fd, const char *file, const struct load *l,
                 struct unit *u);
/* The same for the devices of a bundle's config.json. */
int unit_load_spec(struct cmd *c, const struct settings *s, const char *path, const struct load *l, struct unit *u);
/* Runs a file of claims; what it says, for a judge. STATUS_OK or a status with diagnostics. */
int claims_run(struct cmd *c, const char *path, struct bytes *out);
/* ---- judged.c -------------------------------------------------------------------------- */

/* The same policy without audit, errnos and mode. STATUS_OK or a status with diagnostics. */
int unit_plain(struct cmd *c, const struct unit *u, struct unit *out);
/* A listing, which may hold control bytes. STATUS_OK or a status with diagnostics. */
int unit_listing(struct cmd *c, const struct unit *u, enum dump_kind kind, const char **text);

/* Ends who answers for it: a command has few such children at a time. */
void unit_end(struct unit *u);

/* Asks who answers for it; `there`: the answer was taken. STATUS_OK or a status with diagnostics. */
int unit_call(struct cmd *c, const struct unit *u, const struct call *call, const struct taker *t, const bool *there);
enum { ASK_MOST = 128 }; /* requests in one frame */
/* The verdicts on n requests. STATUS_OK or a status with diagnostics. */
int unit_ask(struct cmd *c, const struct unit *u, const struct request_record *requests, size_t n,
             struct verdict_pair *out);
/* A verdict as a decision of the policy. False: it is no verdict. */
bool verdict_decision(struct cmd *c, const struct policy *p, const struct verdict *v, struct decision *out);

/* ---- explained.c ------------------------------------------------------------------------ */

/* What it amounts to, in rules; their conditions may hold control bytes. STATUS_OK or a status with
 * diagnostics. */
struct explanation;
int unit_explain(struct cmd *c, const struct unit *u, struct explanation *out);

/* ---- claims.c ---------------------------------------------------------------------------- */

struct claims_file {
	const char *name;
	struct bytes says; /* data NULL: it was not run yet */
};
/* Runs the files that were given; before a policy is loaded. STATUS_OK or a status with diagnostics. */
int claims_open(struct cmd *c);
/* Puts their claims to a unit that was kept; `told` (or NULL) has what was found out, file by file. STATUS_OK: all
 * hold; STATUS_REFUSED, STATUS_FAILED (it cannot be told), with diagnostics. */
int claims_ask(struct cmd *c, const struct unit *u, struct claims_told *told);
/* The name of the file with this number. */
const char *claims_name(const struct cmd *c, size_t i);

/* ---- program.c -------------------------------------------------------------------------- */

/* The bytes to give the kernel. */
int unit_object(struct cmd *c, struct unit *u, struct bytes *out);
/* Loads it into the kernel. One that reports takes over what program `from` counted
 * (0: none). 0, or -1 with a diagnostic. */
int unit_program(struct cmd *c, struct unit *u, uint32_t from, struct program **out);

/* ---- cache.c ----------------------------------------------------------------------------- */

/* The object made from this very policy with these settings, if what the policy asked of the
 * host then would be answered alike now. */
bool cache_find(struct cmd *c, const struct settings *s, const struct document *in, struct bytes *object);
void cache_store(struct cmd *c, const struct settings *s, const struct document *in, const struct bytes *object);

/* ---- also.c ------------------------------------------------------------------------------ */

struct also {
	struct also_one { const char *policy, *path; enum policy_mode mode; bool here, grants; } *list;
	size_t n, cap;
	size_t grants;           /* that are given for it, and those above it */
	const char *grants_here; /* what becomes of them, for people; NULL: there are none */
	bool grants_open;        /* what the policy denies */
};
/* Which policies of ours decide for a cgroup beside one: on it, and above it; and the grants there. What cannot be
 * looked at is not in it. */
void also_find(struct cmd *c, const struct cgroup *cg, const struct policy *p, struct also *out);
/* A line each; a list. */
void also_print(FILE *out, const struct also *all);
json_t *also_json(const struct also *all);

/* ---- attach.c --------------------------------------------------------------------------- */

/* Attaches (or says what that would do) and reports: one line to `out`, or into c->json.out. */
int apply_unit(struct cmd *c, struct unit *u, struct cgroup *cg, bool dry_run, FILE *out);

/* ---- detach.c --------------------------------------------------------------------------- */

/* Takes the policy of that name off (NULL: the only one of ours) and reports: one line, or into c->json.out. */
int detach_policy(struct cmd *c, struct cgroup *cg, const char *name);

/* ---- who.c ------------------------------------------------------------------------------ */

/* Does its program ask for files by their names (ctx.exe, ctx.parent_exe)? */
bool unit_names_files(const struct unit *u);
/* Finds which files and cgroups the policy's names are here, once. 0, or -1 with a diagnostic: this kernel does not tell
 * what it asks, or two names are one file. */
int unit_who(struct cmd *c, struct unit *u);
/* Warns when files of the host take the place of those of a container: program `before` (0: none) of the cgroup knows these. */
void warn_of_root(struct cmd *c, const struct unit *u, const struct cgroup *cg, uint32_t before);
/* Warns of names that are nothing here, and of what this kernel does not tell. */
void warn_of_names(struct cmd *c, const struct unit *u);
/* Lines of a report, and a list: the names that are nothing here, and why; each name. */
void names_print(const struct unit *u);
json_t *names_json(const struct unit *u);

/* ---- warn.c ----------------------------------------------------------------------------- */

/* Warns of what attaching it there would do to everybody: at the root of the hierarchy, or
 * without /dev/null. */
void warn_of_apply(struct cmd *c, struct unit *u, const struct cgroup *cg);

#endif
