/*
 * cgroup.h - the kernel's side: the cgroup v2 hierarchy, loading a program,
 * attaching it in one step, and finding out what is attached.
 *
 * State lives in the kernel only. A policy's program is recognised by the
 * header at the start of its .rodata (struct image_header).
 */
#ifndef DEVGUARD_CGROUP_CGROUP_H
#define DEVGUARD_CGROUP_CGROUP_H

#include <sys/types.h>

#include "policy/event.h"
#include "policy/arena.h"
#include "policy/image.h"
#include "policy/meaning.h"
#include "policy/raw.h"
#include "policy/rules.h"

/* What to do about an errno of the kernel's: names the capabilities that are missing, the limit
 * that was reached; `otherwise` when there is nothing better. */
const char *error_hint(struct arena *a, int error, const char *otherwise);
/* A word as a shell takes it: in quotes where it has to be (machine-my\x2dbox.scope). */
const char *shell_word(struct arena *a, const char *word);

/* ---- hierarchy.c ------------------------------------------------------------ */

/* A cgroup v2 directory held open. */
struct cgroup {
	int fd;            /* of the directory, O_CLOEXEC */
	const char *path;  /* absolute, as resolved by realpath */
	const char *mount; /* where its hierarchy is mounted; path starts with it */
	uint64_t id;       /* the kernel's cgroup id (inode number) */
	int lock;          /* held by cgroup_lock(), or -1 */
};

/* Opens a cgroup directory. -1 with a diagnostic and a hint for: no such
 * directory, a file, not a cgroup, a v1 hierarchy (the hint names the v2 mount
 * of this host if there is one), no permission. */
int cgroup_open(struct arena *a, struct diags *d, const char *path, struct cgroup **out);
void cgroup_close(struct cgroup *cg);
/* Is it the root of the whole host's hierarchy, not only of a namespace? */
bool cgroup_is_hosts_root(const struct cgroup *cg);
/* The parent directory, or NULL at the hierarchy's root (*d untouched). */
struct cgroup *cgroup_parent(struct arena *a, struct diags *d, const struct cgroup *cg);
/* The mount point of the v2 hierarchy, found by type in /proc/self/mountinfo
 * (the first one that is writable as seen here), or NULL with errno, ENOENT: there is none. */
const char *cgroup_mount(struct arena *a);
/* The diagnostic for that errno; -1. */
int cgroup_no_mount(struct arena *a, struct diags *d, int error);
/* The v2 cgroup of a process ("self", or a pid), from the root of the caller's cgroup
 * namespace on: the `0::` line of /proc/PID/cgroup. 0, or -errno (ENODATA: none). */
enum { CGROUP_PATH = 4096 };
int cgroup_of_process(const char *process, char out[CGROUP_PATH]);
/* Is a v1 hierarchy mounted too (a hybrid host)? */
bool cgroup_hybrid(struct arena *parent);
/* ---- lock.c -------------------------------------------------------------------- */

/* Takes the cgroup's lock (a root-only file below /run/rucy-devguard, until cgroup_close or
 * cgroup_unlock): two tools at once attach one after the other. Waits for some seconds; -1 with
 * a diagnostic that names the process that has it, or what is wrong with /run. */
int cgroup_lock(struct cgroup *cg, struct diags *d);
void cgroup_unlock(struct cgroup *cg);

/* ---- program.c --------------------------------------------------------------- */

struct who;
struct program; /* loaded, not yet attached: gone when closed unless attached */

/* Loads the object (ELF bytes) by libbpf and checks that the kernel kept its
 * BTF and lines. `name` is for messages. 0, or -1 with a diagnostic: the verifier's
 * own last lines when it refused, a hint when permission or memory was missing. */
int program_load(struct arena *a, struct diags *d, const char *name, const void *object,
                 size_t len, struct program **out);
/* The same for a program that reports: takes over the maps of program `from` (0:
 * none), and with them its generation plus one; names its rules (n of them, the
 * default first). Those that are too small for n rules are made anew, as is the ring
 * buffer when `ring` (bytes, a power of two times the page; 0: as it is) is another size: what
 * they have goes along. Where the maps do not fit, new ones are made and a warning is
 * added: what was counted ends with `from`. `who` (who.h, or NULL: nobody) is who its names are. */
