/*
 * record.c - a proven policy as fixed-size records, written in the room and read outside.
 *
 * Reading looks at nothing but counts, places in the block of texts, and small numbers
 * that must be in range; there is no loop whose end the bytes decide.
 */
#include "cmd/room/record.h"

#include <string.h>

enum { MAGIC = 0x43524744 /* "DGRC" */, INSN = 8 };

struct head {
	uint32_t magic, default_allow, audit, audit_given, mode, inputs, longest, null_denied;
	uint32_t name, file, meaning; /* places of texts: 1 + offset, 0: there is none */
	uint32_t reserved;
	uint32_t default_file;
	int32_t default_line;
	uint64_t digest, tail;
	/* how many of each follow, in this order */
	uint64_t nrules, nraises, nparams, ninsns, nlines, nrelocs, nserial, ntexts;
};
struct rule_record {
	uint32_t deny, error, file, label, source, nraises;
	int32_t line, column;
};
struct raise_record { uint32_t file, what; int32_t line, column; };
struct param_record { uint32_t name, reserved; int64_t value, lo, hi; };

/* ---- writing ---------------------------------------------------------------------------- */

struct texts {
	struct arena *arena;
	char *data;
	size_t n, cap;
	const char *last; /* files repeat */
	uint32_t last_at;
};

static uint32_t put_text(struct texts *t, const char *s)
{
	if (!s)
		return 0;
	if (t->last && (s == t->last || !strcmp(s, t->last)))
		return t->last_at;
	size_t len = strlen(s) + 1, at = t->n;
	if (len > t->cap - t->n) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		while (cap < t->n + len)
			cap *= 2;
		t->data = arena_grow(t->arena, t->data, t->cap, cap);
		t->cap = cap;
	}
	memcpy(t->data + at, s, len);
	t->n += len;
	return (uint32_t)at + 1;
}

static uint32_t put_file(struct texts *t, const char *s)
{
	uint32_t at = put_text(t, s);
	if (s) {
		t->last = s;
		t->last_at = at;
	}
	return at;
}

static void put_rules(const struct policy *p, struct texts *t, struct rule_record *rules, struct raise_record *raises)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct rule *r = &p->rules[i];
		rules[i] = (struct rule_record){.deny = r->deny, .error = (uint32_t)r->error,
		                                .file = put_file(t, r->at.file), .label = put_text(t, r->label),
		                                .source = put_text(t, r->source), .nraises = (uint32_t)r->nraises,
		                                .line = r->at.line, .column = r->at.column};
		for (size_t k = 0; k < r->nraises; k++, raises++)
			*raises = (struct raise_record){.file = put_file(t, r->raises[k].at.file),
			                                .what = put_text(t, r->raises[k].what),
			                                .line = r->raises[k].at.line,
			                                .column = r->raises[k].at.column};
	}
}

struct block { const void *data; size_t len; };

static void join(struct arena *a, const struct block *blocks, size_t n, struct bytes *out)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		len += blocks[i].len;
	unsigned char *all = arena_alloc(a, len), *at = all;
	for (size_t i = 0; i < n; i++) {
		if (blocks[i].len)
			memcpy(at, blocks[i].data, blocks[i].len);
		at += blocks[i].len;
	}
	*out = (struct bytes){all, len};
}

/* So many rules are more than the reader makes. */
static bool too_many(const struct head *h)
{
	return h->nrules > RECORD_MAX / sizeof(struct rule) || h->nraises > RECORD_MAX / sizeof(struct raise) ||
	       h->nrules * sizeof(struct rule) + h->nraises * sizeof(struct raise) > RECORD_MAX;
}

