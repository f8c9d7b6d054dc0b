/*
 * internal.h - what the files of cgroup/ share.
 */
#ifndef DEVGUARD_CGROUP_INTERNAL_H
#define DEVGUARD_CGROUP_INTERNAL_H

#include "cgroup/cgroup.h"
#include "policy/arena.h"
#include "policy/image.h"
#include "policy/rules.h"

/* ---- system.c: small files, mounts, capabilities ---------------------------- */

/* Writes text to a file of a directory (AT_FDCWD allowed). 0 or -errno. */
int file_write(int dir, const char *path, const char *text);
/* Reads a small file, NUL-terminated, the last newline cut. Length or -errno. */
int file_read(int dir, const char *path, char *buf, size_t size);

struct mount {
	const char *point;
	const char *type; /* "cgroup", "cgroup2", "bpf" or "tracefs" */
	bool read_only;
};
/* The cgroup, BPF and tracefs mounts as this process sees them, in mount order. 0, or an errno when
 * they could not all be read. */
int mounts_read(struct arena *a, struct mount **list, size_t *n);

/* Is the capability (CAP_* of <linux/capability.h>) in effect? */
bool capable(int cap);
/* Is the running kernel older than this version? */
bool kernel_before(unsigned major, unsigned minor);
/* A helper that tells a fact about the caller, and the first Linux that lets device
 * programs call it. */
struct helper {
	int number; /* BPF_FUNC_* */
	const char *facts;
	unsigned major, minor;
};
extern const struct helper fact_helpers[FACT_HELPERS];
/* Does the running kernel take a device program that calls it? (Not without the
 * permission to load any.) */
bool fact_offered(const struct helper *f);
/* What to do when the kernel let no program call it; `facts` is what was asked for. */
const char *fact_hint(struct arena *a, const struct helper *f, const char *facts);
/* Before 5.11 programs and maps count as locked memory. The limit is to be put back (setrlimit()): a command run later
 * inherits it. */
struct rlimit;
void memlock_raise(struct rlimit *before);
/* Returns when no program that was asked before still runs. */
void wait_for_programs(void);
/* What to do when the kernel said EPERM: names the capabilities missing. */
const char *privilege_hint(struct arena *a);

/* ---- hierarchy.c ------------------------------------------------------------- */

/* Was the cgroup removed after it was opened? */
bool cgroup_gone(const struct cgroup *cg);
/* Does anything run in the cgroup, by its cgroup.events or by its directory? False also when it
 * is gone; true when it cannot be told. */
bool events_populated(int events);
bool cgroup_populated(int dir);
/* What to type where no cgroup v2 is to be seen, or where it is. */
const char *hierarchy_hint(struct arena *a);

/* ---- paths.c ----------------------------------------------------------------- */

/* The path of a cgroup by its id, from the mount on, into PATH_MAX bytes. 1 or 0. */
int cgroup_path_at(const char *mount, uint64_t id, char *path);
/* Is there a cgroup of that id in the hierarchy that is mounted there, seen from there or not? */
bool cgroup_lives_at(const char *mount, uint64_t id);

/* ---- process.c --------------------------------------------------------------- */

/* Does the process of a pidfd still run? */
bool process_runs(int pidfd);

/* ---- lock.c ------------------------------------------------------------------- */

/* The lock of a cgroup by its id: a descriptor, or -1 with a diagnostic. */
int lock_take(struct diags *d, uint64_t cgroup, const char *path);
/* The same without an end of waiting, and without a diagnostic. */
int lock_take_patiently(uint64_t cgroup);
void lock_release(uint64_t cgroup, int fd);
/* Takes away the files that killed tools left. */
void lock_sweep(void);

/* ---- query.c ----------------------------------------------------------------- */

enum reading { READ_GONE, READ_NOT, READ_OK };
/* Fills in all but attach_flags from an open program. READ_NOT when some of it,
 * and so whether it is ours, could not be read (at->unreadable says why). */
enum reading describe_program(int fd, struct attached *at);
/* A tag of the kernel's (BPF_TAG_SIZE bytes) in hex. */
void tag_text(char out[17], const unsigned char tag[8]);
/* cgroup_query(), and *unreadable: the first program whose owner is not known, or NULL. */
int list_attached(struct arena *a, struct diags *d, const struct cgroup *cg,
                  struct attached **list, size_t *n, const struct attached **unreadable);
/* The diagnostic for a cgroup that was removed after it was opened; -1. */
int cgroup_is_gone(struct diags *d, const struct cgroup *cg);

/* ---- confirm.c --------------------------------------------------------------- */

/* Our program of that name attached here, or NULL in *found. -1 with a diagnostic
 * when that is not certain. */
int find_ours(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
              struct attached **found);
/* What could not be confirmed stays as it is, and is told with the reason: `done` is what was
 * done. Takes the reason's place in *d; -1. */
int unconfirmed(struct diags *d, const struct diags *reason, const char *done);
/* Asks the kernel again: the program is there, once, and no other of its name. 0, or -1 with
 * a diagnostic that says that it is attached, and what cannot be told. */
int attach_confirm(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p,
                   const char *name);
/* Tells the host program, if there is one, that it is guarded: again, when the program is attached. The same. */
int attach_guarded(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p, const char *name, bool grants);

/* ---- maps.c ------------------------------------------------------------------ */

enum report_map {
#define MAP(id, name, type, key, value, entries, flags) REPORT_##id,
#define BOUND_MAP MAP
#include "policy/maps.def"
	REPORT_MAPS
};
struct report_kind {
	const char *name;
	uint32_t type, key_size, value_size, flags;
};
extern const struct report_kind report_kinds[REPORT_MAPS];

