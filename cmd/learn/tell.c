/* tell.c - what came of it: on stderr, as the policy may go to stdout; or as JSON. */
#include "cmd/audit/audit.h"
#include "cmd/learn/learn.h"
#include "policy/lint_who.h"

#include <string.h>

/* "12", "10 to 12" */
static const char *count_text(struct arena *a, const struct change *x)
{
	return x->least == x->most ? arena_printf(a, "%llu", (unsigned long long)x->most)
	                           : arena_printf(a, "%llu to %llu", (unsigned long long)x->least, (unsigned long long)x->most);
}

/* Programs that run what they are told to, once each: a rule for one is for whoever may start it. */
static void tell_of_others(struct learning *l)
{
	for (size_t i = 0; i < l->all.n; i++) {
		const struct learned_request *r = &l->all.list[i];
		const char *what = r->exe && learned_passed(r) ? runs_others(r->exe) : NULL;
		bool told = false;
		for (size_t k = 0; k < i && what && !told; k++)
			told = l->all.list[k].exe && learned_passed(&l->all.list[k]) && !strcmp(l->all.list[k].exe, r->exe);
		if (what && !told)
			diag_add(&l->cmd->diags, DIAG_WARNING, (struct span){.file = NULL}, "put another condition into its rules, or take them out",
			         "%s is %s: its rules allow the devices to whatever it is told to run", r->exe, what);
	}
}

static void tell_recorded(struct learning *l)
{
	struct cmd *c = l->cmd;
	uint64_t denied = 0, permitted = 0, gone = 0, gone_denied = 0, unnamed = 0;
	for (size_t i = 0; i < l->all.n; i++) {
		learned_count(&denied, learned_passed(&l->all.list[i]) ? 0 : l->all.list[i].denied);
		learned_count(&permitted, l->all.list[i].permitted);
		bool has_rule = learned_passed(&l->all.list[i]);
		learned_count(has_rule ? &gone : &gone_denied, l->all.list[i].gone);
		learned_count(&unnamed, has_rule && l->by & LEARN_BY_EXE && !l->all.list[i].exe ? learned_times(&l->all.list[i]) - l->all.list[i].gone : 0);
	}
	say(c, "%llu request%s recorded, %zu different, in %llu recording%s", (unsigned long long)learned_total(&l->all),
	     PLURAL(learned_total(&l->all)), l->all.n, (unsigned long long)l->all.runs, PLURAL(l->all.runs));
	if (permitted > l->opened)
		say(c, "denied by what filters now, and let pass: %llu, which the policy allows", (unsigned long long)(permitted - l->opened));
	if (l->opened)
		say(c, "denied: %llu, which the policy allows (--with-denied)", (unsigned long long)l->opened);
	if (l->stayed)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "record it again: what comes behind them was not asked for",
		         "%llu request%s denied while --permissive: its lease was over, as learn could not run in time, or a policy came "
		         "that does not say `grants :allowed`", (unsigned long long)l->stayed, l->stayed == 1 ? " was" : "s were");
	if (gone)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "look at the rules without ctx.exe: whoever wants such a device is allowed it",
		         "the program%s of %llu request%s had ended before %s could be looked at: the rules for them are for every program",
		         PLURAL(gone), (unsigned long long)gone, PLURAL(gone), gone == 1 ? "its file" : "their files");
	if (gone_denied)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "keep the program running while it is recorded, or write the path yourself",
		         "the program%s of %llu denied request%s had ended before %s could be looked at: the comment about them names no file",
		         PLURAL(gone_denied), (unsigned long long)gone_denied, PLURAL(gone_denied), gone_denied == 1 ? "its file" : "their files");
	if (unnamed)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "look at the rules without ctx.exe: whoever wants such a device is allowed it",
		         "%llu request%s made by programs whose files no rule can name: their rules are for every program",
		         (unsigned long long)unnamed, unnamed == 1 ? " was" : "s were");
	if (l->by & LEARN_BY_EXE)
		tell_of_others(l);
	if (denied)
		say(c, "denied: %llu, a comment in the policy; --with-denied allows them", (unsigned long long)denied);
	if (!l->all.n && !l->all.lost)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, NULL, "no device was asked for: the policy denies every device");
	if (l->all.lost)
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "record it again, into a new file: more recordings in this one do not make it complete",
		         "the recording is NOT COMPLETE: %llu request%s lost, and what only they asked for is not allowed",
		         (unsigned long long)l->all.lost, l->all.lost == 1 ? " was" : "s were");
}

