/*
 * watch.h - the handlers of a file at work: what `watch`, `trace` and bundles share.
 *
 *   printed.c    what handlers print: escaped, bounded, counted
 *   told.c       messages about handlers: those that repeat are counted; how their child ended
 *   clock.c      the clocks
 *   handlers.c   the child that runs them: what it is given, its limits, its restarts
 *   given.c      what they are given as bytes
 *   loop.c       waits for feeds, timers, signals and the child; the end
 *   denials.c    a feed: the audit records of a policy
 *   maps.c       maps of a raw program, and a feed: the records of its rings
 *   summary.c    what was counted
 *   attached.c   a policy that is attached and watched: what the verb does
 *
 * A feed is where events come from. The kernel never waits for handlers: what they are too slow for stays in the
 * feed's own buffer, and is counted there when that is full.
 */
#ifndef DEVGUARD_CMD_WATCH_WATCH_H
#define DEVGUARD_CMD_WATCH_WATCH_H

#include <poll.h>
#include <sys/uio.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/room/room.h"
#include "compiler/user.h"

#define WATCH_NSEC UINT64_C(1000000000)

/* ---- clock.c ------------------------------------------------------------------------------ */

/* CLOCK_MONOTONIC, CLOCK_BOOTTIME; what to add to the latter for nanoseconds since 1970. */
uint64_t watch_now(void);
uint64_t watch_boot(void);
int64_t watch_wall(void);

/* ---- printed.c -------------------------------------------------------------------------- */

/* One call of a handler may print so much; all of them so much a second, and some seconds' worth at once. */
enum { CALL_BYTES = 1 << 20, SECOND_BYTES = 1 << 20, BURST_SECONDS = 8 };

struct printed {
	bool json;       /* an object a line */
	uint64_t bytes;  /* that were shown */
	uint64_t left_out;
	uint64_t told;   /* of left_out */
	double spare;    /* bytes that may be shown now */
	uint64_t at;     /* when that was so */
	char *line;      /* JSON: begun, not ended; text: bytes of a character that is not whole; malloc */
	size_t n, cap;
};
void printed_begin(struct printed *p, bool json);
void printed_add(struct printed *p, const char *bytes, size_t n);
/* Shows it now; says what was left out. 0, or -1: stdout cannot be written to. */
int printed_flush(struct cmd *c, struct printed *p);
void printed_end(struct cmd *c, struct printed *p);

/* ---- told.c ----------------------------------------------------------------------------- */

enum { TOLD_SLOTS = 16 };
struct told {
	struct told_one { uint64_t key, at; unsigned long long more; int line; char file[128]; } list[TOLD_SLOTS];
	uint64_t second; /* in it so many were shown */
	unsigned shown;
};
/* Shows a message, or counts it: one that was shown less than ten seconds ago is only counted. Messages live in a scratch
 * arena. */
void told_add(struct cmd *c, struct told *t, const struct diag *d);
/* Says how many there were more, of those that have been silent long enough, or (all) of every one. */
void told_more(struct cmd *c, struct told *t, bool all);
/* What one call of a handler may take, in seconds; the memory of the child that runs them. */
enum { CALL_SECONDS = 10, CALL_CPU = 1, HANDLERS_MEMORY = 64 << 20 };
/* How that child ended: "was stopped after 1 s of CPU time". cpu: it is the CPU time that was over. */
const char *handlers_ended_text(struct arena *a, const struct room_ended *e, bool cpu);

/* ---- handlers.c ------------------------------------------------------------------------- */

/* Who answers what handlers ask of maps; functions that are NULL: nobody does. Texts and bytes are `a`'s. */
struct watch_maps {
	void *self;
	int (*read)(void *self, struct arena *a, uint32_t map, const void *key, size_t nkey, bool cpus, struct user_entries *out,
	            const char **why);
	int (*clear)(void *self, struct arena *a, uint32_t map, const char **why);
	int (*change)(void *self, struct arena *a, uint32_t map, const void *key, size_t nkey, const void *value, size_t nvalue,
	              const char **why); /* value NULL: takes it out */
};

/* What was given to handlers, by kind: all that was given is handled, lost, or still waits. */
struct watch_counts {
	uint64_t handled[GIVE_KINDS], lost[GIVE_KINDS];
	uint64_t raised, restarts;
};

struct handlers;
/* Starts the child and runs the file in it. `code` is policy->handlers. STATUS_OK or a status with diagnostics: then
 * nothing is left. */
int handlers_open(struct cmd *c, const char *file, const void *code, size_t ncode, const struct watch_maps *maps, bool json,
                  struct handlers **out);
/* Ends the child, shows what is left to show; its counts stay until it is closed. */
void handlers_end(struct handlers *h);
void handlers_close(struct handlers *h);
/* What the file has, and its intervals. */
const struct user_ready *handlers_has(const struct handlers *h);
const struct watch_counts *handlers_counts(const struct handlers *h);
struct printed *handlers_printed(struct handlers *h);

/* Is there room for more? */
bool handlers_room(const struct handlers *h);
/* Gives something: the head (struct give_event ...) and its texts, in parts. */
void handlers_give(struct handlers *h, enum give_kind kind, uint32_t number, const struct iovec *parts, int nparts);

/* For poll(2). */
void handlers_fds(const struct handlers *h, struct pollfd fds[ROOM_FDS]);
/* Sends, takes, answers, looks at the clock; starts the child again when it is time. 0, or -1 with a diagnostic: it cannot
 * go on. *next: when to call it again at the latest. */
