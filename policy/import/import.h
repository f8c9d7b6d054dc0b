/* import.h - device lists of other tools. */
#ifndef DEVGUARD_POLICY_IMPORT_IMPORT_H
#define DEVGUARD_POLICY_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/rules.h"

struct diags;
struct pattern;

enum foreign_format {
#define FORMAT(id, name) FOREIGN_##id,
#include "policy/import/formats.def"
	FOREIGN_FORMATS
};
/* "oci", "docker", ... */
extern const char *const foreign_names[FOREIGN_FORMATS];

enum { FOREIGN_ANY = -1 }; /* every major, every minor */

struct foreign_entry {
	bool allow;
	bool builtin;                /* none of the list: the tool adds it by itself */
	bool v2;                     /* lxc: the key is of cgroup v2 */
	bool lone;                   /* lxc: `a` alone, at which LXC forgets the rules before */
	uint8_t types, access;       /* sets of DEV_*, ACC_*; never empty */
	int32_t major, minor;        /* or FOREIGN_ANY */
	const struct pattern *named; /* a path or group as this host has it: instead of the numbers */
	const char *file;
	uint32_t place;              /* line of the file, or index in the list */
	uint32_t line;               /* where place is an index: line of the file, 0: not known */
	bool in_rules, in_requests;  /* inspect: of DeviceCgroupRules, of DeviceRequests, not of Devices */
	const char *via;             /* the device of CDI it is of, with the place in its file, or NULL */
	const char *path;            /* the numbers are those of this path on this host, or NULL */
	bool no_letters;             /* oci: a denial without access is taken as one of all three */
	bool passed_over;            /* its tool passes over the line, as the note says */
	const char *note;            /* where the tool itself does otherwise, or NULL */
};

/* A line that grants nothing here: the device it names is not there, or its tool
 * passes over the line. The policy has it as a comment. */
struct foreign_skip {
	const char *file;
	uint32_t line;
	const char *rule;        /* as a pattern: "char-nvidia-uvm rw" */
	const char *why, *hint;
	bool in_requests;        /* as in the entry */
	bool cdi;                /* rule is the name of a device of CDI, which is not looked up yet */
	bool missing;            /* not here; else its tool passes over the line wherever it is */
	bool near;               /* the hint is what was probably meant */
};

/* A list in the order of its tool, where the last entry that matches an access
 * decides it, else default_allow. */
struct foreign {
	enum foreign_format format;
	const char *file;        /* where it comes from, as messages name it */
	const char *name;        /* for the policy */
	bool default_allow;
	bool exact;              /* set by the caller: without what the tool adds by itself */
	struct foreign_entry *entries, *added; /* added: what the tool allows unless an entry about
	                                          devices of one major or minor says otherwise */
	size_t n, cap, nadded, added_cap;
	size_t in_directories;   /* so many of them were found in directories */
	const char **notes;      /* about the whole list */
	size_t nnotes, notes_cap;
	struct foreign_skip *skipped;
	size_t nskipped, skipped_cap;
	const char *silent;      /* it says nothing about devices; then: how that is told, */
	const char *silent_hint; /* and what its tool does with such a file */
	const char *open;        /* why every device is allowed although no entry says so, or NULL */
};

/* Each reads one list whole. 0, or -1 with diagnostics: nothing is skipped. */
#define FILE_FORMAT(id, name) \
	int foreign_##name(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
#define FORMAT(id, name)
#include "policy/import/formats.def"
/* Values of docker's --device-cgroup-rule and options of docker run, or a whole command. */
int foreign_docker(struct diags *d, const char *const *args, size_t n, struct foreign *out);
/* A saved command line: the one command of docker, podman or nerdctl in a script. */
int foreign_docker_file(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);
/* Some devices of a CDI specification, by name; none: its only one. */
int foreign_cdi(struct diags *d, const char *file, const char *text, size_t len, const char *const *wanted, size_t n,
                struct foreign *out);
/* A unit file, or what `systemctl cat` prints; the unit that counts, or NULL: the only one. */
int foreign_systemd(struct diags *d, const char *file, const char *text, size_t len, const char *unit,
                    struct foreign *out);
/* A service of a compose file; NULL: the only one. */
int foreign_compose(struct diags *d, const char *file, const char *text, size_t len, const char *service,
                    struct foreign *out);

/* Looks up the devices of CDI that a list names, in the specifications of these directories, the
 * last first; NULL: where the engines look. 0, or -1 with diagnostics. What is not found is left to
 * foreign_settle(). */
int foreign_cdi_resolve(struct diags *d, struct foreign *f, const char *const *directories, size_t n);
/* Tells what a list leaves open: skipped lines (errors, unless the caller accepts them),
 * and that everything is allowed. A list that says nothing about devices is an
 * error, or, when the caller says that it is meant, allows every device. 0 or -1. */
int foreign_settle(struct diags *d, struct foreign *f, bool empty_is_allow, bool skip_missing);

/* The list as a Ruby policy; about n log n for n entries. */
void foreign_ruby(FILE *out, struct arena *a, const struct foreign *f);
/* The list as a policy, which decides as that Ruby does. 0 or -1. */
int foreign_policy(struct arena *a, struct diags *d, const struct foreign *f, struct policy **out);

#endif
