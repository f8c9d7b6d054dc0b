/*
 * told.c - what a record tells of the calling task, as a request has it. Of a map anything is expected.
 */
#include "policy/told.h"
#include "policy/arena.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)NAME_BYTES > (int)PATH_NAME_MAX, "a path has room in its entries");
_Static_assert(sizeof((struct rule_name *)NULL)->file + sizeof((struct rule_name *)NULL)->label - 2 == NAME_PART_BYTES,
               "each text of an entry has a NUL");

_Static_assert(IN_ASK_0 - IN_EUID <= EVENT_ASKS && EVENT_ASKS + TASK_ASKS_MAX <= 64, "a bit for each fact and ask");
_Static_assert(IN_PARAM_0 - IN_EUID <= EVENT_VALUES_MAX, "a value for each fact and ask");

/* ---- entries ------------------------------------------------------------------------------- */

static void put_name(struct rule_name out[NAME_PARTS], uint32_t kind, const char *text)
{
	size_t left = strlen(text);
	memset(out, 0, NAME_PARTS * sizeof *out);
	for (struct rule_name *at = out; at < out + NAME_PARTS; at++) {
		size_t n = left < sizeof at->file - 1 ? left : sizeof at->file - 1;
		memcpy(at->file, text, n);
		text += n, left -= n;
		n = left < sizeof at->label - 1 ? left : sizeof at->label - 1;
		memcpy(at->label, text, n);
		text += n, left -= n;
		at->line = kind;
	}
}

size_t told_paths(const struct asked *as)
{
	size_t n = 0;
	for (size_t i = 0; i < as->npaths; i++)
		n += !as->paths[i].is_cgroup;
	return n;
}

size_t told_names(struct arena *a, const struct asked *as, struct rule_name **out)
{
	size_t n = 0;
	struct rule_name *list = *out = arena_alloc(a, (as->nasks + as->npaths + 1) * NAME_PARTS * sizeof *list);
	for (size_t i = 0; i < as->nasks; i++, n += NAME_PARTS) {
		const struct ask *ask = &as->asks[i];
		put_name(list + n, 1 + (uint32_t)ask->kind, ask->kind == ASK_GROUP ? arena_printf(a, "%lld", (long long)ask->number) : ask->text);
	}
	for (size_t i = 0; i < as->npaths; i++)
		if (!as->paths[i].is_cgroup) {
			put_name(list + n, NAME_PATH, as->paths[i].path);
			n += NAME_PARTS;
		}
	return n;
}

struct entries {
	struct arena *arena;
	const struct rule_name *(*entry)(void *self, uint32_t number);
	void *self;
	uint32_t next;
};

/* The next text, and its kind; NULL: it is not there, or not whole. */
static const char *next_name(struct entries *e, uint32_t *kind)
{
	char text[NAME_BYTES + 1];
	size_t n = 0;
	bool whole = true;
	*kind = 0;
	for (int part = 0; part < NAME_PARTS; part++) {
		const struct rule_name *x = e->entry(e->self, e->next++);
		if (!x || (part && x->line != *kind)) {
			whole = false;
			continue;
		}
		*kind = x->line;
		size_t file = strnlen(x->file, sizeof x->file - 1), label = strnlen(x->label, sizeof x->label - 1);
		memcpy(text + n, x->file, file);
		memcpy(text + n + file, x->label, label);
		n += file + label;
	}
	return whole ? arena_strndup(e->arena, text, n) : NULL;
}

/* The number of an ask by its text; -1: it has none. */
static int64_t number_of(enum ask_kind kind, const char *text)
{
	char *end;
	switch (kind) {
	case ASK_CAPABLE: return capability_number(text, strlen(text));
	case ASK_UNDER: return path_fault(text, strlen(text)) ? -1 : path_value(text, strlen(text));
	default:
		if (*text < '0' || *text > '9')
			return -1;
		unsigned long long gid = strtoull(text, &end, 10);
		return *end || gid > UINT32_MAX ? -1 : (int64_t)gid;
	}
}

void told_asked(struct arena *a, const struct event_told *t, const struct rule_name *(*entry)(void *self, uint32_t number), void *self,
                struct asked *out)
{
	struct entries e = {a, entry, self, t->names};
	uint32_t kind;
	*out = (struct asked){.arena = a};
	for (size_t i = 0; i < t->asks && i < TASK_ASKS_MAX; i++) {
		const char *text = t->names ? next_name(&e, &kind) : NULL;
		bool ask = text && kind >= 1 && kind <= ASK_KINDS && number_of((enum ask_kind)(kind - 1), text) >= 0;
		int64_t number = ask ? number_of((enum ask_kind)(kind - 1), text) : -1;
		if (!ask || asked_ask(out, (enum ask_kind)(kind - 1), number, text, (struct span){0}) != (int)i)
			out->asks[out->nasks = i] = (struct ask){.kind = ASK_KINDS, .number = -1, .name = arena_printf(a, "question %zu", i + 1)};
		out->nasks = i + 1;
	}
	for (size_t i = 0; i < t->paths && t->names; i++) {
		const char *text = next_name(&e, &kind);
		if (text && kind == NAME_PATH && !path_fault(text, strlen(text)))
			asked_path(out, text, false, (struct span){0});
	}
}

