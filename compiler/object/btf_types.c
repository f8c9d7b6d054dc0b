/*
 * btf_types.c - types of a .BTF under construction, and the texts in it. Types are laid out by libbpf, which makes no
 * system call for that.
 */
#include "compiler/object/btf.h"
#include "policy/utf8.h"

#include <errno.h>
#include <limits.h>
#include <linux/btf.h>
#include <string.h>

char *btf_clean_text(char *out, size_t size, const char *text, bool ascii)
{
	enum { ROOM = 4 + 4 }; /* the longest character or escape, "..." and NUL */
	size_t n = 0;
	for (const char *s = text, *end = text + strlen(text); s < end;) {
		size_t len = utf8_shown(s, (size_t)(end - s));
		if (n + ROOM > size) {
			n += (size_t)snprintf(out + n, size - n, "...");
			break;
		}
		if (len && (len == 1 || !ascii)) {
			memcpy(out + n, s, len);
			n += len;
		} else if (*s == '\t') {
			out[n++] = ' ';
		} else if (ascii) {
			out[n++] = '?';
		} else {
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned char)*s);
		}
		s += len ? len : 1;
	}
	out[n] = '\0';
	return out;
}

int types_added(struct types *t, int id)
{
	if (id < 0 && !t->error)
		t->error = -id;
	return id;
}

struct types types_begin(struct arena *a)
{
	struct types t = {.btf = btf__new_empty()};
	if (!t.btf)
		arena_fail(a);
	t.u32 = types_added(&t, btf__add_int(t.btf, "unsigned int", 4, 0));
	t.u64 = types_added(&t, btf__add_int(t.btf, "unsigned long long", 8, 0));
	t.s32 = types_added(&t, btf__add_int(t.btf, "int", 4, BTF_INT_SIGNED));
	t.s64 = types_added(&t, btf__add_int(t.btf, "long long", 8, BTF_INT_SIGNED));
	t.chr = types_added(&t, btf__add_int(t.btf, "char", 1, BTF_INT_SIGNED));
	return t;
}

void types_field(struct types *t, const char *name, int type, size_t offset)
{
	types_added(t, btf__add_field(t->btf, name, type, (uint32_t)offset * CHAR_BIT, 0));
}

uint32_t types_text(struct types *t, const char *text)
{
	char clean[TEXT_MAX];
	return (uint32_t)types_added(t, btf__add_str(t->btf, btf_clean_text(clean, sizeof clean, text, false)));
}

int types_finish(struct types *t, struct arena *a, struct bytes *out)
{
	uint32_t size = 0;
	const void *raw = t->error ? NULL : btf__raw_data(t->btf, &size);
	struct buffer copy = {.arena = a};
	if (raw)
		buffer_put(&copy, raw, size);
	btf__free(t->btf);
	if (!raw && (!t->error || t->error == ENOMEM)) /* raw data only takes memory */
		arena_fail(a);
	*out = (struct bytes){copy.data, copy.n};
	return raw ? 0 : -1;
}
