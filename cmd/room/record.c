/*
 * record.c - a proven policy as fixed-size records, written in the room and read outside.
 *
 * Reading looks at nothing but counts, places in the block of texts, and small numbers
 * that must be in range; there is no loop whose end the bytes decide.
 */
#include "cmd/room/record_parts.h"
#include "policy/asked.h"
#include "policy/raw.h"

#include <string.h>

enum { MAGIC = 0x43524744 /* "DGRC" */, INSN = 8 };

struct head {
	uint32_t magic, default_allow, audit, audit_given, mode, grants, longest, null_denied;
	input_set inputs;
	uint32_t name, file, meaning; /* places of texts: 1 + offset, 0: there is none */
	uint32_t reserved;
	uint32_t default_file;
	int32_t default_line;
	uint64_t digest, tail, steps;
	/* how many of each follow, in this order */
	uint64_t nrules, nraises, nparams, nasked, ninsns, nlines, nrelocs, nserial, nraw, nhandlers, ntexts;
};
struct rule_record {
	uint32_t deny, error, file, label, source, nraises;
	int32_t line, column;
};
struct raise_record { uint32_t file, what; int32_t line, column; };
struct param_record { uint32_t name, reserved; int64_t value, lo, hi; };
/* What is asked of the calling task: kind ASK_KINDS is a path, ASK_KINDS + 1 a cgroup's. */
struct asked_record { uint32_t kind, text, file; int32_t line; int64_t number; };

/* ---- writing ---------------------------------------------------------------------------- */

static void put_rules(const struct policy *p, struct texts *t, struct rule_record *rules, struct raise_record *raises)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct rule *r = &p->rules[i];
		rules[i] = (struct rule_record){.deny = r->deny, .error = (uint32_t)r->error,
		                                .file = part_file(t, r->at.file), .label = part_text(t, r->label),
		                                .source = part_text(t, r->source), .nraises = (uint32_t)r->nraises,
		                                .line = r->at.line, .column = r->at.column};
		for (size_t k = 0; k < r->nraises; k++, raises++)
			*raises = (struct raise_record){.file = part_file(t, r->raises[k].at.file),
			                                .what = part_text(t, r->raises[k].what),
			                                .line = r->raises[k].at.line,
			                                .column = r->raises[k].at.column};
	}
}

static void put_asked(const struct asked *as, struct texts *t, struct asked_record *out)
{
	for (size_t i = 0; i < as->nasks; i++, out++)
		*out = (struct asked_record){as->asks[i].kind, part_text(t, as->asks[i].text), part_file(t, as->asks[i].at.file),
		                             as->asks[i].at.line, as->asks[i].number};
	for (size_t i = 0; i < as->npaths; i++, out++)
		*out = (struct asked_record){as->paths[i].is_cgroup ? ASK_KINDS + 1 : ASK_KINDS, part_text(t, as->paths[i].path),
		                             part_file(t, as->paths[i].at.file), as->paths[i].at.line, as->paths[i].value};
}

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
	       h->nrules * sizeof(struct rule) + h->nraises * sizeof(struct raise) > RECORD_MAX || h->nraw > RECORD_MAX;
}

