/* log.c - what a raw program did, effect by effect. */
#include "compiler/raw/world.h"

#include <inttypes.h>
#include <string.h>

static const void *copy_of(struct arena *a, const void *bytes, size_t n)
{
	char *copy = arena_alloc(a, n + 1);
	return n ? memcpy(copy, bytes, n) : copy;
}

void raw_log_add(struct raw_log *log, const struct raw_effect *effect)
{
	struct raw_effect *e = ARENA_PUSH(log->arena, log->effects, log->n, log->cap);
	*e = *effect;
	e->key = copy_of(log->arena, effect->key, effect->nkey);
	e->value = copy_of(log->arena, effect->value, effect->nvalue);
	e->text = copy_of(log->arena, effect->text, effect->ntext);
}

static bool same_bytes(const void *x, size_t nx, const void *y, size_t ny)
{
	return nx == ny && (!nx || !memcmp(x, y, nx));
}

static bool same(const struct raw_effect *x, const struct raw_effect *y)
{
	return x->kind == y->kind && x->map == y->map && same_bytes(x->key, x->nkey, y->key, y->nkey) &&
	       same_bytes(x->value, x->nvalue, y->value, y->nvalue) && same_bytes(x->text, x->ntext, y->text, y->ntext) &&
	       x->nnumbers == y->nnumbers && !memcmp(x->numbers, y->numbers, x->nnumbers * sizeof *x->numbers);
}

static void put_bytes(FILE *out, const char *what, const unsigned char *bytes, size_t n)
{
	if (n)
		fprintf(out, " %s ", what);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", bytes[i]);
}

const char *raw_effect_text(struct arena *a, const struct raw *r, const struct raw_effect *e)
{
	static const char *const words[] = {"print", "put", "add", "delete", "out", "lost"};
	struct arena_stream s;
	FILE *out = arena_stream(a, &s);
	fprintf(out, "%s", words[e->kind]);
	if (e->kind != EFFECT_PRINT)
		fprintf(out, " %s", e->map < r->nmaps ? r->maps[e->map].name : "?");
	else
		fprintf(out, " \"%.*s\"", (int)e->ntext, e->text);
	put_bytes(out, "key", e->key, e->nkey);
	put_bytes(out, "value", e->value, e->nvalue);
	for (size_t i = 0; i < e->nnumbers; i++)
		fprintf(out, " %" PRId64, e->numbers[i]);
	fprintf(out, " (line %d)", e->line);
	return arena_text(a, &s);
}

const char *raw_log_difference(const struct raw *r, const struct raw_log *x, const struct raw_log *y)
{
	struct arena *a = x->arena;
	for (size_t i = 0; i < x->n || i < y->n; i++)
		if (i >= x->n || i >= y->n || !same(&x->effects[i], &y->effects[i]))
			return arena_printf(a, "effect %zu: %s, and %s", i + 1,
			                    i < x->n ? raw_effect_text(a, r, &x->effects[i]) : "none",
			                    i < y->n ? raw_effect_text(a, r, &y->effects[i]) : "none");
	if (x->result != y->result)
		return arena_printf(a, "result: %" PRId64 ", and %" PRId64, x->result, y->result);
	return NULL;
}
