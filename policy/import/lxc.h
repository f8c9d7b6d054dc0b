/*
 * lxc.h - what the readers of LXC's and Proxmox's files share. Private to
 * policy/.
 */
#ifndef DEVGUARD_POLICY_IMPORT_LXC_H
#define DEVGUARD_POLICY_IMPORT_LXC_H

#include "policy/import/include.h"
#include "policy/import/internal.h"

struct lxc_config {
	struct diags *d;
	struct foreign *out;
	struct includes open;
	bool lxc;         /* it has a key of LXC */
	bool seen[2];     /* lines about devices, of cgroup v1 and of v2 */
	bool reset[2];    /* one of them had no value: what stood before is forgotten */
	size_t forgotten[2][2]; /* of a version and a verb: entries before that */
};

/* ---- import/lxc_keys.c ------------------------------------------------------- */

/* One key with its value. 0 or -1. */
int lxc_key(struct lxc_config *c, const struct lines *l, struct fault *f, struct slice key, struct slice value);
/* The lines of a file of LXC's own form. */
void lxc_read_text(struct lxc_config *c, const char *file, struct slice text);
/* After all of it: drops what was forgotten. */
void lxc_forget(struct lxc_config *c);
/* Then: which keys are the list, and what it means when it is empty. */
void lxc_conclude(struct lxc_config *c);

/* ---- import/proxmox.c --------------------------------------------------- */

/* Is it a file of Proxmox, rather than one of LXC itself? */
bool lxc_is_proxmox(struct slice text);

#endif
