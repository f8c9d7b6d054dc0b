/*
 * systemd.h - a unit file while it is read. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_IMPORT_SYSTEMD_H
#define DEVGUARD_POLICY_IMPORT_SYSTEMD_H

#include "policy/import/internal.h"

enum device_policy { POLICY_AUTO, POLICY_CLOSED, POLICY_STRICT };

/* The types of units that may have device settings. */
enum unit_type { UNIT_SERVICE, UNIT_SOCKET, UNIT_MOUNT, UNIT_SWAP, UNIT_SLICE, UNIT_SCOPE, UNIT_TYPES };

struct unit {
	struct lines l;
	enum unit_type type;   /* UNIT_TYPES: not known yet */
	bool named;            /* the type is that of a name, not of the first section */
	const char *name;      /* of the unit's own file, as systemctl cat heads it, or NULL */
	const char *wanted;    /* the unit that counts, or NULL: the only one */
	const char *called;    /* the unit with its instance: specifiers are of it; or NULL */
	bool other, met;       /* these lines are of another unit than the wanted; it was there */
	const char *others;    /* the names of those, for a message */
	size_t nothers;
	struct slice section;
	bool counts, any;      /* this section, or any, is of the type */
	enum device_policy policy;
	bool said;             /* a setting that is about devices and nothing else */
	bool listed;           /* DeviceAllow= has a value */
	bool passed_over;      /* and systemd passes over each so far */
	bool private_devices, protect_clock;
	const char *image;     /* a setting that makes systemd allow loop devices */
	int program;           /* line of BPFProgram=device:..., or 0 */
};

/* ---- import/unit.c ------------------------------------------------------ */

/* The type by the name of the file, or of the directory of a drop-in; `wanted` as in the unit. */
void unit_of_file(struct unit *u, const char *file, const char *wanted);
/* "# /etc/systemd/system/x.service": a heading of systemctl cat. 0, or -1 when it is
 * of a second unit. */
int unit_of_comment(struct fault *f, struct unit *u, struct slice comment);
/* A section begins. 0 or -1. */
int unit_section(struct fault *f, struct unit *u, struct slice section);
/* No section was of the type; always -1. */
int unit_no_section(struct fault *f, const struct unit *u);
/* A key about devices that systemd would not read, or not here. 0 or -1. */
int unit_check_key(struct fault *f, const struct unit *u, const char *key);

/* ---- import/unit_line.c ------------------------------------------------- */

bool unit_is_comment(struct slice s);
/* The line with those that continue it: it ends in a backslash. Comments between them are
 * passed over. */
struct slice unit_joined(struct lines *l);
/* Cuts off the first word, without its quotes, which may stand around any part of it. 0 or -1. */
int unit_word(struct fault *f, struct slice *rest, struct slice *word);

/* ---- import/unit_name.c ------------------------------------------------- */

/* Is this the file of a unit of that name: its own, or its template's? */
bool unit_is_file_of(struct slice file, const char *unit);
/* A device with its specifiers expanded, those that are of the unit's name. 0 or -1. */
int unit_expand(struct fault *f, const char *unit, struct slice text, struct slice *out);

#endif
