/*
 * text.h - what all readers of texts in this directory share: faults, words, numbers.
 * Private to policy/.
 */
#ifndef DEVGUARD_POLICY_TEXT_H
#define DEVGUARD_POLICY_TEXT_H

#include "policy/arena.h"

#include <stdint.h>

/* What is wrong with a text, and what to do about it: arena text, one line,
 * safe to print. error is NULL while nothing is. */
struct fault {
	struct arena *arena;
	const char *error, *hint;
	bool missing; /* a device is meant that this host does not have */
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
bool slice_has(struct slice s, char c);

/* Cuts what stands before the first `at` off *rest, and that byte; without one, all of it. */
struct slice cut_at(struct slice *rest, char at);
/* Cuts the next word off *rest; blanks separate. False at the end. */
bool next_word(struct slice *rest, struct slice *word);
/* All words of a text; more than four are counted, not kept. */
struct words {
	struct slice word[4];
	size_t n;
};
struct words words_of(struct slice text);

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

#endif