int program_load_audited(struct arena *a, struct diags *d, const char *name, const void *object,
                         size_t len, uint32_t from, uint32_t ring, const struct rule_name *rules,
                         size_t n, const struct who *who, struct program **out);
/* The same for a raw program of that section that reports nothing by audit. */
int program_load_raw(struct arena *a, struct diags *d, const char *name, const void *object, size_t len,
                     enum raw_section section, struct program **out);
void program_close(struct program *p);
int program_fd(const struct program *p);
uint32_t program_id(const struct program *p);
/* Instructions after the kernel's rewriting, and the JITed size in bytes (0: interpreted). */
void program_size(const struct program *p, unsigned *insns, unsigned *jited);
/* The kernel's digest of the instructions as they were given to it, hex. */
void program_tag(const struct program *p, char out[17]);

/* ---- attach.c ------------------------------------------------------------------ */

/* One device program attached to a cgroup. */
struct attached {
	uint32_t id;            /* kernel program id */
	char kernel_name[17];   /* what the kernel calls it, may be empty */
	bool ours;
	int unreadable;         /* errno: whose it is cannot be told, 0: it can */
	bool known;             /* all but attach_flags and whose it is was told */
	char name[IMAGE_NAME_MAX]; /* policy name, when ours */
	char tool[17];          /* version that compiled it, when ours, or made the host program */
	uint32_t host_parts;    /* not 0: it is our host program, of these parts (enum hostprog_part); not `ours` then */
	uint64_t digest;        /* of the policy, when ours */
	uint32_t nrules;
	uint32_t attach_flags;  /* BPF_F_ALLOW_MULTI ..., of the cgroup */
	uint64_t run_count, run_time_ns; /* 0 when the kernel does not count */
	uint64_t loaded_at;     /* seconds since the epoch */
	unsigned insns;         /* after the kernel's rewriting */
	uint32_t uid;           /* who loaded it */
	char tag[17];           /* the kernel's digest of the instructions, hex */
	enum audit_level audit;       /* when ours */
	enum policy_mode mode;
	bool grants;                  /* a grant may open what it denies */
	uint32_t generation;
	char meaning[MEANING_MAX]; /* when ours: what it amounts to, "" of objects of before */
};

enum { CGROUP_PROGRAMS_MAX = 64 }; /* the kernel's BPF_CGROUP_MAX_PROGS */

/* Attaches with BPF_F_ALLOW_MULTI, or, when a program of ours with the same
 * policy name is attached here, replaces that one in one step (BPF_F_REPLACE).
 * The caller holds the lock. *replaced is the old program's id or 0. After it
 * the kernel is asked again and must show the new one exactly once. 0, or -1 with
 * a diagnostic and nothing changed (64 programs: E2BIG; a flags-0 ancestor: EPERM,
 * naming it; ...), or -1 with one that says that it is attached, and what could not be
 * confirmed or taken over. */
int cgroup_attach(struct arena *a, struct diags *d, const struct cgroup *cg,
                  const struct program *p, const char *name, uint32_t *replaced);

/* What cgroup_attach() would do, without doing it: 0 with *old, the program that would be
 * replaced or NULL, or -1 with the diagnostic that it would give. */
int cgroup_rehearse(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                    const struct attached **old);

/* Detaches our program of that policy name; NULL when only one of ours is
 * attached. *detached gets what it was. -1 with a diagnostic: none of ours,
 * several and no name (the hint lists them), no such name. Others' programs are
 * never touched. */
int cgroup_detach(struct arena *a, struct diags *d, const struct cgroup *cg, const char *name,
                  struct attached *detached);

/* ---- query.c ---------------------------------------------------------------------- */

/* The device programs attached to this cgroup itself, in the order the kernel
 * keeps them. 0 or -1. */
int cgroup_query(struct arena *a, struct diags *d, const struct cgroup *cg,
                 struct attached **list, size_t *n);

/* What one is, by at->id, without where it is attached. */
void program_describe(struct attached *at);
/* A descriptor: while it is open, the program is there, also when no cgroup has it any more. Or -errno. */
int program_hold(uint32_t id);

