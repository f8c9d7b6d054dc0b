/* cdi.h - what is read of a specification of CDI, whoever asks. Private to policy/. */
#ifndef DEVGUARD_POLICY_IMPORT_CDI_H
#define DEVGUARD_POLICY_IMPORT_CDI_H

#include "policy/import/internal.h"
#include "policy/yaml.h"

struct cdi_spec {
	struct yaml y;
	struct foreign *out;
	struct slice kind;           /* "vendor.com/gpu" */
	const struct yaml_node *devices;
	struct foreign_entry entry;  /* what all its nodes have in common */
	const char *name;            /* of the device, where a list names it: the place is the list's */
};

/* ---- import/cdi.c -------------------------------------------------------- */

/* Its kind and its devices; -1 with an error. */
int cdi_open(struct cdi_spec *v, const struct yaml_node *root);
/* The names of its devices, for a hint. */
const char *cdi_names(const struct cdi_spec *v);
/* How many of its devices have that name, with the kind or without. */
size_t cdi_count(const struct cdi_spec *v, const char *name);
/* Adds the nodes of one of its devices, by name (NULL: all of them). Errors in the diagnostics. */
void cdi_give(struct cdi_spec *v, const char *name);
/* Adds the nodes that come with each of its devices. */
void cdi_give_common(struct cdi_spec *v, const struct yaml_node *root);

#endif