uint64_t told_which(input_set inputs)
{
	uint64_t which = 0;
	for (int in = IN_EUID; in < IN_PARAM_0; in++)
		if (inputs & INPUT(in))
			which |= UINT64_C(1) << (in < IN_ASK_0 ? TOLD_FACT(in) : EVENT_ASKS + in - IN_ASK_0);
	return which;
}

/* ---- a request -------------------------------------------------------------------------------- */

enum { NOT_READ = -2 /* by rules: a claim alone asks it */ };
struct telling {
	struct arena *arena;
	const struct asked *asked;
	struct request *request;
	int8_t answer[TASK_ASKS_MAX]; /* 0, 1; -1: it is not told; NOT_READ */
	const char *untold;
};

static void not_told(struct telling *t, const char *name)
{
	t->untold = t->untold ? arena_printf(t->arena, "%s, %s", t->untold, name) : name;
}

static void tell_fact(struct telling *t, enum input in, int64_t value)
{
	struct request *r = t->request;
	int64_t lo, hi;
	const char *path = input_kind(in) == FACT_FILE && value > 0 ? asked_path_text(t->asked, value) : NULL;
	input_range(in, &lo, &hi);
	if (value < lo || value > hi || (input_kind(in) == FACT_FILE && value && !path)) {
		not_told(t, input_name(in));
		return;
	}
	r->fact[in] = value;
	r->known |= INPUT(in);
	if (path)
		*(in == IN_EXE ? &r->who.exe : &r->who.parent_exe) = path;
}

static bool is_of(const struct telling *t, size_t i, enum ask_kind kind)
{
	return t->asked->asks[i].kind == kind && t->answer[i] != NOT_READ;
}

/* The cgroup that all answers fit: the deepest that it is under; "/": under none. */
static void tell_cgroup(struct telling *t)
{
	const char *deepest = "/";
	for (size_t i = 0; i < t->asked->nasks; i++)
		if (is_of(t, i, ASK_UNDER) && t->answer[i] == 1 && strlen(t->asked->asks[i].text) > strlen(deepest))
			deepest = t->asked->asks[i].text;
	request_cgroup(t->request, deepest, strlen(deepest));
}

/* A word tells all answers of its kind, or none. */
static void tell_asks(struct telling *t, enum ask_kind kind, uint32_t known)
{
	bool asked = false, told = true;
	const struct asked *as = t->asked;
	struct request supposed = *t->request;
	supposed.who.partly |= kind == ASK_UNDER ? 0 : known;
	for (size_t i = 0; i < as->nasks; i++)
		if (is_of(t, i, kind)) {
			asked = true;
			told &= t->answer[i] >= 0 && (kind == ASK_UNDER || asked_suppose(&as->asks[i], t->answer[i] == 1, &supposed));
		}
	if (!asked)
		return;
	struct telling trial = *t;
	trial.request = &supposed;
	if (told && kind == ASK_UNDER)
		tell_cgroup(&trial);
	asked_answer(as, &supposed);
	for (size_t i = 0; i < as->nasks && told; i++) /* a cgroup that was made anew is not that of the policy any more */
		told = !is_of(t, i, kind) || (supposed.known & INPUT(IN_ASK_0 + i) && supposed.fact[IN_ASK_0 + i] == t->answer[i]);
	if (told) {
		t->request->who = supposed.who;
		t->request->who.known |= known;
		return;
	}
	for (size_t i = 0; i < as->nasks; i++)
		if (is_of(t, i, kind))
			not_told(t, as->asks[i].name);
}

const char *told_request(struct arena *a, const struct event_told *told, const struct asked *as, struct request *r)
{
	struct telling t = {.arena = a, .asked = as, .request = r};
	const int64_t *value = told->value;
	memset(t.answer, -1, sizeof t.answer);
	for (uint64_t left = told->which; left; left &= left - 1, value++) {
		int bit = __builtin_ctzll(left);
		if (bit >= EVENT_ASKS && bit - EVENT_ASKS < (int)as->nasks)
			t.answer[bit - EVENT_ASKS] = *value == 0 || *value == 1 ? (int8_t)*value : -1;
		else if (bit < IN_ASK_0 - IN_EUID)
			tell_fact(&t, (enum input)(IN_EUID + bit), *value);
	}
	for (size_t i = 0; i < as->nasks; i++)
		if (!(told->which >> (EVENT_ASKS + i) & 1))
			t.answer[i] = NOT_READ;
	tell_asks(&t, ASK_GROUP, WHO_GROUPS);
	tell_asks(&t, ASK_CAPABLE, WHO_CAPS);
	tell_asks(&t, ASK_UNDER, WHO_CGROUP);
	for (size_t i = 0; i < as->nasks; i++)
		if (is_of(&t, i, ASK_KINDS))
			not_told(&t, as->asks[i].name);
	return t.untold;
}
