/*
 * raw_record.h - keys, values and records of a raw program (raw.h): the types of their fields, where C lays
 * them out, and what their bytes mean.
 */
#ifndef DEVGUARD_POLICY_RAW_RECORD_H
#define DEVGUARD_POLICY_RAW_RECORD_H

#include "policy/arena.h"
#include "policy/raw.h"

/* ---- types -------------------------------------------------------------------------- */

/* Sets size and sign: of a type (:u8 .. :u64, :s8 .. :s64), or of a name that has one (:pid, :comm). False: no such
 * word. */
bool raw_type_of(const char *word, struct raw_field *out);
/* All such words, for messages. */
const char *const *raw_type_words(size_t *n);
static inline bool raw_is_text(const struct raw_field *f) { return f->size == COMM_SIZE; }
/* What a number of this type can be; a u64 is read as an s64. */
void raw_bounds(const struct raw_field *f, int64_t *lo, int64_t *hi);

/* ---- layout ------------------------------------------------------------------------- */

/* Where C puts such a field behind `end` bytes. */
uint32_t raw_place(uint32_t end, const struct raw_field *f);
enum raw_added { RAW_ADDED, RAW_TOO_MANY, RAW_TOO_LONG, RAW_TWICE };
/* Adds a field of this type behind the others, and makes the record as long as C makes it. The record begins as {0}.
 * What cannot be added leaves it as it was: more than RAW_ARGS fields, more than RAW_RECORD_MAX bytes, a name twice. */
enum raw_added raw_record_add(struct arena *a, struct raw_record *r, const char *name, struct raw_field type);

/* ---- bytes -------------------------------------------------------------------------- */

/* A number out of the record's bytes: with its sign, as 64 bits. */
int64_t raw_number(const struct raw_field *f, const void *record);
/* The low bytes of a number into the record. */
void raw_put_number(const struct raw_field *f, void *record, int64_t value);
/* A text in the record: up to the first NUL. */
size_t raw_text(const struct raw_field *f, const void *record, const char **text);
/* A text into the record, NULs behind it. False: it is longer than the field, or has a NUL. */
bool raw_put_text(const struct raw_field *f, void *record, const char *text, size_t n);

#endif
