/*
 * learn.h - what the files of the verb `learn` share: requests recorded, files of them, the policy for them.
 */
#ifndef DEVGUARD_CMD_LEARN_LEARN_H
#define DEVGUARD_CMD_LEARN_LEARN_H

#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "policy/compare.h"
#include "policy/learn.h"

struct watcher;
struct host_event;

/* A note for people (cmd/audit/audit.h); JSON has what it says in fields. */
#define say(c, ...) ((c)->json.on ? (void)0 : tell(c, __VA_ARGS__))

struct learning {
	struct cmd *cmd;
	struct arena *arena;       /* of what was learned */
	struct learned all;
	struct cgroup *cgroup;     /* of a CGROUP; NULL: of none, or the command's, see child */
	const char *said;          /* CGROUP as it was said */
	char **command;            /* or NULL */
	bool watches;              /* something is recorded: not only read from files */
	bool permissive, with_denied;
	unsigned by;               /* set of enum learn_by */
	uint64_t for_ns;           /* 0: until something else ends it */
	const char **records;      /* --record, in `arena` */
	size_t nrecords, records_cap;
	const char *output, *name, *update;
	/* while it is recorded */
	struct child child;
	struct watcher *watcher;
	uint64_t taken;            /* records */
	int signals;
	bool ended, by_signal;
	bool broken;               /* it cannot be recorded any more */
	int ending;                /* wait status of the command */
	int status;                /* exit status of the command; 0 where there is none */
	uint64_t total;            /* requests in this recording */
	uint64_t stayed;           /* of these, denied though --permissive was said */
	uint64_t opened;           /* only denied, and allowed by --with-denied */
	struct requesters *requesters; /* of --by exe */
	/* what filters now, loaded before it was recorded */
	struct unit before;
	bool has_before;
	const char *before_words;  /* what that is */
};

/* ---- files.c ---------------------------------------------------------------------------- */

/* Reads what --record names; one that is to be written may not be there yet. STATUS_OK or a status with diagnostics. */
int recordings_read(struct learning *l);
/* Can what -o and --record name be written? Asked before anything is recorded; nothing is left of it. The same. */
int outputs_check(struct learning *l);
/* Writes all that is known to the one --record, whole or not at all. The same. */
int recording_write(struct learning *l);

/* ---- filters.c ---------------------------------------------------------------------------- */

/* Loads what filters there now, to be compared with: where nothing does, what engines give every container. Whatever is
 * wrong with that is a warning. */
void filters_load(struct learning *l);

/* ---- watch.c ------------------------------------------------------------------------------- */

/* Records the cgroup, or the command, until it ends; l->status is the command's. STATUS_OK or a status with diagnostics. */
int learn_record(struct learning *l);

/* ---- requesters.c -------------------------------------------------------------------------------- */

/* Can programs be told here? To be asked before anything is recorded. STATUS_OK, or a status with a diagnostic. */
int requesters_check(struct learning *l);
/* The file of the program that made a request, as a rule may name it; NULL: it was gone when it was looked at (*gone), or
 * its file is one that no rule may name, of which a warning is given once. Valid as long as l->arena. */
const char *requester_of(struct learning *l, const struct host_event *e, bool *gone);

/* ---- host_names.c ----------------------------------------------------------------------------- */

/* What this host calls the devices. */
void learned_host_names(struct learning *l);

/* ---- proof.c ----------------------------------------------------------------------------------- */

struct proof {
	struct unit unit;          /* the policy, kept */
	uint64_t asked;            /* different requests, all of which it allows */
	bool compared;             /* with what filters now: */
	struct comparison than;
};
/* Compiles the text of a policy, called `file` in messages, and proves that it allows all that was let pass, and
 * denies what was only denied. STATUS_OK or a status with diagnostics. */
int learned_prove(struct learning *l, const char *text, size_t len, const char *file, struct proof *out);
/* A text as a policy. The same. */
int learned_compile(struct learning *l, const char *text, size_t len, const char *file, struct unit *out);
/* Puts each request of the recording to a policy: that was let pass (also AS_RECORDED), or was only denied; the verdict goes to
 * `one`. A program that is not known is any that no rule names; AS_RECORDED, it is not known. A status. */
enum learn_ask { ASK_PASSED, ASK_DENIED, ASK_AS_RECORDED };
int learned_ask(struct learning *l, const struct unit *u, enum learn_ask which, bool (*one)(void *self, size_t i, const struct verdict *v), void *self);

/* ---- tell.c --------------------------------------------------------------------------------------- */

/* On stderr: what was recorded, what the policy allows, and how that compares. */
void learned_tell(struct learning *l, const struct proof *p);
/* The same into c->json.out, with the policy or the patch, called `key`. */
void learned_json(struct learning *l, const struct proof *p, const char *key, const char *text);

/* ---- update.c -------------------------------------------------------------------------------------- */

/* --update: what is missing in a policy, as a patch. A status. */
int learned_update(struct learning *l);
/* Can that policy be changed? Asked before anything is recorded. A status. */
int learned_update_check(struct learning *l);

#endif