int record_write(struct diags *d, const struct recorded *r, struct bytes *out)
{
	const struct policy *p = r->policy;
	struct arena *a = d->arena;
	struct texts t = {.arena = a};
	struct head h = {.magic = MAGIC, .default_allow = p->default_allow, .audit = p->audit,
	                 .audit_given = p->audit_given, .mode = p->mode, .inputs = r->inputs,
	                 .longest = r->image.longest, .null_denied = (uint32_t)r->null_denied,
	                 .digest = p->serial.digest, .tail = r->image.tail, .nrules = p->nrules,
	                 .nparams = p->nparams, .ninsns = r->image.ninsns, .nlines = r->image.nlines,
	                 .nrelocs = r->image.nrelocs, .nserial = p->serial.len};
	for (size_t i = 0; i < p->nrules; i++)
		h.nraises += p->rules[i].nraises;
	struct rule_record *rules = arena_alloc(a, h.nrules * sizeof *rules);
	struct raise_record *raises = arena_alloc(a, h.nraises * sizeof *raises);
	struct param_record *params = arena_alloc(a, h.nparams * sizeof *params);
	h.name = put_text(&t, p->name);
	h.file = put_text(&t, p->file);
	h.meaning = put_text(&t, p->meaning);
	h.default_file = put_file(&t, p->default_at.file);
	h.default_line = p->default_at.line;
	put_rules(p, &t, rules, raises);
	for (size_t i = 0; i < p->nparams; i++)
		params[i] = (struct param_record){.name = put_text(&t, p->params[i].name), .value = p->params[i].value,
		                                  .lo = p->params[i].lo, .hi = p->params[i].hi};
	h.ntexts = t.n;
	const struct block blocks[] = {
		{&h, sizeof h}, {rules, h.nrules * sizeof *rules}, {raises, h.nraises * sizeof *raises},
		{params, h.nparams * sizeof *params}, {r->image.insns, h.ninsns * INSN},
		{r->image.lines, h.nlines * sizeof *r->image.lines},
		{r->image.relocs, h.nrelocs * sizeof *r->image.relocs}, {p->serial.data, p->serial.len},
		{t.data, t.n},
	};
	join(a, blocks, sizeof blocks / sizeof *blocks, out);
	return out->len <= RECORD_MAX && !too_many(&h) ? 0 : diag_fail(d, "split the policy", "the policy is too large: %zu bytes", out->len);
}

/* ---- reading ------------------------------------------------------------------------------ */

struct reader {
	struct arena *arena;
	const unsigned char *at, *end;
	const char *texts;
	uint64_t ntexts;
	bool bad;
};

/* The next n things as a copy; the first that is not there spoils the whole. */
static void *take(struct reader *r, uint64_t n, size_t size)
{
	if (r->bad || n > (uint64_t)(r->end - r->at) / size) {
		r->bad = true;
		return NULL;
	}
	void *copy = arena_alloc(r->arena, (size_t)n * size);
	memcpy(copy, r->at, (size_t)n * size);
	r->at += n * size;
	return copy;
}

/* The block of texts ends in a 0, so every place in it is the start of a text. */
static const char *text_at(struct reader *r, uint32_t place)
{
	if (place > r->ntexts)
		r->bad = true;
	return r->bad || !place ? NULL : r->texts + place - 1;
}

static const char *some_text(struct reader *r, uint32_t place)
{
	const char *s = text_at(r, place);
	if (!s)
		r->bad = true;
	return s ? s : "";
}

static void must(struct reader *r, bool holds)
{
	r->bad |= !holds;
}

static struct span place(struct reader *r, uint32_t file, int32_t line, int32_t column)
{
	must(r, line >= 0 && column >= 0);
	return (struct span){.file = text_at(r, file), .line = line, .column = column};
}

static void get_rules(struct reader *r, const struct head *h, const struct rule_record *rules,
                      const struct raise_record *raises, struct policy *p)
{
	uint64_t used = 0;
	p->nrules = p->rules_cap = h->nrules;
	p->rules = arena_alloc(r->arena, p->nrules * sizeof *p->rules);
	struct raise *all = arena_alloc(r->arena, h->nraises * sizeof *all);
	for (uint64_t i = 0; i < h->nraises; i++)
		all[i] = (struct raise){.at = place(r, raises[i].file, raises[i].line, raises[i].column),
		                        .what = some_text(r, raises[i].what)};
	for (uint64_t i = 0; i < h->nrules && !r->bad; i++) {
		const struct rule_record *k = &rules[i];
		must(r, k->deny <= 1 && k->error <= ERRNO_MAX && k->nraises <= h->nraises - used);
		p->rules[i] = (struct rule){.deny = k->deny, .error = (int)k->error, .block = -1,
		                            .at = place(r, k->file, k->line, k->column),
		                            .label = text_at(r, k->label), .source = text_at(r, k->source),
		                            .raises = all + used, .nraises = r->bad ? 0 : k->nraises};
		used += p->rules[i].nraises;
	}
	must(r, used == h->nraises);
}

