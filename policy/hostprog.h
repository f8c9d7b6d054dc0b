/*
 * hostprog.h - the host program: one program of ours on the root of the cgroup hierarchy. The kernel runs it after all
 * programs below, so it sees what they decided (bpf_get_retval(), Linux 5.18) and may turn a denial into an allow. What
 * it is made of, and what its maps hold: the one place where their layout is fixed.
 *
 * It does, in this order: a request that all allowed costs it one call. Of a denied one (any negative value): is there a
 * grant that covers all accesses, for the caller's cgroup or one above it, and is there on none of these cgroups a guard of
 * ours that does not allow grants? It is opened. Else: does a watcher let everything pass (learn --permissive), and is
 * there no such guard? Then each watcher whose cgroup the caller is in gets a record and counts.
 *
 * Records and maps are native byte order and without padding. Its maps (as the kernel names them):
 *
 *   devguard_host    array of one, frozen: struct hostprog_header. By it the program is found again.
 *   devguard_grants  hash: struct grant_key to struct host_grant
 *   devguard_guards  hash: id of a cgroup that has a guard of ours without `grants :allowed`, to a set of enum host_guard (u32)
 *   devguard_watch   array of HOSTPROG_WATCHERS: struct host_watcher
 *   devguard_rings   array of maps: the ring buffer of each watcher, of struct host_event
 *   devguard_counts  hash: struct host_count_key to struct host_count
 *   devguard_coarse  the same, of requests that had no room there: by the cgroup at level HOSTPROG_COARSE_LEVEL, which
 *                    what runs in containers cannot make, so a container that makes cgroups without end hides no other's
 *                    counts; 0: of cgroups that are gone
 *   devguard_lost    array of one: struct host_lost
 */
#ifndef DEVGUARD_POLICY_HOSTPROG_H
#define DEVGUARD_POLICY_HOSTPROG_H

#include <stdint.h>

#define HOSTPROG_MAGIC 0x5453484756454452ull
#define HOSTPROG_NAME "devguard_host" /* of the program, and of the map with its header */
enum {
	HOSTPROG_VERSION = 1,
	HOSTPROG_WATCHERS = 8,
	HOSTPROG_LEVELS = 16,     /* a cgroup's level at most, 0 the root's; deeper, no grant opens anything */
	HOSTPROG_GRANTS_MAX = 65536,
	HOSTPROG_GUARDS_MAX = 65536,
	HOSTPROG_COUNTS_MAX = 65536,
	HOSTPROG_COARSE_MAX = 8192,
	HOSTPROG_COARSE_LEVEL = 2,
	HOST_EVENT_VERSION = 1,
};

/* What a host program is composed of. */
enum hostprog_part {
	HOSTPROG_OBSERVE = 1, /* records and counts of denials, for watchers */
	HOSTPROG_ALL = 2,     /* of requests that were allowed, too */
	HOSTPROG_GRANTS = 4,
	HOSTPROG_PERMIT = 8,  /* what watchers let pass: only together with HOSTPROG_OBSERVE */
};
/* What the running kernel lets device programs call. */
enum hostprog_feature {
	HOSTPROG_RETVAL = 1,    /* bpf_get_retval, bpf_set_retval: 5.18. Without it there is no host program */
	HOSTPROG_ANCESTORS = 2, /* bpf_get_current_ancestor_cgroup_id: 6.1. Without it grants and watchers are for a cgroup itself, not for those below it */
	HOSTPROG_PID = 4,       /* bpf_get_current_pid_tgid: 6.1 */
	HOSTPROG_COMM = 8,      /* bpf_get_current_comm: 6.1; CAP_PERFMON from 7.1 */
};

struct hostprog_header {
	uint64_t magic;
	uint32_t version, size;
	uint32_t parts;       /* enum hostprog_part */
	uint32_t features;    /* enum hostprog_feature */
	char tool[16];        /* version of the tool that made it */
};

/* The map an instruction's ldimm64 is for: image_reloc.target. */
enum hostprog_map {
	HOSTPROG_MAP_HEADER, HOSTPROG_MAP_GRANTS, HOSTPROG_MAP_GUARDS, HOSTPROG_MAP_WATCH, HOSTPROG_MAP_RINGS,
	HOSTPROG_MAP_COUNTS, HOSTPROG_MAP_COARSE, HOSTPROG_MAP_LOST, HOSTPROG_MAPS,
};

/* ---- grants ---------------------------------------------------------------------- */

#define GRANT_ANY_MINOR UINT32_MAX
struct grant_key {
	uint64_t cgroup;  /* id: it and all below it */
	uint32_t major;
	uint32_t minor;   /* or GRANT_ANY_MINOR */
	uint64_t type;    /* DEV_CHAR, DEV_BLOCK */
};
_Static_assert(sizeof(struct grant_key) == 24, "keys have no padding");

enum grant_node { GRANT_NODE_NONE, GRANT_NODE_MADE /* mknod */, GRANT_NODE_MOUNTED /* a mount over a file */ };

/* What a grant is; the program reads the first five. It looks at `key` last: an entry that the kernel
 * gave to another key meanwhile is not believed. */
