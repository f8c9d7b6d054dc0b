/* serial.h - what the files that write and read the .devguard section share, each above those before it. */
#ifndef DEVGUARD_COMPILER_OBJECT_SERIAL_H
#define DEVGUARD_COMPILER_OBJECT_SERIAL_H

#include "compiler/object/internal.h"
#include "policy/raw.h"

/* ---- serial_put.c ---------------------------------------------------------------------- */

void put_fixed(struct buffer *b, uint64_t v, size_t size);
void put_number(struct buffer *b, uint64_t v);
void put_signed(struct buffer *b, int64_t v);
void put_string(struct buffer *b, const char *s);
/* The file is nearly always the policy's: 1; else a string's length is 1 more. */
void put_span(struct buffer *b, const struct policy *p, const struct span *at);

/* ---- serial_raw.c ----------------------------------------------------------------------- */

/* Of a raw program: its values, which terms read; all the rest, its terms by their numbers. */
void serial_put_values(struct buffer *b, const struct policy *p);
void serial_put_raw(struct buffer *b, const struct policy *p, const uint32_t *numbers);

/* ---- serial_get.c ----------------------------------------------------------------------- */

/* The first failure sticks in `why`; from then on every value read is 0. */
struct reader {
	struct arena *arena;
	const unsigned char *p, *end;
	const char *why;
	struct policy *policy;
	term *terms; /* by number */
	size_t nterms;
	bool task; /* it asks for the calling task */
};
uint64_t serial_fail(struct reader *r, const char *why);
uint64_t get_fixed(struct reader *r, size_t size);
uint64_t get_number(struct reader *r);
int64_t get_signed(struct reader *r);
/* A number up to `max`. */
uint64_t get_upto(struct reader *r, uint64_t max, const char *why);
/* How many things follow that take at least `size` bytes each. */
size_t get_count(struct reader *r, size_t size);
const char *get_string(struct reader *r);
/* A string that must be there. */
const char *get_text(struct reader *r);
struct span get_span(struct reader *r);
bool get_flag(struct reader *r);

/* ---- serial_asked.c ----------------------------------------------------------------------- */

/* What is asked of the calling task, before the terms that read it. */
void serial_put_asked(struct buffer *b, const struct policy *p);
void serial_get_asked(struct reader *r);
/* May an operation have these operands? A file is compared with a path that is named, and with nothing else. */
bool serial_files_ok(const struct terms *ts, enum term_op op, term a, term b);

/* ---- serial_raw_read.c --------------------------------------------------------------------- */

/* Sets policy->raw: its values, and later the rest. */
void serial_get_values(struct reader *r);
void serial_get_raw(struct reader *r);

#endif
