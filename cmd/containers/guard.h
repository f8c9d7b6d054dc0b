/* guard.h - guard.yaml: which containers and cgroups get which policy. */
#ifndef DEVGUARD_CMD_CONTAINERS_GUARD_H
#define DEVGUARD_CMD_CONTAINERS_GUARD_H

#include <jansson.h>

#include "cmd/unit.h"
#include "policy/manifest/manifest.h"

/* ---- guard.c --------------------------------------------------------------------------- */

/* Is this the name of a manifest (.yaml, .yml)? */
bool manifest_named(const char *path);

/* Reads guard.yaml; the manifest and what it needs for messages live in `keep`,
 * which must outlive them. trusted: only if root alone can have written it (an
 * absolute path). STATUS_OK or a status with diagnostics. */
int manifest_load(struct cmd *c, struct arena *keep, const char *path, bool trusted,
                  struct manifest **m);

/* Loads the policy of a ruling with its parameters, mode and audit (those of the
 * command line go over them). STATUS_OK or a status with diagnostics at the place
 * in the manifest. *path, if not NULL, is the file it came from. */
int ruling_load(struct cmd *c, const struct settings *given, const struct manifest *m, const struct ruling *r,
                const struct load *l, struct unit *u, const char **path);

/* `check guard.yaml`: the manifest, whether the hook will trust it, and each policy it may choose.
 * engine: a position in manifest_engines(), whose hooks will read it, or -1. */
int check_manifest(struct cmd *c, const char *path, int engine, json_t *item);

/* The same without a report, and only if the manifest is trusted. STATUS_OK or a
 * status with diagnostics that were shown. */
int prove_manifest(struct cmd *c, const char *path);

/* ---- guard_apply.c ---------------------------------------------------------------- */

/* `apply --config guard.yaml`: all cgroups there are now. */
int apply_manifest(struct cmd *c, const char *path, bool dry_run);

#endif