/* Those one program has, held open. */
enum { OLD_RINGS = 8 };
struct ring {
	int fd;
	uint32_t id;
};
struct report_maps {
	int fd[REPORT_MAPS]; /* -1: none */
	uint32_t events_id;  /* 0: none */
	uint32_t counts_id;  /* of the totals, which never change: what all programs of one policy share */
	struct ring old[OLD_RINGS]; /* ring buffers of programs before, with records nobody read */
	size_t nold;
};
void report_maps_none(struct report_maps *m);
/* Room for so many entries (of a ring buffer: bytes); 0: it cannot be told. */
uint32_t map_entries(int fd);
/* Has the ring buffer records that nobody read? Also true when that cannot be told. */
bool ring_unread(int fd);
/* 0 or -errno (then none). */
int report_maps_open(int prog, struct report_maps *out);
void report_maps_close(struct report_maps *m);
/* The ids of all maps of a program; to be freed, also after an error. 0 or -errno. */
int program_map_ids(int fd, uint32_t **ids, uint32_t *n);
/* Gives each entry of a hash with keys and values of these sizes to `one`; `take`: and deletes it. What others
 * add or delete meanwhile may be missed, nothing is given twice. 0 or -errno. */
int map_walk(int fd, size_t key, size_t value, bool take,
             void (*one)(void *arg, const void *key, const void *value), void *arg);
/* The same for one of that kind. */
int map_each(int fd, enum report_map kind, bool take,
             void (*one)(void *arg, const void *key, const void *value), void *arg);

/* ---- handover.c --------------------------------------------------------------- */

struct bpf_object;
struct bpf_map;
/* What a program that is being loaded has from the one before. */
struct handover {
	struct report_maps old;
	struct bpf_map *maps[REPORT_MAPS]; /* of the new one, NULL: it has none */
	uint32_t from;       /* 0: none */
	uint32_t generation; /* of the new one */
	bool reports;        /* the new one has an events map */
	bool new_ring, new_tally; /* the one before had other ones */
};
/* What a program that reports is made for. */
struct report_size {
	size_t rules;  /* with the default */
	uint32_t ring; /* bytes, 0: as it was, else as the object says */
};
/* Between opening and loading the object. 0 or -1; handover_end() in both cases. */
int handover_begin(struct arena *a, struct diags *d, const char *name, struct bpf_object *object,
                   uint32_t from, struct report_size size, struct handover *h);
/* After it was loaded as `prog`. 0 or -1. */
int handover_finish(struct arena *a, struct diags *d, const char *name, int prog,
                    const struct handover *h, const struct rule_name *rules, size_t n);
/* After it has taken the place of the one before, which counts no more: what that one counted
 * since handover_finish(). 0, or -1 with a diagnostic that says what is missing. */
int handover_settle(struct diags *d, const char *name, int prog, const struct handover *h);
void handover_end(struct handover *h);

/* ---- attach.c ------------------------------------------------------------------- */

/* The diagnostic for an error of attaching a program to a cgroup; -1. */
int attach_refused(struct arena *a, struct diags *d, const struct cgroup *cg, int error);

/* ---- program.c ------------------------------------------------------------------ */

struct bpf_program;
/* As libbpf has it. */
struct bpf_program *program_of(const struct program *p);

/* handover_settle() of an attached program. */
int program_settle(struct diags *d, const char *name, const struct program *p);

/* ---- names.c ------------------------------------------------------------------- */

/* Makes the map for rules' names. fd or -errno. */
int names_new(uint32_t entries);
/* Room for n names a generation, and for those of some generations. */
uint32_t names_entries(size_t n);
/* One with room for n names a generation, which has all of `from` (fd or -1); or `from`
 * itself, when that is large enough. fd or -errno. */
int names_for(size_t n, int from);
/* Puts the names of one generation into it, in the place of names that nobody asks
 * for any more: of generations before the last that no tally has (tally: fd or -1).
 * 0 or -1; a warning when there are more than fit. */
int names_put(struct arena *a, struct diags *d, const char *name, int names, int tally,
              uint32_t generation, const struct rule_name *rules, size_t n);

/* ---- audit.c -------------------------------------------------------------------- */

/* The right to read what comes by a map, alone, until the descriptor is closed. -1 with a diagnostic that names the
 * process which has it. */
int reader_claim(struct arena *a, struct diags *d, uint32_t map_id);

/* ---- raw_maps.c ----------------------------------------------------------------- */

struct ring_buffer;
/* A map of the kernel's. fd -1: the program does not use it. */
struct raw_map_open {
	int fd;
	uint32_t id;
	size_t stride; /* bytes from one CPU's value to the next one's, as the kernel gives them */
	uint32_t cpus; /* values of an entry, 1 except of a RAW_PERCPU */
};
struct raw_maps {
	const struct raw_map *maps;
	size_t n;
	struct raw_map_open *open; /* of each */
	unsigned char *bytes;      /* of the answer before */
	size_t cap;
	/* raw_rings.c */
	struct ring_buffer *rings;
	struct raw_ring { struct raw_maps *of; uint32_t map; int lock; } *ring;
	size_t nrings;
	bool (*one)(void *arg, uint32_t map, const void *record, size_t size);
	void *arg;
	int given;
};

/* ---- audit_read.c ----------------------------------------------------------------- */

struct audit {
	struct report_maps maps;
	uint32_t id;              /* of the program it was opened by */
	char policy[IMAGE_NAME_MAX];
	int lock;                 /* the claim, -1: none */
	bool folds;               /* asked for by this reader */
	struct ring_buffer *ring; /* of the only reader */
	/* while audit_poll() runs */
	bool (*one)(void *arg, const struct event_record *r);
	void *arg;
	int given, seen;
};
/* Maps the ring buffer for reading. 0 or -1. */
int audit_map_ring(struct diags *d, struct audit *au);

#endif
