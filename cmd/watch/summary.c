/*
 * summary.c - what was counted while handlers ran: a line for people, an object for programs.
 *
 * decided = records + folded + dropped; records = handled + lost + not wanted + not read.
 */
#include "cmd/watch/watch.h"

#include "cmd/audit/audit.h"

typedef unsigned long long count;

static const char *also(struct arena *a, const char *text, uint64_t n, const char *what)
{
	return n ? arena_printf(a, "%s, %llu %s", text, (count)n, what) : text;
}

static void tell_denials(struct cmd *c, const struct denials_counts *d, const struct watch_counts *w)
{
	struct arena *a = c->arena;
	const char *text = arena_printf(a, "%llu denied", (count)d->denied);
	if (d->allowed)
		text = arena_printf(a, "%s, %llu allowed", text, (count)d->allowed);
	if (d->before)
		text = arena_printf(a, "%s, and %llu record%s from before", text, (count)d->before, PLURAL(d->before));
	text = arena_printf(a, "%s: %llu handled", text, (count)w->handled[GIVE_EVENT]);
	text = also(a, text, d->folded, "folded");
	text = also(a, text, d->ignored, "with no handler");
	text = arena_printf(a, "%s, %llu lost in the kernel (its buffer was full)", text, (count)d->dropped);
	text = also(a, text, w->lost[GIVE_EVENT], "lost with the handlers that were stopped");
	text = also(a, text, d->unread, "not read");
	tell(c, "%s", text);
}

static void tell_handlers(struct cmd *c, struct handlers *h)
{
	const struct watch_counts *w = handlers_counts(h);
	const struct printed *p = handlers_printed(h);
	struct arena *a = c->arena;
	const char *text = arena_printf(a, "handlers: %llu error%s, started again %llu time%s", (count)w->raised, PLURAL(w->raised),
	                                (count)w->restarts, PLURAL(w->restarts));
	text = also(a, text, w->handled[GIVE_RECORD], "records");
	text = also(a, text, w->lost[GIVE_RECORD], "records lost");
	text = also(a, text, w->handled[GIVE_LINE], "lines");
	text = also(a, text, w->lost[GIVE_LINE], "lines lost");
	text = also(a, text, p->left_out, "bytes not shown");
	if (w->raised || w->restarts || w->handled[GIVE_RECORD] || w->lost[GIVE_RECORD] || w->handled[GIVE_LINE] || w->lost[GIVE_LINE] ||
	    p->left_out)
		tell(c, "%s", text);
}

static void set(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

static void set_denials(json_t *o, const struct denials_counts *d, const struct watch_counts *w)
{
	set(o, "denied", d->denied);
	set(o, "allowed", d->allowed);
	set(o, "before", d->before);
	set(o, "handled", w->handled[GIVE_EVENT]);
	set(o, "folded", d->folded);
	set(o, "not_wanted", d->ignored);
	set(o, "dropped", d->dropped);
	set(o, "lost", w->lost[GIVE_EVENT]);
	set(o, "not_read", d->unread);
}

static void print_json(const struct summary *s, struct handlers *h)
{
	const struct watch_counts *w = handlers_counts(h);
	const struct printed *p = handlers_printed(h);
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:f}", "schema", JSON_SCHEMA, "ended", s->ended, "policy", text_json(s->policy), "cgroup",
	                      s->cgroup ? text_json(s->cgroup) : json_null(), "seconds", s->seconds);
	if (s->section)
		json_object_set_new(o, "section", json_string(s->section));
	if (s->denials)
		set_denials(o, s->denials, w);
	set(o, "records", w->handled[GIVE_RECORD]);
	set(o, "records_lost", w->lost[GIVE_RECORD]);
	set(o, "lines", w->handled[GIVE_LINE]);
	set(o, "lines_lost", w->lost[GIVE_LINE]);
	set(o, "ticks", w->handled[GIVE_TICK]);
	set(o, "errors", w->raised);
	set(o, "restarts", w->restarts);
	set(o, "printed_bytes", p->bytes);
	set(o, "left_out_bytes", p->left_out);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(o);
}

void summary_print(struct cmd *c, struct handlers *h, const struct summary *s, bool json)
{
	if (s->denials)
		tell_denials(c, s->denials, handlers_counts(h));
	tell_handlers(c, h);
	if (json)
		print_json(s, h);
}
