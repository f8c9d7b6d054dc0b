/* known.h - the devices that have a name in the language (devices.def), and how a name or a
 * path becomes one of them. */
#ifndef DEVGUARD_POLICY_KNOWN_H
#define DEVGUARD_POLICY_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct slice;

enum known_form { FORM_KNOWN, FORM_SERIES, FORM_DISKS, FORM_HERE, FORM_LOOKUP };

struct known_device {
	enum known_form form;
	const char *name;    /* the symbol, or what stands in it before a number or letters */
	const char *numbers; /* "c 1:3"; of disks their majors; the text of a lookup */
	char type;           /* c, b */
	int major, minor, step, first, count; /* of disks: step minors, count disks of a major */
	const char *path;    /* below /dev; "": there are many */
	const char *group;   /* what /proc/devices calls it, "" */
	const char *module;  /* what makes them, "" */
	const char *what;    /* a few words */
};
extern const struct known_device known_devices[];
extern const size_t known_devices_n;

/* As the table has the name of a KNOWN symbol, or NULL. */
const struct known_device *known_symbol(struct slice name);
/* The text that finds what a symbol without fixed numbers means, or NULL. */
const struct known_device *known_lookup(struct slice name);
/* The fixed numbers ("c 188:0") of a symbol; of a path below /dev, one device alone; or NULL. */
const char *known_numbers(struct arena *a, struct slice name);
const char *known_path_numbers(struct arena *a, struct slice path);
/* The family of a symbol or path whose numbers the host tells, or NULL; and in *path the
 * device's path. */
const struct known_device *known_here(struct arena *a, struct slice name, const char **path);
const struct known_device *known_path_here(struct slice path);
/* The other way: what is known to have these numbers, below /dev ("null", "sda3"); what has exactly
 * the numbers of a text ("c 136:*": its symbol). NULL: nothing. */
const char *known_name_of(struct arena *a, char type, int64_t major, int64_t minor);
const char *known_name_of_numbers(const char *numbers);
/* The symbol that has exactly the numbers of a text, or NULL. */
const char *known_symbol_of(const char *numbers);
/* The series that a name with a number out of its range is of, or NULL. */
const struct known_device *known_series(struct slice name);
/* The first of a family of that name, as a symbol: nvme0n1 of nvme; NULL: there is no such family. */
const char *known_first(struct arena *a, struct slice family);

#endif
