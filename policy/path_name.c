/* path_name.c - paths as a policy compares them: as names. */
#include "policy/asked.h"
#include "policy/text.h"

#include <string.h>

int64_t path_value(const char *path, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)path[i]) * 0x100000001b3u;
	h &= INT64_MAX;
	return h ? (int64_t)h : 1;
}

const char *path_fault(const char *path, size_t n)
{
	if (!n || path[0] != '/')
		return "it is not absolute";
	if (n > PATH_NAME_MAX)
		return "it is longer than 255 bytes";
	if (text_unsafe(path, n) < n)
		return "it has bytes that cannot be shown";
	if (memchr(path, '"', n))
		return "it has a quotation mark";
	if (n == 1)
		return NULL;
	for (size_t i = 1, end; i <= n; i = end + 1) {
		for (end = i; end < n && path[end] != '/'; end++)
			;
		size_t len = end - i;
		if (!len)
			return end == n ? "it ends with a slash" : "it has two slashes in a row";
		if (path[i] == '.' && (len == 1 || (len == 2 && path[i + 1] == '.')))
			return "it has a part that is . or ..";
	}
	return NULL;
}