int record_write(struct diags *d, const struct recorded *r, struct bytes *out)
{
	const struct policy *p = r->policy;
	struct arena *a = d->arena;
	struct texts t = {.arena = a};
	struct head h = {.magic = MAGIC, .default_allow = p->default_allow, .audit = p->audit,
	                 .audit_given = p->audit_given, .mode = p->mode, .grants = p->grants, .inputs = r->inputs,
	                 .longest = r->image.longest, .null_denied = (uint32_t)r->null_denied,
	                 .digest = p->serial.digest, .tail = r->image.tail, .steps = r->image.steps, .nrules = p->nrules,
	                 .nparams = p->nparams, .ninsns = r->image.ninsns, .nlines = r->image.nlines,
	                 .nrelocs = r->image.nrelocs, .nserial = p->serial.len};
	const struct asked *as = policy_asks(p);
	h.nasked = as->nasks + as->npaths;
	struct asked_record *asked = arena_alloc(a, h.nasked * sizeof *asked);
	for (size_t i = 0; i < p->nrules; i++)
		h.nraises += p->rules[i].nraises;
	struct rule_record *rules = arena_alloc(a, h.nrules * sizeof *rules);
	struct raise_record *raises = arena_alloc(a, h.nraises * sizeof *raises);
	struct param_record *params = arena_alloc(a, h.nparams * sizeof *params);
	h.name = part_text(&t, p->name);
	h.file = part_text(&t, p->file);
	h.meaning = part_text(&t, p->meaning);
	h.default_file = part_file(&t, p->default_at.file);
	h.default_line = p->default_at.line;
	put_rules(p, &t, rules, raises);
	for (size_t i = 0; i < p->nparams; i++)
		params[i] = (struct param_record){.name = part_text(&t, p->params[i].name), .value = p->params[i].value,
		                                  .lo = p->params[i].lo, .hi = p->params[i].hi};
	put_asked(as, &t, asked);
	struct block raw = put_raw(a, p->raw, &t);
	h.nraw = raw.len;
	h.nhandlers = p->handlers.len;
	h.ntexts = t.n;
	const struct block blocks[] = {
		{&h, sizeof h}, {rules, h.nrules * sizeof *rules}, {raises, h.nraises * sizeof *raises},
		{params, h.nparams * sizeof *params}, {asked, h.nasked * sizeof *asked}, {r->image.insns, h.ninsns * INSN},
		{r->image.lines, h.nlines * sizeof *r->image.lines},
		{r->image.relocs, h.nrelocs * sizeof *r->image.relocs}, {p->serial.data, p->serial.len},
		{p->handlers.data, p->handlers.len}, raw, {t.data, t.n},
	};
	join(a, blocks, sizeof blocks / sizeof *blocks, out);
	return out->len <= RECORD_MAX && !too_many(&h) ? 0 : diag_fail(d, "split the policy", "the policy is too large: %zu bytes", out->len);
}

/* ---- reading ------------------------------------------------------------------------------ */

static void get_rules(struct reader *r, const struct head *h, const struct rule_record *rules,
                      const struct raise_record *raises, struct policy *p)
{
	uint64_t used = 0;
	p->nrules = p->rules_cap = h->nrules;
	p->rules = arena_alloc(r->arena, p->nrules * sizeof *p->rules);
	struct raise *all = arena_alloc(r->arena, h->nraises * sizeof *all);
	for (uint64_t i = 0; i < h->nraises; i++)
		all[i] = (struct raise){.at = part_place(r, raises[i].file, raises[i].line, raises[i].column),
		                        .what = part_some_text(r, raises[i].what)};
	for (uint64_t i = 0; i < h->nrules && !r->bad; i++) {
		const struct rule_record *k = &rules[i];
		part_must(r, k->deny <= 1 && k->error <= ERRNO_MAX && k->nraises <= h->nraises - used);
		p->rules[i] = (struct rule){.deny = k->deny, .error = (int)k->error, .block = -1,
		                            .at = part_place(r, k->file, k->line, k->column),
		                            .label = part_text_at(r, k->label), .source = part_text_at(r, k->source),
		                            .raises = all + used, .nraises = r->bad ? 0 : k->nraises};
		used += p->rules[i].nraises;
	}
	part_must(r, used == h->nraises);
}

static void get_params(struct reader *r, const struct head *h, const struct param_record *params, struct policy *p)
{
	part_must(r, h->nparams <= INPUT_MAX - IN_PARAM_0);
	p->nparams = p->params_cap = r->bad ? 0 : h->nparams;
	p->params = arena_alloc(r->arena, p->nparams * sizeof *p->params);
	for (size_t i = 0; i < p->nparams; i++) {
		part_must(r, params[i].lo <= params[i].value && params[i].value <= params[i].hi);
		p->params[i] = (struct param){.name = part_some_text(r, params[i].name), .value = params[i].value,
		                              .lo = params[i].lo, .hi = params[i].hi};
	}
}

