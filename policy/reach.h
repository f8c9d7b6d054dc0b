/* reach.h - what it means that a device can be reached, and what devices are called. */
#ifndef DEVGUARD_POLICY_REACH_H
#define DEVGUARD_POLICY_REACH_H

#include "policy/device.h"

/* The most important first. */
enum reach {
	REACH_EVERYTHING, /* all devices of a type */
	REACH_DISK, REACH_MEMORY, REACH_LOG, REACH_INPUT, REACH_HARDWARE, REACH_USB, REACH_TERMINAL,
	REACH_OTHER,      /* what has no name: drivers get many numbers when they are loaded */
	REACH_VIRTUAL, REACH_STANDARD,
	REACHES
};
extern const char *const reach_words[REACHES];

/* Some devices: each of the types (a set of DEV_*) with each of these numbers. */
struct device_run { int types; struct interval majors, minors; };

/* The most important that one of them is. */
enum reach device_reach(const struct device_run *r);

struct device_called {
	const char *name; /* "/dev/null", "/dev/tty0 to tty63", ":input"; "" */
	const char *what; /* a few words; "" */
	bool of_host;     /* numbers that each host gives otherwise */
};
/* What they are called on every host; of a run with several families: the most important. */
struct device_called device_called(struct arena *a, const struct device_run *r);
/* Splits a run of few devices of one major by what they are called: devices with a name of their own alone,
 * others as far as they are of one series, or have no name. A longer one stays. */
void device_split(struct arena *a, const struct device_run *r, struct device_run **list, size_t *n, size_t *cap);

#endif