static void get_params(struct reader *r, const struct head *h, const struct param_record *params, struct policy *p)
{
	must(r, h->nparams <= INPUT_MAX - IN_PARAM_0);
	p->nparams = p->params_cap = r->bad ? 0 : h->nparams;
	p->params = arena_alloc(r->arena, p->nparams * sizeof *p->params);
	for (size_t i = 0; i < p->nparams; i++) {
		must(r, params[i].lo <= params[i].value && params[i].value <= params[i].hi);
		p->params[i] = (struct param){.name = some_text(r, params[i].name), .value = params[i].value,
		                              .lo = params[i].lo, .hi = params[i].hi};
	}
}

static void get_texts(struct reader *r, const struct head *h)
{
	const char *texts = take(r, h->ntexts, 1);
	must(r, texts && h->ntexts && h->ntexts < UINT32_MAX && !texts[h->ntexts - 1] && r->at == r->end);
	r->texts = texts;
	r->ntexts = h->ntexts;
}

static void get_head(struct reader *r, const struct head *h, struct policy *p)
{
	must(r, h->default_allow <= 1 && h->audit <= AUDIT_ALL && h->audit_given <= 1 && h->mode <= MODE_PERMISSIVE);
	must(r, h->null_denied <= ACC_ALL && h->tail <= h->ninsns);
	*p = (struct policy){.arena = r->arena, .name = some_text(r, h->name), .file = some_text(r, h->file),
	                     .default_allow = h->default_allow, .audit = (enum audit_level)h->audit,
	                     .audit_given = h->audit_given, .mode = (enum policy_mode)h->mode,
	                     .default_at = place(r, h->default_file, h->default_line, 0)};
	p->meaning = text_at(r, h->meaning);
	must(r, *p->name && strlen(p->name) < IMAGE_NAME_MAX);
}

bool record_read(struct arena *a, const void *data, size_t len, struct recorded *out)
{
	struct reader r = {.arena = a, .at = data, .end = (const unsigned char *)data + len};
	struct head h;
	*out = (struct recorded){0};
	if (len < sizeof h)
		return false;
	memcpy(&h, data, sizeof h);
	r.at += sizeof h;
	r.bad = h.magic != MAGIC || too_many(&h);
	const struct rule_record *rules = take(&r, h.nrules, sizeof *rules);
	const struct raise_record *raises = take(&r, h.nraises, sizeof *raises);
	const struct param_record *params = take(&r, h.nparams, sizeof *params);
	out->image = (struct image){.insns = take(&r, h.ninsns, INSN), .ninsns = h.ninsns,
	                            .lines = take(&r, h.nlines, sizeof *out->image.lines), .nlines = h.nlines,
	                            .relocs = take(&r, h.nrelocs, sizeof *out->image.relocs), .nrelocs = h.nrelocs,
	                            .tail = h.tail, .longest = h.longest};
	const void *serial = take(&r, h.nserial, 1);
	get_texts(&r, &h);
	if (r.bad)
		return false;
	struct policy *p = out->policy = arena_alloc(a, sizeof *p);
	get_head(&r, &h, p);
	get_rules(&r, &h, rules, raises, p);
	get_params(&r, &h, params, p);
	p->serial.data = serial;
	p->serial.len = h.nserial;
	p->serial.digest = h.digest;
	out->inputs = h.inputs;
	out->null_denied = (int)h.null_denied;
	return !r.bad && (!h.ninsns || !image_check(a, &out->image, p));
}
