/*
 * near.c - words that are nearly another: a key its tool would pass over,
 * or take for something else, where its author meant one about devices.
 */
#include "policy/import/internal.h"

#include <string.h>

char *foreign_plain(struct arena *a, struct slice word)
{
	char *plain = arena_alloc(a, word.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.s[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			plain[n++] = c;
	}
	plain[n] = '\0';
	return plain;
}

const char *foreign_near(struct arena *a, struct slice word, const char *const *known, size_t n)
{
	const char **plain = arena_alloc(a, (n + 1) * sizeof *plain);
	for (size_t i = 0; i < n; i++)
		plain[i] = foreign_plain(a, (struct slice){known[i], strlen(known[i])});
	const char *near = did_you_mean(foreign_plain(a, word), plain, n);
	for (size_t i = 0; near && i < n; i++)
		if (plain[i] == near)
			return known[i];
	return NULL;
}
