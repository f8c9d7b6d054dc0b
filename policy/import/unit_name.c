/*
 * unit_name.c - what a unit's name says: which file is its own, and the specifiers that are
 * made of it.
 */
#include "policy/import/systemd.h"

#include <string.h>

/* "foo-bar@tty1.service" as "foo-bar", "tty1" and ".service"; no instance: at is NULL. */
struct unit_name {
	struct slice prefix, instance, suffix;
	bool at;
};

static struct unit_name split(struct slice name)
{
	const char *dot = memrchr(name.s, '.', name.n), *at = memchr(name.s, '@', name.n);
	size_t stem = dot ? (size_t)(dot - name.s) : name.n;
	struct unit_name n = {.prefix = {name.s, stem}, .suffix = {name.s + stem, name.n - stem}};
	if (!at || (size_t)(at - name.s) >= stem)
		return n;
	n.at = true;
	n.prefix.n = (size_t)(at - name.s);
	n.instance = (struct slice){at + 1, stem - n.prefix.n - 1};
	return n;
}

static bool same(struct slice a, struct slice b)
{
	return a.n == b.n && !memcmp(a.s, b.s, a.n);
}

bool unit_is_file_of(struct slice file, const char *unit)
{
	struct slice name = {unit, strlen(unit)};
	struct unit_name have = split(file), want = split(name);
	return same(file, name) || (have.at && want.at && !have.instance.n && same(have.prefix, want.prefix) &&
	                            same(have.suffix, want.suffix));
}

/* ---- specifiers ---------------------------------------------------------------------- */

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `-` is a slash there, and \xNN a byte. */
static struct slice unescaped(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		bool byte = s.n - i > 3 && s.s[i] == '\\' && s.s[i + 1] == 'x' && hex(s.s[i + 2]) >= 0 && hex(s.s[i + 3]) >= 0;
		out[n++] = byte ? (char)(hex(s.s[i + 2]) * 16 + hex(s.s[i + 3])) : s.s[i] == '-' ? '/' : s.s[i];
		i += byte ? 3 : 0;
	}
	return (struct slice){out, n};
}

static struct slice last_word(struct slice prefix)
{
	const char *dash = memrchr(prefix.s, '-', prefix.n);
	return dash ? (struct slice){dash + 1, prefix.n - (size_t)(dash + 1 - prefix.s)} : prefix;
}

static int expand_one(struct fault *f, const struct unit_name *n, const char *unit, char letter, struct slice *out)
{
	struct arena *a = f->arena;
	bool of_instance = strchr("iIf", letter) != NULL;
	if (!strchr("iIfnNpPjJ", letter))
		return fault_set(f, "write the value out", "the specifier %%%c is not expanded", letter);
	if (!unit)
		return fault_set(f, "say which unit it is: --unit NAME.service", "the specifier %%%c needs the unit's name", letter);
	if (of_instance && !n->instance.n)
		return fault_set(f, arena_printf(a, "say which instance: --unit %.*s@INSTANCE%.*s", (int)n->prefix.n, n->prefix.s,
		                                 (int)n->suffix.n, n->suffix.s),
		                 "the specifier %%%c needs an instance", letter);
	*out = letter == 'n'   ? (struct slice){unit, strlen(unit)}
	       : letter == 'N' ? (struct slice){unit, strlen(unit) - n->suffix.n}
	       : letter == 'p' ? n->prefix
	       : letter == 'P' ? unescaped(a, n->prefix)
	       : letter == 'j' ? last_word(n->prefix)
	       : letter == 'J' ? unescaped(a, last_word(n->prefix))
	       : letter == 'i' ? n->instance
	                       : unescaped(a, n->instance);
	if (letter == 'f') {
		char *path = arena_printf(a, "%s%.*s", out->n && out->s[0] == '/' ? "" : "/", (int)out->n, out->s);
		*out = (struct slice){path, strlen(path)};
	}
	return 0;
}

int unit_expand(struct fault *f, const char *unit, struct slice text, struct slice *out)
{
	enum { LONG = 4096 };
	struct unit_name n = unit ? split((struct slice){unit, strlen(unit)}) : (struct unit_name){.at = false};
	char *made = arena_alloc(f->arena, LONG);
	size_t len = 0;
	for (size_t i = 0; i < text.n; i++) {
		struct slice part = {text.s + i, 1};
		if (text.s[i] == '%' && i + 1 == text.n)
			return fault_set(f, "write %% for a percent sign", "a %% at the end of %s", text_quoted(f->arena, text));
		if (text.s[i] == '%' && text.s[++i] != '%' && expand_one(f, &n, unit, text.s[i], &part))
			return -1;
		if (part.n >= LONG - len)
			return fault_set(f, "give a shorter name", "the path is too long");
		memcpy(made + len, part.s, part.n);
		len += part.n;
	}
	*out = (struct slice){made, len};
	return text_check(f, made, len);
}
