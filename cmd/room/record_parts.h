/* record_parts.h - what the files of records share. */
#ifndef DEVGUARD_CMD_ROOM_RECORD_PARTS_H
#define DEVGUARD_CMD_ROOM_RECORD_PARTS_H

#include "cmd/room/record.h"

struct block { const void *data; size_t len; };

/* ---- record_parts.c ------------------------------------------------------------------------ */

struct texts {
	struct arena *arena;
	char *data;
	size_t n, cap;
	const char *last; /* files repeat */
	uint32_t last_at;
};
/* The place of a text: 1 + its offset, 0 of NULL; of a file, which repeats. */
uint32_t part_text(struct texts *t, const char *s);
uint32_t part_file(struct texts *t, const char *s);

struct reader {
	struct arena *arena;
	const unsigned char *at, *end;
	const char *texts;
	uint64_t ntexts;
	bool bad;
};
/* The next n things as a copy; the first that is not there spoils the whole. */
void *part_take(struct reader *r, uint64_t n, size_t size);
/* The block of texts ends in a 0, so every place in it is the start of a text. NULL: there is none. */
const char *part_text_at(struct reader *r, uint32_t place);
const char *part_some_text(struct reader *r, uint32_t place);
void part_must(struct reader *r, bool holds);
struct span part_place(struct reader *r, uint32_t file, int32_t line, int32_t column);

/* ---- record_raw.c -------------------------------------------------------------------------- */

/* A raw program as the parent needs it: section, license, maps, what it prints, values that a request must give; not
 * what it computes. Nothing: a policy of rules. */
struct block put_raw(struct arena *a, const struct raw *raw, struct texts *t);
/* From as many bytes, after the texts were read: its texts are places. */
struct raw *get_raw(struct reader *r, const void *data, size_t len);

#endif