/* How many device programs the cgroup itself has: no look at them. Count or -errno. */
int cgroup_programs(const struct cgroup *cg);

/* How many the kernel asks for its processes: those of ancestors too, beyond the mount as well. Count or
 * -errno. */
int cgroup_effective(const struct cgroup *cg);
/* They, in the order in which the kernel asks them. 0 or -1. */
int cgroup_effective_programs(struct arena *a, struct diags *d, const struct cgroup *cg, uint32_t **ids, size_t *n);

/* Ours of that policy name in a list of cgroup_query(), or NULL. */
const struct attached *attached_named(const struct attached *list, size_t n, const char *name);

/* ---- transient.c: cgroups made for one run or one test -------------------------- */

/* Makes a new cgroup `prefix.PID.N` under the hierarchy's mount (or under
 * `parent` when not NULL): by libcgroup where that sees the hierarchy, else by
 * mkdir. 0 or -1. */
int transient_new(struct arena *a, struct diags *d, const char *parent, const char *prefix,
                  struct cgroup **out);
/* Moves the process into the cgroup (cgroup.procs). 0 or -1. */
int transient_enter(struct diags *d, const struct cgroup *cg, pid_t pid);
/* Kills what still runs in it (cgroup.kill, or SIGKILL where the kernel has no
 * such file), waits, removes it and closes it. */
void transient_end(struct cgroup *cg);
/* Removes the transient cgroups with this prefix whose maker (the PID in the name)
 * no longer lives: what a run that was killed with SIGKILL left behind. */
void transient_sweep(const char *mount, const char *prefix);

/* ---- probe.c: any request put to the real kernel ------------------------------- */

/* A scratch cgroup with a process in it, a private tmpfs, and the program
 * attached; requests are asked by mknod(2) and faccessat(2) on nodes of any
 * number made there. */
struct probe;
/* The facts about the caller that it can take on, whatever the program is. Of one that was loaded for it, also files and
 * cgroups that the policy names. */
#define PROBE_FACTS \
	(INPUT(IN_UID) | INPUT(IN_GID) | INPUT(IN_COMM_0) | INPUT(IN_COMM_1) | INPUT(IN_EUID) | INPUT(IN_EGID) | INPUT(IN_FSUID) | \
	 INPUT(IN_LOGIN_UID) | INPUT(IN_SESSION) | INPUT(IN_HOST_USER_NS) | INPUT(IN_HOST_PID_NS) | INPUT(IN_KERNEL_THREAD) | INPUT(IN_PPID))
/* May this process open one? NULL, or why not. */
const char *probe_closed(struct arena *a);
int probe_open(struct arena *a, struct diags *d, const struct program *p, struct probe **out);
/* The same with programs of anybody, that are loaded: they count and report what they are asked. */
int probe_open_programs(struct arena *a, struct diags *d, const uint32_t *ids, size_t n, struct probe **out);
/* Nothing is attached: a process goes into the cgroup, and is decided for as its processes are. */
int probe_open_in(struct arena *a, struct diags *d, const struct cgroup *cg, struct probe **out);
enum probe_answer { PROBE_DENY, PROBE_ALLOW, PROBE_SKIPPED, PROBE_FAILED };
/* Asks one request. mknod together with read or write is never one request in
 * the kernel: it is asked as two, and allowed when both are. Facts are taken on by
 * the asking process, or by one that it makes; what no process can be, or none of
 * this user's, and mknod of c 0:0 (a whiteout, which no program is asked about), is
 * skipped with *why. */
enum probe_answer probe_ask(struct probe *pr, const struct request *r, const char **why);
void probe_close(struct probe *pr);

/* ---- audit.c: what a program reports ----------------------------------------------- */

/* The maps of one program of ours that reports, held open. They outlive it. */
struct audit;

/* Opens the maps of program `id`. -1 with a diagnostic: it reports nothing, it is
 * gone, no permission. */
int audit_open(struct arena *a, struct diags *d, uint32_t id, struct audit **out);
void audit_close(struct audit *au);

/* The name of its policy. */
const char *audit_policy(const struct audit *au);

