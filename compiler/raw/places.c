/* places.c - the steps of a raw program by number: lists below an `if` know what comes after them. */
#include "compiler/raw/world.h"

/* A list to be laid out, and where its first step is to be written to: a list of a place, or the whole. */
struct branch {
	const struct step *list;
	uint32_t after, owner;
	bool yes;
};
struct layout {
	struct arena *arena;
	struct raw_places *out;
	struct branch *todo;
	size_t n, cap;
};

static void later(struct layout *l, struct branch b)
{
	*ARENA_PUSH(l->arena, l->todo, l->n, l->cap) = b;
}

static void lay_out(struct layout *l, const struct branch *b)
{
	struct raw_places *p = l->out;
	uint32_t first = b->list ? (uint32_t)p->n : b->after;
	if (b->owner == PLACE_END)
		p->first = first;
	else if (b->yes)
		p->list[b->owner].yes = first;
	else
		p->list[b->owner].no = first;
	for (const struct step *s = b->list; s && p->n < RAW_PLACES_MAX; s = s->next) {
		uint32_t here = (uint32_t)p->n, next = s->next ? here + 1 : b->after;
		*ARENA_PUSH(l->arena, p->list, p->n, p->cap) = (struct raw_place){.step = s, .next = next};
		if (s->kind != STEP_IF)
			continue;
		later(l, (struct branch){s->yes, next, here, true});
		later(l, (struct branch){s->no, next, here, false});
	}
}

bool raw_places(struct arena *a, const struct step *steps, struct raw_places *out)
{
	struct layout l = {.arena = a, .out = out};
	*out = (struct raw_places){.first = PLACE_END};
	later(&l, (struct branch){steps, PLACE_END, PLACE_END, false});
	while (l.n && out->n < RAW_PLACES_MAX) {
		struct branch b = l.todo[--l.n];
		lay_out(&l, &b);
	}
	return out->n < RAW_PLACES_MAX;
}
