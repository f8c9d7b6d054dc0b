/* access.c - the words of an access: `c`, `1:3`, `rw`; what is wrong with one, and how it is
 * written. */
#include "policy/access.h"
#include "policy/text.h"

#include <string.h>

#define LETTERS_HINT "letters are r, w and m"

/* ---- letters --------------------------------------------------------------- */

static int access_bit(char c)
{
	return c == 'r' ? ACC_READ : c == 'w' ? ACC_WRITE : c == 'm' ? ACC_MKNOD : 0;
}

/* Set of ACC_*, or -1 with the offset of the letter that is wrong. */
static int scan_access(struct slice letters, size_t *bad)
{
	int set = 0;
	for (size_t i = 0; i < letters.n; i++) {
		int bit = access_bit(letters.s[i]);
		*bad = i;
		if (!bit || set & bit)
			return -1;
		set |= bit;
	}
	*bad = 0;
	return set ? set : -1;
}

int access_parse(const char *letters)
{
	size_t bad;
	return scan_access((struct slice){letters, strlen(letters)}, &bad);
}

int read_access(struct fault *f, struct slice letters)
{
	size_t bad;
	int set = scan_access(letters, &bad);
	if (set >= 0)
		return set;
	if (access_bit(letters.s[bad]))
		return fault_set(f, "write each letter once", "access letter '%c' is written twice",
		                 letters.s[bad]);
	return fault_set(f, LETTERS_HINT, "unknown access letter '%s'",
	                 text_safe(f->arena, letters.s + bad, 1, 4));
}

const char *access_text(int access, char *buf)
{
	char *at = buf;
	if (access & ACC_READ)
		*at++ = 'r';
	if (access & ACC_WRITE)
		*at++ = 'w';
	if (access & ACC_MKNOD)
		*at++ = 'm';
	if (at == buf)
		*at++ = '-';
	*at = '\0';
	return buf;
}

/* ---- types and numbers -------------------------------------------------------- */

int types_of(char type)
{
	return type == 'c' ? DEV_CHAR : type == 'b' ? DEV_BLOCK : DEV_CHAR | DEV_BLOCK;
}

/* Sets a fault when access letters are glued to MAJOR:MINOR: 0 or -1. */
static int letters_glued(struct fault *f, char type, struct slice numbers)
{
	size_t n = numbers.n;
	while (n > 0 && access_bit(numbers.s[n - 1]))
		n--;
	if (n == numbers.n || n == 0 || !strchr("0123456789*", numbers.s[n - 1]))
		return 0;
	char *head = text_safe(f->arena, numbers.s, n, 64);
	char *letters = text_safe(f->arena, numbers.s + n, numbers.n - n, 16);
	return fault_set(f, arena_printf(f->arena, "write \"%c %s %s\"", type, head, letters),
	                 "missing space before the access letters \"%s\"", letters);
}

int read_pair(struct fault *f, char type, struct slice numbers, const char *hint, struct slice *major,
              struct slice *minor)
{
	if (!split_numbers(numbers, major, minor))
		return fault_set(f, hint, "missing ':' in %s", text_quoted(f->arena, numbers));
	return letters_glued(f, type, numbers);
}

int not_a_type(struct fault *f, struct slice first, bool numbers_follow, const char *types)
{
	const char *text = text_safe(f->arena, first.s, first.n, 64);
	bool typed = first.n > 1 && strchr("cba", first.s[0]) && strchr("0123456789*", first.s[1]);
	bool colon = slice_has(first, ':');
	if (colon && typed)
		return fault_set(f, arena_printf(f->arena, "write \"%c %s\"", text[0], text + 1),
		                 "missing space after the device type in \"%s\"", text);
	if (colon && strchr("0123456789*", first.s[0]))
		return fault_set(f,
		                 arena_printf(f->arena, "write \"c %s\" or \"b %s\"", text, text),
		                 "missing device type before \"%s\"", text);
	if (numbers_follow)
		return fault_set(f, types, "unknown device type \"%s\"", text);
	if (slice_has(first, '/') && !colon)
		return fault_set(f,
		                 arena_printf(f->arena, "a device path is absolute: \"/%s\"", text),
		                 "path \"%s\" does not start with '/'", text);
	return 0;
}
