/* classes.h - the devices that a policy treats alike. */
#ifndef DEVGUARD_POLICY_CLASSES_H
#define DEVGUARD_POLICY_CLASSES_H

#include "policy/interval.h"
#include "policy/rules.h"

/* What may be asked of a device at once: where no rule reads ctx.requested, one access
 * (none, m, r, w); else a set of them. */
enum { ASKED_MAX = ACC_ALL + 1 };

/* Devices of one type: each of the major numbers with each of the minor numbers. */
struct block_of_devices {
	int type; /* DEV_BLOCK or DEV_CHAR */
	const struct interval *majors, *minors; /* ascending, disjoint */
	size_t nmajors, nminors;
};

/* Devices whose requests are all decided alike. */
struct device_class {
	node answer[ASKED_MAX];      /* by what is asked (classes.asked): about facts, free variables */
	struct block_of_devices *blocks; /* ascending: character devices behind block devices */
	size_t nblocks;
	uint64_t devices[DEV_CHAR + 1];  /* how many there are, by type */
};

struct device_classes {
	struct diagrams *dg;
	const int *asked; /* sets of ACC_*, nasked of them */
	int nasked;
	struct device_class *list; /* each device of the domain is in one */
	size_t n;
};

/* The classes of a policy whose diagrams have the order ORDER_FACTS_LAST. False: there are more
 * than `most`, or their devices have more than some ten thousand pieces. Needs time for each
 * piece times the pieces of an answer. */
bool device_classes(struct arena *a, const struct policy_diagram *pd, size_t most, struct device_classes *out);

#endif