/* Of the map with the totals: two programs with the same one are one policy, replaced. */
uint32_t audit_counts_id(const struct audit *au);

/* Goes on with the maps of the program that took the place, opened as `next` (which has those of
 * before then, to be closed): ring buffers that program does not have are read to their end. 0 or
 * -1. */
int audit_renew(struct diags *d, struct audit *au, struct audit *next);

/* Becomes the only reader, until audit_close() or the end of the process, however
 * it ends. -1 with a diagnostic that names the process that reads already. */
int audit_claim(struct arena *a, struct diags *d, struct audit *au);

/* Identical decisions give one record an interval; 0: a record each. 0 or -1. */
int audit_fold(struct diags *d, struct audit *au, uint64_t interval_ns);

/* Our programs that report, loaded after `after` (0: all), ascending. 0 or -1. */
int audit_programs(struct arena *a, struct diags *d, uint32_t after, uint32_t **ids, size_t *n);

/* ---- audit_read.c ----------------------------------------------------------------- */

/* Waits up to timeout_ms for records and gives each to `one`, which returns false
 * to stop. How many were given, or -1 with a diagnostic; a signal ends the wait (0). */
int audit_poll(struct diags *d, struct audit *au, int timeout_ms,
               bool (*one)(void *arg, const struct event_record *r), void *arg);

/* For poll(2): readable when records wait. */
int audit_fd(const struct audit *au);

/* ---- raw_maps.c: what a raw program keeps -------------------------------------------- */

/* The maps of one program, held open: they outlive it. */
struct raw_maps;
/* Finds, among the maps of program `id`, those that `maps` describes: by name (the kernel keeps 15 bytes of it), kind
 * and sizes. What the program does not use, it does not have. The list must stay. -1 with a diagnostic: two that cannot be
 * told apart, no permission, it is gone. */
int raw_maps_open(struct arena *a, struct diags *d, uint32_t id, const struct raw_map *maps, size_t n, struct raw_maps **out);
void raw_maps_close(struct raw_maps *m);

/* What a map holds: n entries, each a key and behind it a value for each of `cpus`, as the kernel has them. */
struct raw_answer {
	uint32_t n, key_size, value_size, cpus;
	const unsigned char *bytes; /* until the next question, n * (key_size + cpus * value_size) of them */
};
enum { RAW_ANSWER_MAX = 64 << 20 }; /* bytes */
/* Bytes of a key or a value; NULL: none is meant. Sizes that are not the map's are refused (EINVAL). */
struct raw_bytes { const void *bytes; size_t n; };
/* All entries of a map, or that of one key (n 0: there is none). Unless each_cpu, the values of a RAW_PERCPU are added
 * up to one of 8 bytes. What others add or take out meanwhile may be missed, nothing is there twice. 0 or -errno:
 * raw_maps_why(). */
int raw_map_read(struct raw_maps *m, uint32_t map, struct raw_bytes key, bool each_cpu, struct raw_answer *out);
/* Takes all entries out; of an array or histogram: makes them 0. 0 or -errno. */
int raw_map_clear(struct raw_maps *m, uint32_t map);
/* Puts a value in; none: takes the entry out (none there: 0 too). Not into a RAW_PERCPU, nor out of an array. 0 or
 * -errno. */
int raw_map_change(struct raw_maps *m, uint32_t map, struct raw_bytes key, struct raw_bytes value);
/* Why it failed, for people. */
const char *raw_maps_why(int error);

/* ---- raw_rings.c: records of a raw program --------------------------------------------- */

/* Gives the records of all its rings to `one`, with the number of the map; it returns false to stop. `alone`: nobody
 * else may read them, until raw_maps_close(), which a program that this process loaded needs not. 0 or -1. */
int raw_rings_open(struct arena *a, struct diags *d, struct raw_maps *m, bool alone,
                   bool (*one)(void *arg, uint32_t map, const void *record, size_t size), void *arg);
/* Waits up to timeout_ms for records. How many were given, or -1 with a diagnostic; a signal ends the wait (0). */
int raw_rings_poll(struct diags *d, struct raw_maps *m, int timeout_ms);
/* For poll(2): readable when records wait; -1: it has no rings. */
int raw_rings_fd(const struct raw_maps *m);