static void get_asked(struct reader *r, const struct head *h, const struct asked_record *from, struct policy *p)
{
	struct asked *as = arena_alloc(r->arena, sizeof *as);
	as->arena = r->arena;
	p->asked = as;
	for (uint64_t i = 0; i < h->nasked && !r->bad; i++) {
		const struct asked_record *k = &from[i];
		const char *text = part_text_at(r, k->text);
		struct span at = part_place(r, k->file, k->line, 0);
		if (k->kind >= ASK_KINDS) {
			part_must(r, text && k->kind <= ASK_KINDS + 1 && !path_fault(text, strlen(text)));
			const struct path_named *one = r->bad ? NULL : asked_path(as, text, k->kind > ASK_KINDS, at);
			part_must(r, one && one->value == k->number);
			continue;
		}
		enum ask_kind kind = (enum ask_kind)k->kind;
		part_must(r, (kind == ASK_GROUP && k->number >= 0 && k->number <= UINT32_MAX) ||
		                     (kind == ASK_CAPABLE && k->number >= 0 && k->number < CAPABILITIES) ||
		                     (kind == ASK_UNDER && text && !path_fault(text, strlen(text)) && path_value(text, strlen(text)) == k->number));
		int place = r->bad ? -1 : asked_ask(as, kind, k->number, text, at);
		part_must(r, place >= 0 && place == (int)as->nasks - 1);
	}
}

static void get_texts(struct reader *r, const struct head *h)
{
	const char *texts = part_take(r, h->ntexts, 1);
	part_must(r, texts && h->ntexts && h->ntexts < UINT32_MAX && !texts[h->ntexts - 1] && r->at == r->end);
	r->texts = texts;
	r->ntexts = h->ntexts;
}

static void get_head(struct reader *r, const struct head *h, struct policy *p)
{
	part_must(r, h->default_allow <= 1 && h->audit <= AUDIT_ALL && h->audit_given <= 1 && h->mode <= MODE_PERMISSIVE && h->grants <= 1);
	part_must(r, h->null_denied <= ACC_ALL && h->tail <= h->ninsns);
	*p = (struct policy){.arena = r->arena, .name = part_some_text(r, h->name), .file = part_some_text(r, h->file),
	                     .default_allow = h->default_allow, .audit = (enum audit_level)h->audit,
	                     .audit_given = h->audit_given, .mode = (enum policy_mode)h->mode, .grants = h->grants,
	                     .default_at = part_place(r, h->default_file, h->default_line, 0)};
	p->meaning = part_text_at(r, h->meaning);
	part_must(r, *p->name && strlen(p->name) < IMAGE_NAME_MAX);
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
	const struct rule_record *rules = part_take(&r, h.nrules, sizeof *rules);
	const struct raise_record *raises = part_take(&r, h.nraises, sizeof *raises);
	const struct param_record *params = part_take(&r, h.nparams, sizeof *params);
	const struct asked_record *asked = part_take(&r, h.nasked, sizeof *asked);
	out->image = (struct image){.insns = part_take(&r, h.ninsns, INSN), .ninsns = h.ninsns,
	                            .lines = part_take(&r, h.nlines, sizeof *out->image.lines), .nlines = h.nlines,
	                            .relocs = part_take(&r, h.nrelocs, sizeof *out->image.relocs), .nrelocs = h.nrelocs,
	                            .tail = h.tail, .longest = h.longest, .steps = h.steps};
	const void *serial = part_take(&r, h.nserial, 1), *handlers = part_take(&r, h.nhandlers, 1), *raw = part_take(&r, h.nraw, 1);
	get_texts(&r, &h);
	if (r.bad)
		return false;
	struct policy *p = out->policy = arena_alloc(a, sizeof *p);
	get_head(&r, &h, p);
	get_rules(&r, &h, rules, raises, p);
	get_params(&r, &h, params, p);
	get_asked(&r, &h, asked, p);
	p->raw = get_raw(&r, raw, h.nraw);
	p->handlers.data = h.nhandlers ? handlers : NULL;
	p->handlers.len = h.nhandlers;
	p->serial.data = serial;
	p->serial.len = h.nserial;
	p->serial.digest = h.digest;
	out->inputs = h.inputs;
	out->null_denied = (int)h.null_denied;
	return !r.bad && (!h.ninsns || !image_check(a, &out->image, p));
}
