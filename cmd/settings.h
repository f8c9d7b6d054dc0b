/* settings.h - what is said over a policy from outside: by options, or by a manifest's ruling. */
#ifndef DEVGUARD_CMD_SETTINGS_H
#define DEVGUARD_CMD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/limits.h"

struct param_setting;

struct settings {
	struct param_setting *params; /* --param, in the order given */
	size_t nparams, params_cap;
	int mode, audit;              /* --mode, --audit: 1 + value, 0 as the policy says */
	uint32_t ring;                /* --ring: bytes, 0 as it is */
	struct limits limits;         /* --limit: what compiling may take */
	const char *limits_given;     /* its text, NULL: it was not given */
	bool unconfined;              /* --unconfined: also where it cannot be locked in */
	const char *exe_root;         /* a container's root directory, where the files that it names are (--exe-root); NULL: here */
};

#endif
