/* learn.c - recorded requests, added up. One step for each request; n log n to put them in order. */
#include "policy/learn.h"
#include "policy/arena.h"
#include "policy/utf8.h"

#include <stdlib.h>
#include <string.h>

void learned_start(struct arena *a, unsigned by, struct learned *out)
{
	*out = (struct learned){.arena = a, .by = by};
}

void learned_count(uint64_t *sum, uint64_t n)
{
	*sum = n > LEARN_COUNT_MAX || *sum > LEARN_COUNT_MAX - n ? LEARN_COUNT_MAX : *sum + n;
}

bool learned_same_exe(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool learned_exe_fits(const char *path)
{
	size_t n = 0;
	if (*path != '/' || !path[1])
		return false;
	for (; path[n]; n++)
		if (path[n] <= ' ' || path[n] > '~' || strchr("\"\\#,", path[n]) || n >= LEARN_PATH_MAX)
			return false;
	return true;
}

static uint32_t hash_of(int type, int access, int64_t major, int64_t minor, int64_t uid, const char *exe)
{
	uint64_t h = table_mix((uint64_t)type << 8 | (uint64_t)access, (uint64_t)major << 32 | (uint64_t)minor);
	h = table_mix(h, (uint64_t)uid);
	for (const char *at = exe ? exe : ""; *at; at++)
		h = table_mix(h, (unsigned char)*at);
	return (uint32_t)h;
}

struct learned_request *learned_request(struct learned *l, int type, int access, int64_t major, int64_t minor, int64_t uid, const char *exe)
{
	uint32_t h = hash_of(type, access, major, minor, uid, exe);
	for (struct table_look look = table_look(&l->unique, h); table_next(&l->unique, &look);) {
		struct learned_request *r = &l->list[look.place];
		if (r->type == type && r->access == access && r->major == major && r->minor == minor && r->uid == uid &&
		    learned_same_exe(r->exe, exe))
			return r;
	}
	table_add(&l->unique, l->arena, h, (uint32_t)l->n);
	struct learned_request *r = ARENA_APPEND(l->arena, l->list, l->n, l->cap);
	*r = (struct learned_request){.type = type, .access = access, .major = major, .minor = minor, .uid = uid,
	                              .exe = exe ? arena_strdup(l->arena, exe) : NULL};
	return r;
}

/* The name as it may be shown: at most 4 bytes for one. */
static void safe_name(const char comm[LEARN_COMM], char out[4 * LEARN_COMM + 1])
{
	size_t n = strnlen(comm, LEARN_COMM), len;
	for (size_t i = 0; i < n; i += len) {
		len = utf8_shown(comm + i, n - i);
		if (len)
			memcpy(out, comm + i, len);
		else
			snprintf(out, sizeof "\\xNN", "\\x%02X", (unsigned char)comm[i]);
		out += len ? len : sizeof "\\xNN" - 1;
		len = len ? len : 1;
	}
	*out = '\0';
}

void learned_named(struct learned *l, struct learned_request *r, const char *name, uint64_t count)
{
	struct learned_program *p = r->programs;
	size_t at = 0;
	while (at < r->nprograms && strcmp(p[at].name, name) < 0)
		at++;
	if (at < r->nprograms && !strcmp(p[at].name, name)) {
		learned_count(&p[at].count, count);
		return;
	}
	if (r->nprograms == LEARN_PROGRAMS_MAX) {
		learned_count(&r->others, count);
		return;
	}
	ARENA_PUSH(l->arena, r->programs, r->nprograms, r->programs_cap);
	p = r->programs + at;
	memmove(p + 1, p, (r->nprograms - 1 - at) * sizeof *p);
	*p = (struct learned_program){arena_strdup(l->arena, name), count};
}

void learned_by(struct learned *l, struct learned_request *r, const char comm[LEARN_COMM], uint64_t count)
{
	char shown[4 * LEARN_COMM + 1];
	safe_name(comm, shown);
	learned_named(l, r, shown, count);
}

static int by_device(const void *x, const void *y)
{
	const struct learned_request *a = x, *b = y;
	const int64_t keys[][2] = {
		{b->type, a->type}, {a->major, b->major}, {a->minor, b->minor}, {a->access, b->access}, {a->uid, b->uid}};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return a->exe && b->exe ? strcmp(a->exe, b->exe) : !a->exe - !b->exe;
}

void learned_sort(struct learned *l)
{
	if (l->n)
		qsort(l->list, l->n, sizeof *l->list, by_device);
	l->unique = (struct table){0};
	for (size_t i = 0; i < l->n; i++) {
		const struct learned_request *r = &l->list[i];
		table_add(&l->unique, l->arena, hash_of(r->type, r->access, r->major, r->minor, r->uid, r->exe), (uint32_t)i);
	}
}

uint64_t learned_times(const struct learned_request *r)
{
	uint64_t sum = 0;
	learned_count(&sum, r->allowed);
	learned_count(&sum, r->denied);
	learned_count(&sum, r->permitted);
	return sum;
}

uint64_t learned_total(const struct learned *l)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < l->n; i++)
		learned_count(&sum, learned_times(&l->list[i]));
	return sum;
}

bool learned_passed(const struct learned_request *r)
{
	return r->allowed || r->permitted;
}

uint64_t learned_open_denied(struct learned *l)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < l->n; i++)
		if (!learned_passed(&l->list[i])) {
			l->list[i].permitted = l->list[i].denied;
			l->list[i].denied = 0;
			learned_count(&sum, l->list[i].permitted);
		}
	return sum;
}