/* ---- names.c ---------------------------------------------------------------------- */

/* The rule of a record; false: its name is not known (any more). */
bool audit_rule(struct audit *au, uint32_t generation, uint32_t rule, struct rule_name *out);

/* ---- tally.c ---------------------------------------------------------------------- */

/* Summed over the CPUs. 0 or -1. */
int audit_totals(struct diags *d, struct audit *au, struct totals *out);
struct tally_entry { struct tally_key key; struct tally tally; };

/* All tallies, largest count first. 0 or -1. */
int audit_tallies(struct arena *a, struct diags *d, struct audit *au, struct tally_entry **list, size_t *n);

/* The count of one, 0: not counted (any more). */
uint64_t audit_tally(const struct audit *au, const struct tally_key *key);

/* Forgets all counts. 0 or -1. */
int audit_clear(struct diags *d, struct audit *au);

/* ---- paths.c ---------------------------------------------------------------------- */

/* The path of a cgroup by id, from its hierarchy's mount on ("/a/b"); NULL when it
 * is gone or not visible here. Remembers what it found. */
struct cgroup_paths;
struct cgroup_paths *cgroup_paths_new(struct arena *a);
const char *cgroup_path_of(struct cgroup_paths *paths, uint64_t id);
/* Is there a cgroup of that id, seen from here or not? */
bool cgroup_id_lives(uint64_t id);

/* ---- walk.c ----------------------------------------------------------------------- */

struct cgroup_dir {
	int fd;           /* while it is looked at */
	const char *path; /* from the hierarchy's mount on: "/", "/a/b" */
	const char *name; /* its last part, "" of the root */
	uint64_t id;
	bool below_roots; /* all directories above it, up to the mount, are root's */
};
enum walk_step { WALK_DOWN, WALK_PAST /* not into it */, WALK_END };
/* Gives `one` each cgroup there is, a parent before its children, children by name; what it is
 * given is valid until it returns. 0 or -1. */
int cgroup_walk(struct arena *a, struct diags *d, enum walk_step (*one)(void *arg, const struct cgroup_dir *dir),
                void *arg);

/* ---- author.c: whose hand a program shows ------------------------------------------- */

struct author {
	const char *name;  /* "crun", "crun or LXC": it is as these write them; NULL: not known */
	size_t rules;      /* in it, where the name is known */
	int otherwise;     /* what no rule decides: 0 denied, 1 allowed; -1: not known */
	int unreadable;    /* errno: its instructions cannot be had */
};
/* By the kernel's instructions of a program that is loaded. */
void program_author(uint32_t id, struct author *out);
/* The same for n instructions (struct bpf_insn); without those whose maps tell it. NULL: not known. */
const char *author_of(const void *insns, size_t n, struct author *out);

/* ---- links.c: programs that are attached by a bpf_link -------------------------------- */

struct cgroup_link { uint32_t id, program; uint64_t cgroup; };
/* All links of device programs to cgroups that may be looked at. 0 or -errno. */
int cgroup_links(struct arena *a, struct cgroup_link **list, size_t *n);

/* ---- named.c: cgroups by what people call them -------------------------------------- */

enum { CONTAINER_ID = 64, CONTAINER_ID_LEAST = 4 /* digits that name one */ };
/* What is looked for; NULL: nothing of that kind. */
struct cgroup_name {
	const char *unit;      /* a systemd unit, whole: "web.service" */
	const char *container; /* of LXC, systemd-nspawn, libvirt */
	const char *id;        /* the beginning of a container's id, lower case */
	pid_t pid;             /* a process of it; 0: none */
};
/* What a text that is no path can mean: "web.service", "web", "3f2a", "1234", and of one kind only
 * "unit:web", "container:web", "pid:1234". False: nothing (then *out is all NULL). */
bool cgroup_name_parse(struct arena *a, const char *text, struct cgroup_name *out);