static void tell_compared(struct learning *l, const struct proof *p)
{
	struct cmd *c = l->cmd;
	const struct change *more = &p->than.allowed, *less = &p->than.denied;
	if (!more->most && !less->most)
		say(c, "it decides every request as %s", l->before_words);
	if (less->most)
		say(c, "tighter than %s: it denies %s request%s that are allowed there", l->before_words,
		     count_text(c->arena, less), PLURAL(less->most));
	if (more->most)
		say(c, "it also allows %s request%s that are denied there%s%s", count_text(c->arena, more), PLURAL(more->most),
		     more->found ? ", such as " : "", more->found ? more->witness.text : "");
}

void learned_tell(struct learning *l, const struct proof *p)
{
	struct cmd *c = l->cmd;
	tell_recorded(l);
	if (p)
		say(c, "proven: the policy allows all that was let pass (%llu different request%s)",
		     (unsigned long long)p->asked, PLURAL(p->asked));
	if (p && p->compared)
		tell_compared(l, p);
	diags_flush(c);
}

/* ---- JSON ------------------------------------------------------------------------------------------ */

static json_t *request_json(const struct learned_request *r)
{
	char letters[4];
	json_t *programs = json_array();
	for (size_t i = 0; i < r->nprograms; i++)
		json_array_append_new(programs, json_pack("{s:o, s:I}", "comm", text_json(r->programs[i].name), "count",
		                                          (json_int_t)r->programs[i].count));
	json_t *o = json_pack("{s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:o, s:I}", "type", r->type == DEV_BLOCK ? "b" : "c", "major",
	                      (json_int_t)r->major, "minor", (json_int_t)r->minor, "requested", access_text(r->access, letters),
	                      "allowed", (json_int_t)r->allowed, "denied", (json_int_t)r->denied, "permitted",
	                      (json_int_t)r->permitted, "programs", programs, "others", (json_int_t)r->others);
	json_object_set_new(o, "uid", r->uid < 0 ? json_null() : json_integer(r->uid));
	json_object_set_new(o, "exe", r->exe ? text_json(r->exe) : json_null());
	json_object_set_new(o, "gone", json_integer((json_int_t)r->gone));
	json_object_set_new(o, "path", r->path ? text_json(r->path) : json_null());
	return o;
}

static json_t *change_json(const struct change *x)
{
	return json_pack("{s:I, s:I, s:o}", "least", (json_int_t)x->least, "most", (json_int_t)x->most, "such_as",
	                 x->found ? text_json(x->witness.text) : json_null());
}

void learned_json(struct learning *l, const struct proof *p, const char *key, const char *text)
{
	json_t *out = l->cmd->json.out, *list = json_array();
	for (size_t i = 0; i < l->all.n; i++)
		json_array_append_new(list, request_json(&l->all.list[i]));
	json_object_set_new(out, "requests", list);
	json_object_set_new(out, "total", json_integer((json_int_t)learned_total(&l->all)));
	json_object_set_new(out, "recordings", json_integer((json_int_t)l->all.runs));
	json_object_set_new(out, "lost", json_integer((json_int_t)l->all.lost));
	json_object_set_new(out, "command_status", l->command ? json_integer(l->status) : json_null());
	json_object_set_new(out, key, text ? text_json(text) : json_null());
	json_object_set_new(out, "proven", json_integer(p ? (json_int_t)p->asked : 0));
	json_object_set_new(out, "compared",
	                    p && p->compared
	                            ? json_pack("{s:o, s:o, s:o}", "with", text_json(l->before_words), "newly_allowed",
	                                        change_json(&p->than.allowed), "newly_denied", change_json(&p->than.denied))
	                            : json_null());
}
