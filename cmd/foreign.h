/* foreign.h - lists of other tools, as `import` and every verb that takes a SOURCE read them. */
#ifndef DEVGUARD_CMD_FOREIGN_H
#define DEVGUARD_CMD_FOREIGN_H

#include "policy/import/import.h"

struct cmd;

struct foreign_wish {
	enum foreign_format format;
	bool source;               /* of a SOURCE there are no options: hints name another, or the command of `import` */
	const char *file;          /* or "-"; of docker NULL where there are arguments */
	const char *part;          /* service of compose, unit of systemd, device of CDI; NULL: the only one */
	const char *const *args;   /* of docker: options and rules; of CDI: names of devices */
	size_t nargs;
	const char *const *cdi;    /* directories of specifications; none: where the engines look */
	size_t ncdi;
	bool empty_is_allow, skip_missing;
};

/* Reads a list whole, and settles what it leaves open. STATUS_OK or a status with diagnostics. */
int foreign_load(struct cmd *c, const struct foreign_wish *w, struct foreign *out);
/* Rewords the hints of a SOURCE, from that message on, where somebody else read the list. */
void foreign_reword(struct cmd *c, const struct foreign_wish *w, size_t first);
/* Is what may be a file of docker a rule or an option? */
bool foreign_is_rule(const char *word);

#endif