struct cgroup_named {
	const char *path;   /* from the mount on */
	const char *what;   /* "the unit web.service" */
	const char *container; /* its whole id, where that was found; else NULL */
	uint64_t id;
	bool others;        /* somebody else than root could have made it: it is told, never taken */
};
struct cgroup_found {
	struct cgroup_named *list;
	size_t n, cap;
};
/* Adds what has such a name to `out` (not the process). 0 or -1. */
int cgroup_find(struct arena *a, struct diags *d, const struct cgroup_name *name, struct cgroup_found *out);
/* What the names on the way to a cgroup tell, for people: who may make directories may make such names. NULL: nothing. */
struct cgroup_told {
	const char *unit;   /* "web.service", where systemd puts units */
	const char *id;     /* of the container, its digits */
	const char *name;   /* of LXC's container, of a machine */
	const char *engine; /* "docker" */
	const char *pod;    /* its uid */
	size_t at;          /* bytes of the path to the container's directory; 0: it is in none */
};
void cgroup_told(struct arena *a, const char *path, struct cgroup_told *out);

/* ---- process.c ---------------------------------------------------------------------- */

/* Opens the cgroup a process is in. -1 with a diagnostic: no such process, one that ended or was
 * moved meanwhile, one in no v2 cgroup or in one outside of this cgroup namespace. */
int cgroup_open_process(struct arena *a, struct diags *d, pid_t pid, struct cgroup **out);

/* The first process that runs in the cgroup itself, 0: none that can be seen. */
pid_t cgroup_first_process(const struct cgroup *cg);

/* A process that is held: whatever gets its pid next is not taken for it. */
struct process_held { pid_t pid; int pidfd; };
/* 0, or -1 with a diagnostic. */
int process_hold(struct arena *a, struct diags *d, pid_t pid, struct process_held *out);
void process_let_go(struct process_held *p);
/* It still runs, in that cgroup: what was read of it meanwhile was its own. 0, or -1 with a diagnostic. */
int process_confirm(struct arena *a, struct diags *d, const struct process_held *p, const struct cgroup *cg);

/* ---- process_view.c ------------------------------------------------------------------- */

/* A part of a user namespace's ids: `inside` and on are `outside` and on here. */
struct id_range { uint32_t inside, outside, count; };
struct id_map { struct id_range *list; size_t n; };
/* What a program, and the kernel before and behind it, look at in a process. Ids are those of this
 * user namespace. */
struct process_view {
	char comm[COMM_SIZE];
	uint32_t uid, gid;       /* real: what programs are told */
	uint32_t fsuid, fsgid;   /* by which files are opened */
	uint32_t *groups;
	size_t ngroups;
	uint64_t caps;           /* effective, in its own user namespace */
	bool initial_user_ns;    /* that one is the host's */
	struct id_map uids, gids; /* of its user namespace */
	bool hosts_pid;          /* its pid here is the one that programs are told */
	bool terminal;           /* it has a controlling one */
	bool filtered;           /* by seccomp */
	int root;                /* its root directory, O_PATH */
};
/* -1 with a diagnostic: it ended, or may not be looked at. process_confirm() must follow. */
int process_view(struct arena *a, struct diags *d, const struct process_held *p, struct process_view *out);
void process_view_end(struct process_view *v);
/* The id inside of its user namespace; -1: it has none there. */
int64_t id_inside(const struct id_map *map, uint32_t outside);

/* ---- process_task.c ------------------------------------------------------------------- */

/* The file that a process runs, as programs know it. none: no program takes it for one that a rule names. */
struct process_file { bool known, none; struct who_key key; };
/* What programs read of the calling task itself, as far as /proc tells. */
struct process_task {
	input_set known;         /* from IN_EUID on */
	int64_t fact[INPUT_MAX];
	struct process_file exe, parent_exe;
	bool cgroups_known;
	uint64_t *cgroups;       /* ids: its own, and those above but the root */
	size_t ncgroups;
};
/* Of a process that is held, and its cgroup. files: its executable and its parent's too, for which the kernel is asked.
 * process_confirm() must follow. */
void process_task(struct arena *a, const struct process_held *p, const struct process_view *v, const struct cgroup *cg, bool files,
                  struct process_task *out);

/* ---- devices_v1.c --------------------------------------------------------------------- */

/* What the devices controller of cgroup v1 has for a process, a hybrid host's second filter: the text of its
 * devices.list, or NULL: it has none, or it cannot be told. */