struct host_grant {
	struct grant_key key;
	uint64_t used;       /* requests it opened; written by the program */
	uint64_t id;         /* several entries may be one grant ("c 136:*" and so on) */
	uint64_t until;      /* CLOCK_BOOTTIME ns when it ends, 0: it does not */
	uint32_t access;     /* set of ACC_*: a request is opened only when all it asks is in it */
	uint32_t uid;        /* who gave it */
	uint64_t time;       /* CLOCK_REALTIME ns when it was given */
	uint64_t seconds;    /* of --for, 0: none */
	char device[64];     /* as it was said, NUL-terminated as all that follow */
	char user[32];       /* name of who gave it */
	char reason[128];
	char path[256];      /* the cgroup's, from the mount on, when it was given */
	char container[128]; /* the container's name as it was said, "": none was */
	/* the node that was made for it, where the container sees it */
	uint32_t node;       /* enum grant_node */
	uint32_t node_minor; /* of what was made */
	uint64_t node_dev, node_ino; /* GRANT_NODE_MADE: of the node; GRANT_NODE_MOUNTED: of the file below the mount */
	uint64_t node_mount; /* GRANT_NODE_MOUNTED: id of the mount (STATX_MNT_ID_UNIQUE, or STATX_MNT_ID) */
	uint64_t node_ns;    /* inode of the mount namespace it is in */
	char node_path[256]; /* in that namespace, from its root on */
	uint64_t node_born;  /* when what has node_ino was made (STATX_BTIME, ns), 0: this kernel does not tell */
	uint64_t node_dir;   /* inode of the first directory that was made for it (/dev/net of /dev/net/tun), 0: none was */
};

/* Of the guards on a cgroup; one entry for all of them. */
enum host_guard {
	HOST_GUARD_REFUSES = 1,   /* one of them does not say `grants :allowed` */
	HOST_GUARD_UNSETTLED = 2, /* for tools: one is about to be attached or detached, or was when a tool was killed */
};
#define HOST_GUARD_FILLED 0ull /* key that no cgroup has: the guards of all cgroups were put in after the host program was attached */

/* ---- watchers ---------------------------------------------------------------------- */

enum watcher_flag {
	WATCHER_USED = 1,
	WATCHER_EVERYWHERE = 2, /* all cgroups, `cgroup` is 0 */
	WATCHER_ALL = 4,        /* records and counts of allowed requests too */
	WATCHER_PERMIT = 8,     /* lets denied requests pass, until `permit_until` */
	WATCHER_GRANTED = 16,   /* records of requests that a grant opened only */
	WATCHER_PINNED = 32,    /* it stays without a process */
};

struct host_watcher {
	uint64_t cgroup;       /* id: it and all below it */
	uint64_t permit_until; /* CLOCK_BOOTTIME ns; renewed while its process lives. Of a pinned one: when its cgroup was seen to be gone */
	uint32_t level;        /* of that cgroup: 0 the root of the hierarchy, 1 its children ... */
	uint32_t flags;        /* enum watcher_flag */
	uint64_t since;        /* CLOCK_REALTIME ns */
};

enum host_event_flag {
	HOST_EVENT_DENIED = 1,    /* the programs below denied it (retval) */
	HOST_EVENT_GRANTED = 2,   /* a grant opened it */
	HOST_EVENT_PERMITTED = 4, /* a watcher let it pass */
	HOST_EVENT_GUARDED = 8,   /* there is a grant, and a guard of ours that does not allow grants */
	HOST_EVENT_DEEP = 16,     /* the cgroup is deeper than HOSTPROG_LEVELS: no grant was looked for */
	HOST_EVENT_NO_PID = 32,   /* this kernel does not tell pid and tid: 0 */
	HOST_EVENT_NO_COMM = 64,  /* nor comm: empty */
};

/* One request. Denied in the end: HOST_EVENT_DENIED, and neither GRANTED nor PERMITTED. */
struct host_event {
	uint16_t version, size; /* HOST_EVENT_VERSION; bytes */
	int32_t retval;         /* of the programs below: 0, or the negative errno of the denial */
	uint64_t time;          /* CLOCK_BOOTTIME ns */
	uint64_t cgroup_id;     /* of the caller */
	uint32_t pid, tid, uid, gid; /* in the first namespaces; real ids */
	char comm[16];
	uint32_t major, minor;
	uint8_t type, requested; /* DEV_*; set of ACC_* */
	uint16_t reserved;
	uint32_t flags;         /* enum host_event_flag */
	uint64_t grant;         /* id of the grant that opened it, or that a guard made useless; 0: none */
};
_Static_assert(sizeof(struct host_event) == 80, "records have no padding");

/* HOSTPROG_WATCHERS as `watcher`: what grants opened, whether somebody watches or not. */
struct host_count_key { uint64_t cgroup; uint64_t watcher; };
struct host_count {
	uint64_t denied, granted, permitted, allowed; /* each request counts in one of these, */
	uint64_t recorded, lost;                      /* and where it is one for records, in one of these */
};
struct host_lost {
	uint64_t uncounted[HOSTPROG_WATCHERS + 1]; /* requests that had no room in both; by watcher */
	uint64_t last_grant;                       /* the highest id that was given: records name grants that are over, too */
};

#endif