int handlers_turn(struct handlers *h, uint64_t *next);
/* Is nothing waiting, and nothing at work? */
bool handlers_idle(const struct handlers *h);
/* Does it run? It is not started again once this was asked with `last`: what waits is lost when it ends. */
bool handlers_alive(struct handlers *h, bool last);
/* What still waits is lost. */
void handlers_forget(struct handlers *h);

/* ---- given.c ------------------------------------------------------------------------------ */

void handlers_give_event(struct handlers *h, const struct user_event *e);
void handlers_give_line(struct handlers *h, const struct user_line *l);

/* ---- loop.c ----------------------------------------------------------------------------- */

enum feed_state { FEED_MORE, FEED_ENDED, FEED_FAILED /* with a diagnostic */ };
struct feed {
	void *self;
	/* Descriptors that say when there is something to read: adds at most `most` to fds. How many. */
	size_t (*fds)(void *self, struct pollfd *fds, size_t most);
	/* Gives handlers what waits, as long as they have room. */
	enum feed_state (*read)(void *self, struct handlers *h);
	/* A look at what it reads from, every fifth of a second; or NULL. */
	enum feed_state (*check)(void *self, struct handlers *h);
	/* At the end, called until it says FEED_ENDED: gives the rest of what had happened when it was called first. */
	enum feed_state (*rest)(void *self, struct handlers *h);
};
enum watch_ending { WATCH_GOES_ON, WATCH_SIGNAL, WATCH_TIMEOUT, WATCH_ENDED, WATCH_FAILED };

/* From here on SIGINT and SIGTERM are waited for. A descriptor, or -1 with a diagnostic. */
int watch_signals(struct cmd *c);
/* Runs the handlers until a signal, the time (ns, UINT64_MAX: none) or the end of a feed; then what waits is handled, and
 * at_exit runs. */
enum watch_ending watch_loop(struct cmd *c, struct handlers *h, const struct feed *feeds, size_t nfeeds, int signals,
                             uint64_t timeout);

/* ---- denials.c -------------------------------------------------------------------------- */

struct cgroup;
struct denials;
/* Reads what a policy on a cgroup reports; fold_ns as in `audit`. STATUS_OK or a status with diagnostics. */
int denials_open(struct cmd *c, const struct cgroup *cg, const char *policy, uint64_t fold_ns, struct denials **out);
struct feed denials_feed(struct denials *d);
void denials_close(struct denials *d);
/* Does another process read what the policy of that name reports? 0, or -1 with a diagnostic. */
int denials_free(struct cmd *c, const struct cgroup *cg, const char *policy);

/* What was decided while it was read. before + submitted = given + ignored + unread. */
struct denials_counts {
	uint64_t denied, allowed;            /* as the kernel counted them */
	uint64_t submitted, folded, dropped; /* in records; with others in one; without: the ring buffer was full */
	uint64_t before;                     /* records that waited when it began */
	uint64_t given, ignored, unread;     /* records: to handlers; there is no handler for such; left in the kernel */
};
struct denials_counts denials_counts(const struct denials *d);

/* ---- maps.c ------------------------------------------------------------------------------ */

struct raw;
struct watched_maps;
/* Those of a raw program; it lives as long as c->args. Handlers are refused until there is a program. */
struct watched_maps *maps_new(struct cmd *c, const struct raw *raw);
const struct watch_maps *maps_answers(const struct watched_maps *m);
/* From here on they are those of that program. cg: where the policy of that name is attached, by anybody: it may be
 * replaced, and its records are read by nobody else. NULL: this process loaded it, for itself. 0 or -1. */
int maps_use(struct watched_maps *m, uint32_t program, const struct cgroup *cg, const char *policy);
/* Does another process read the rings of the program that is attached under that name? 0, or -1 with a diagnostic. */
int maps_free(struct watched_maps *m, const struct cgroup *cg, const char *policy);
int maps_use_attached(struct watched_maps *m, const struct cgroup *cg, const char *policy);
/* The records, and what had no place. It ends when the policy is taken off. */
struct feed maps_feed(struct watched_maps *m);
/* NULL is allowed. */
void maps_close(struct watched_maps *m);

/* ---- summary.c --------------------------------------------------------------------------- */

struct summary {
	const char *policy, *cgroup; /* cgroup NULL: it is attached to no cgroup */
	const char *section;         /* of a program that `trace` runs; else NULL */
	double seconds;
	const struct denials_counts *denials; /* NULL: it has no such feed */
	const struct handlers *handlers;
	const char *ended; /* "signal", "timeout", "detached" */
};
/* A line on stderr; with json an object on stdout. */
void summary_print(struct cmd *c, struct handlers *h, const struct summary *s, bool json);

/* ---- attached.c ------------------------------------------------------------------------- */

/* Its own options. */
enum { OPT_WATCH_TIMEOUT = OPT_VERB, OPT_WATCH_FOLD };
#define WATCH_OPTIONS \
	{"timeout", required_argument, NULL, OPT_WATCH_TIMEOUT}, {"fold", required_argument, NULL, OPT_WATCH_FOLD}
#define WATCH_OPTIONS_HELP \
	"  --fold S          one event for all that is alike within S seconds, with its\n" \
	"                    count\n" \
	"  --timeout S       end after S seconds (0.5 is possible)\n"
struct watch_wish { uint64_t timeout, fold; /* ns; UINT64_MAX: no end */ };
/* STATUS_OK or a usage error. */
int watch_option(struct cmd *c, int opt, struct watch_wish *out);
/* Attaches a policy with handlers to the cgroup of that name (NULL: --self, --unit) and runs them until the end. An exit
 * status. */
struct unit;
int watch_unit(struct cmd *c, struct unit *u, const char *where, const struct watch_wish *wish);

#endif
