/* each.h - several programs of the kernel, read once, in one child: each can be asked about, and all
 * together. */
#ifndef DEVGUARD_CMD_EACH_H
#define DEVGUARD_CMD_EACH_H

#include "cmd/source.h"
#include "cmd/unit.h"

/* One of them, or all. */
struct program_unit {
	uint32_t id;         /* of the program; 0: all together */
	const char *failed;  /* NULL, or why it cannot be read: then it cannot be asked */
	const char *hint;    /* what to do about that, or NULL */
	bool turns;          /* it cannot be read, and may open what others deny */
	const char *unknown; /* what it decides by that is not understood: a line each, "": nothing */
	struct unit unit;    /* for unit_ask() and unit_listing(), until programs_end() */
};
struct program_units {
	struct program_unit *list, together;
	size_t n;
	struct room *judge;
};

/* These programs. One that cannot be read is no failure of the others, but then all together are not told
 * either. Of a host program the unit allows what it opens. `source` is what they are called in messages.
 * STATUS_OK or a status with diagnostics: none can be told. */
int programs_load(struct cmd *c, const struct settings *s, const char *source, const struct source_programs *of,
                  struct program_units *out);
/* Ends who answers for them: a command has few such children at a time. */
void programs_end(struct program_units *all);

#endif
