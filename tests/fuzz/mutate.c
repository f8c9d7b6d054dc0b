/*
 * mutate.c - how libFuzzer makes new texts, besides what it does by itself: a word, number
 * or operator becomes another of its kind, so that many are still what their reader knows;
 * and of two texts some lines of each.
 */
#include "tests/fuzz/mutate.h"

#include <ctype.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

enum kind { NUMBER, OPERATOR, METHOD, WORD, OTHER, KINDS = OTHER };
struct token { enum kind kind; size_t at, n; };

static const char *const numbers[] = {"0", "1", "2", "3", "7", "8", "10", "63", "64", "195", "255", "-1", "-8", "4095", "1048575",
                                      "4294967295", "9223372036854775807", "1.5", "0x80000000"};
static const char *const operators[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">",
                                        ">=", "<=>", "&&", "||", "**", "..", "...", "=", "=>"};
static const char *const methods[] = {
	"major", "minor", "uid", "gid", "pid", "tid", "uptime", "comm", "cgroup_id", "read?", "write?", "mknod?", "char?",
	"block?", "include?", "any?", "all?", "none?", "map", "select", "reject", "min", "max", "sum", "size", "first", "last",
	"abs", "zero?", "even?", "odd?", "divmod", "succ", "pred", "nil?", "to_i", "to_s", "to_a", "key?", "fetch", "count",
	"sort", "uniq", "reverse", "inject", "each", "zip", "take", "drop", "between?", "clamp", "positive?", "cover?",
	"index", "empty?", "compact", "flatten", "rotate", "each_slice", "each_with_index", "find", "partition", "start_with?",
	"values", "keys", "dig", "freeze", "dup", "floor", "round", "ceil", "modulo", "div", "eql?", "equal?", "is_a?", "then"};
static const char *const words[] = {"allow", "deny", "if", "unless", "true", "false", "nil", "and", "or", "not", "ctx"};
#define LIST(a) {a, sizeof a / sizeof *a}
static const struct { const char *const *words; size_t n; } lists[KINDS] = {
	[NUMBER] = LIST(numbers), [OPERATOR] = LIST(operators), [METHOD] = LIST(methods), [WORD] = LIST(words)};

static unsigned next(unsigned *seed, size_t below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % (unsigned)below;
}

static bool is_word(int c)
{
	return isalnum(c) || c == '_' || c == '?';
}

/* The token at a place. */
static struct token token_at(const uint8_t *s, size_t size, size_t at)
{
	static const char signs[] = "+-*/%&|^<>=!.";
	struct token t = {OTHER, at, 1};
	if (is_word(s[at])) {
		t.kind = isdigit(s[at]) ? NUMBER : at && s[at - 1] == '.' ? METHOD : WORD;
		while (at + t.n < size && is_word(s[at + t.n]))
			t.n++;
	} else if (s[at] && strchr(signs, s[at])) {
		while (at + t.n < size && s[at + t.n] && strchr(signs, s[at + t.n]))
			t.n++;
		t.kind = t.n == 1 && s[at] == '.' ? OTHER : OPERATOR;
	}
	return t;
}

/* Any of them, of that kind (OTHER: of every kind), each as likely; n 0: there is none. */
static struct token any_token(const uint8_t *s, size_t size, enum kind kind, unsigned *seed)
{
	struct token chosen = {.kind = OTHER};
	size_t seen = 0;
	for (size_t at = 0; at < size;) {
		struct token t = token_at(s, size, at);
		at += t.n;
		if (t.kind != OTHER && (kind == OTHER || kind == t.kind) && !next(seed, ++seen))
			chosen = t;
	}
	return chosen;
}

size_t mutate_word(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct token t = any_token(data, size, OTHER, &seed);
	uint8_t copy[64];
	const void *to = copy;
	if (!t.n)
		return LLVMFuzzerMutate(data, size, max);
	struct token from = any_token(data, size, t.kind, &seed);
	size_t n = from.n < sizeof copy ? from.n : sizeof copy;
	memcpy(copy, data + from.at, n);
	if (next(&seed, 2)) {
		const char *word = lists[t.kind].words[next(&seed, lists[t.kind].n)];
		n = strlen(word);
		to = word;
	}
	if (size - t.n + n > max)
		return LLVMFuzzerMutate(data, size, max);
	memmove(data + t.at + n, data + t.at + t.n, size - t.at - t.n);
	memcpy(data + t.at, to, n);
	return size - t.n + n;
}

size_t mutate_lines(const uint8_t *x, size_t nx, const uint8_t *y, size_t ny, uint8_t *out, size_t max, unsigned seed)
{
	struct { const uint8_t *at; size_t n; } texts[2] = {{x, nx}, {y, ny}};
	size_t len = 0;
	while (texts[0].n || texts[1].n) {
		int which = texts[0].n && (!texts[1].n || next(&seed, 2)) ? 0 : 1;
		const uint8_t *newline = memchr(texts[which].at, '\n', texts[which].n);
		size_t n = newline ? (size_t)(newline - texts[which].at) + 1 : texts[which].n;
		if (next(&seed, 2) && n <= max - len) {
			memcpy(out + len, texts[which].at, n);
			len += n;
		}
		texts[which].at += n;
		texts[which].n -= n;
	}
	return len;
}