const char *process_devices_v1(struct arena *a, pid_t pid);
/* Does one line of such a list allow all of the accesses? minor -1: of every device of the major. */
bool devices_v1_allow(const char *list, int type, int64_t major, int64_t minor, int access);

/* ---- drivers.c ------------------------------------------------------------------------ */

/* Has a driver of this kernel the number? minor -1: the major. Of kinds whose devices sysfs does not tell, the major
 * answers; yes, too, where nothing can be told. */
bool driver_has(struct arena *a, int type, int64_t major, int64_t minor);

/* ---- container.c: the cgroup of a container being made ------------------------------ */

/* The cgroup a process is in, opened, for a guard of that process alone. -1 with a
 * diagnostic: pid 0 or 1 (at createContainer the runtime gives no other), the
 * caller's own process, a process that is gone, one in no v2 cgroup, or in one
 * that holds the caller too (the container has none of its own). */
struct container_process { pid_t pid; int pidfd; };
int container_open(struct arena *a, struct diags *d, int64_t pid, struct container_process *p,
                   struct cgroup **out);
/* After attaching: the process still runs, in that cgroup. 0 or -1. */
int container_confirm(struct arena *a, struct diags *d, const struct container_process *p,
                      const struct cgroup *cg);
void container_close(struct container_process *p);
/* Does the process `pid` have a mount namespace other than the caller's? No, too, where it cannot be
 * told. */
bool container_elsewhere(int64_t pid);

/* ---- elsewhere.c ------------------------------------------------------------------ */

/* Where a policy of that name (NULL: any of ours) is that is not on this cgroup: on one above or below,
 * with the command that takes it off there; NULL: on neither. For hints. */
const char *elsewhere_hint(struct arena *a, const struct cgroup *cg, const char *name);

/* ---- link.c: guards that stay when a runtime removes programs ------------------------- */

/* Attaches by a bpf_link and pins it below the host's bpffs (/sys/fs/bpf, else one
 * of our own in /run/rucy-devguard), named after the cgroup's id; a link that is
 * there already gets the new program in one step. Reads back that the kernel asks
 * the program. What `update` of a runtime removes, programs attached without a link,
 * it is not. 0, or -1 with a diagnostic and nothing attached, or one that says that it is. */
int link_attach(struct arena *a, struct diags *d, const struct cgroup *cg, const struct program *p,
                const char *name);

/* The program of ours that a pinned link has on this cgroup, 0: none; or -errno. */
int64_t link_program(const struct cgroup *cg);

/* Takes the guard and its pin away. 1: it was there, 0: there was none, -1 with a diagnostic that
 * says whether the guard is still there. */
int link_detach(struct diags *d, const struct cgroup *cg);

/* ---- sweep.c ---------------------------------------------------------------------- */

/* Starts a process that takes the pin away when nothing runs in the cgroup any more. The
 * guard does not depend on it: see link_sweep(). 0 or -1 (a warning). */
int link_keeper(struct arena *a, struct diags *d, const struct cgroup *cg);

/* Takes away the pins whose cgroup is gone: of keepers that were killed. */
void link_sweep(void);

/* ---- system.c: may the kernel be asked? --------------------------------------------- */

/* May this process load device programs? NULL, or why not. */
const char *kernel_closed(void);
/* Is this the user namespace the kernel asks for BPF capabilities in? Yes, too, where it cannot be
 * told (no /proc). */
bool initial_user_namespace(void);
/* Is it another one, in which this process is an ordinary user of the namespace around? No, too,
 * where it cannot be told. */
bool ordinary_user_namespace(void);

/* ---- host.c: what this host can do (doctor) -------------------------------------- */

enum host_state { HOST_OK, HOST_WARN, HOST_FAIL };
struct host_check {
	enum host_state state;
	const char *what;  /* "cgroup v2 hierarchy" */
	const char *found; /* "/sys/fs/cgroup/unified (hybrid)" */
	const char *fix;   /* what to do about it, or NULL */
};
/* Every check, also when earlier ones fail; nothing is changed on the host. */
void host_checks(struct arena *a, struct host_check **list, size_t *n);

#endif
