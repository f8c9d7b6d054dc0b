/*
 * text.h - what the readers of texts in this directory share: device patterns,
 * device names, requests and cases. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_TEXT_H
#define DEVGUARD_POLICY_TEXT_H

#include "policy/arena.h"
#include "policy/device.h"
#include "policy/request.h"

/* ---- text.c -------------------------------------------------------------- */

/* What is wrong with a text, and what to do about it: arena text, one line,
 * safe to print. error is NULL while nothing is. */
struct fault {
	struct arena *arena;
	const char *error, *hint;
};
/* Sets both (hint may be NULL and is copied); always -1. */
int fault_set(struct fault *f, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A part of a text. */
struct slice {
	const char *s;
	size_t n;
};
bool slice_is(struct slice s, const char *word);

/* Cuts the next word off *rest; blanks separate. False at the end. */
bool next_word(struct slice *rest, struct slice *word);

/* Offset of the first byte that must not be shown as it is (a control byte,
 * invalid UTF-8, a code point that reorders or breaks lines), or n. */
size_t text_unsafe(const char *s, size_t n);
/* The text with such bytes as \xNN, cut to about `limit` bytes with "...". */
char *text_safe(struct arena *a, const char *s, size_t n, size_t limit);
/* text_safe in double quotes, cut to what a message has room for. */
char *text_quoted(struct arena *a, struct slice s);
/* Sets a fault for the first unsafe byte, if there is one: 0 or -1. */
int text_check(struct fault *f, const char *s, size_t n);

/* `1:3` as what stands before and behind its first colon; false: it has none. */
bool split_numbers(struct slice numbers, struct slice *major, struct slice *minor);
/* A decimal number, 0..max, without sign and without leading zero; `what` names
 * it ("major"). 0 or -1. */
int read_number(struct fault *f, const char *what, struct slice s, uint64_t max, int64_t *out);

/* ---- device.c ------------------------------------------------------------ */

/* access_parse() of a word (never empty), with the reason. Set of ACC_* or -1. */
int read_access(struct fault *f, struct slice letters);
/* Sorts n intervals and merges those that overlap or touch; the number left. */
size_t intervals_merge(struct interval *list, size_t n);
/* Reads `c 1:3`, `b 8:0-15 rw`...: the numeric form only. */
int pattern_numeric(struct fault *f, const char *text, struct pattern *out);
/* Sets a fault when access letters are glued to MAJOR:MINOR: 0 or -1. */
int letters_glued(struct fault *f, char type, struct slice numbers);
/* Sets the fault for a first word that is no device type, where what was meant
 * can be told ("c1:3", "char" before numbers, "dev/null"): 0 or -1. `types` is
 * the hint that lists the types. */
int not_a_type(struct fault *f, struct slice first, bool numbers_follow, const char *types);

/* ---- names.c ------------------------------------------------------------- */

/* The device node at a path, as the host says. */
int device_at(struct fault *f, const struct host *h, struct slice path, int *type, int64_t *major,
              int64_t *minor);
/* The devices of a group ("char-pts", "block-*") in the text of /proc/devices. */
int device_group(struct fault *f, struct slice name, const char *listing, struct pattern *out);
/* device_group() as the host says. */
int device_group_here(struct fault *f, const struct host *h, struct slice name, struct pattern *out);
/* The name as the table of well-known devices has it, or NULL. */
const char *device_known(struct slice name);

/* ---- request.c ----------------------------------------------------------- */

/* request_parse() of a part of a text, with the hint apart. */
int request_read(struct arena *a, const struct host *h, const char *text, size_t n, struct request *r,
                 struct fault *f);

#endif
