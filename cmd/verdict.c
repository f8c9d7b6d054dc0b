/*
 * verdict.c - how a decision is told: which rule, which default, which fact was
 * missing. eval and test say it in the same words.
 */
#include "cmd/cmd.h"
#include "policy/asked.h"
#include "policy/raw.h"
#include "policy/rules.h"

#include <string.h>

static struct span decider_place(const struct policy *p, const struct decision *d)
{
	struct span at = d->rule ? d->rule->at : p->default_at;
	if (!at.file)
		at.file = p->file;
	return at;
}

const char *decider_text(struct arena *a, const struct policy *p, const struct decision *d)
{
	struct span at = decider_place(p, d);
	if (!d->rule)
		return at.line > 0 ? arena_printf(a, "%s:%d default", at.file, at.line) : "default";
	const char *label = d->rule->label ? d->rule->label : "";
	/* rules made of another tool's list may have no line */
	const char *place = at.line > 0 ? arena_printf(a, "%s:%d", at.file, at.line) : at.file;
	const char *text = arena_printf(a, "%s%s%s", place, *label ? " " : "", label);
	if (!d->error || !d->raise)
		return text;
	return arena_printf(a, "%s (error: %s at %s:%d)", text, d->raise->what,
	                    d->raise->at.file ? d->raise->at.file : at.file, d->raise->at.line);
}

json_t *decider_json(const struct policy *p, const struct decision *d)
{
	struct span at = decider_place(p, d);
	json_t *o = json_pack("{s:b}", "default", !d->rule);
	if (at.line > 0) {
		json_object_set_new(o, "file", text_json(at.file));
		json_object_set_new(o, "line", json_integer(at.line));
	}
	if (d->rule && d->rule->label)
		json_object_set_new(o, "label", text_json(d->rule->label));
	if (d->error && d->raise) {
		json_object_set_new(o, "error", text_json(d->raise->what));
		json_object_set_new(o, "error_line", json_integer(d->raise->at.line));
	}
	return o;
}

bool more_fits(struct cmd *c, const struct policy *p, struct span at, const struct request *r)
{
	const char *name = raw_not_asked(p, r), *list = "";
	if (!name)
		return true;
	for (size_t i = 0; p->raw && i < p->raw->nasked; i++) {
		const char *asked = p->raw->values[p->raw->asked[i]].name;
		if (asked[strlen(asked) - 1] != '?')
			list = arena_printf(c->arena, "%s%s%s=...", list, *list ? " " : "", asked);
	}
	diag_add(&c->diags, DIAG_ERROR, at, *list ? arena_printf(c->arena, "it depends on %s", list) : "leave it out",
	         "%s: the verdict does not depend on %s", r->text, name);
	return false;
}

/* What a request says of the calling task where a fact of it, or the answer to a question, decides: " exe=/usr/bin/x". */
static const char *task_words(struct arena *a, const struct policy *p, enum input in)
{
	const struct asked *as = policy_asks(p);
	struct request r = {.known = INPUT(in)};
	r.who.exe = r.who.parent_exe = "/usr/bin/x";
	for (size_t i = as->npaths; i-- > 0;)
		if (!as->paths[i].is_cgroup)
			r.who.exe = r.who.parent_exe = as->paths[i].path;
	r.fact[in] = input_kind(in) == FACT_NUMBER || input_kind(in) == FACT_OR_NONE ? 1000 : 1;
	if (input_is_ask(in)) {
		r.known = 0;
		asked_suppose(&as->asks[in - IN_ASK_0], true, &r);
	}
	return request_who_words(a, &r, arena_strdup(a, ""));
}

const char *missing_name(const struct policy *p, enum input in)
{
	const struct asked *as = policy_asks(p);
	if (in == IN_COMM_1)
		in = IN_COMM_0;
	if (!input_is_ask(in))
		return input_name(in);
	return (size_t)(in - IN_ASK_0) < as->nasks ? as->asks[in - IN_ASK_0].name : "a question about the caller";
}

const char *missing_word(struct arena *a, const struct policy *p, enum input in)
{
	if (in < IN_EUID)
		return arena_printf(a, "%s=%s", missing_name(p, in), in == IN_COMM_0 || in == IN_COMM_1 ? "qemu" : "1000");
	if (input_is_ask(in) && (size_t)(in - IN_ASK_0) >= policy_asks(p)->nasks)
		return "groups=, caps= and cgroup=";
	const char *words = task_words(a, p, in);
	return words + (*words == ' ');
}

/* The facts of a set that have a word of their own: those of comm are one. */
static size_t named_facts(const struct policy *p, input_set open, enum input list[INPUT_MAX])
{
	size_t n = 0;
	for (enum input in = IN_UID; in < IN_ASK_0 + policy_asks(p)->nasks; in++)
		if (open & INPUT(in) && !(in == IN_COMM_1 && open & INPUT(IN_COMM_0)))
			list[n++] = in;
	return n;
}

/* " uid=1000 groups=44,105 exe=/usr/bin/x" */
static const char *missing_words(struct arena *a, const struct policy *p, const enum input *list, size_t n)
{
	const struct asked *as = policy_asks(p);
	struct request asks = {.known = 0};
	const char *words = "";
	for (size_t i = 0; i < n; i++)
		if (input_is_ask(list[i]))
			asked_suppose(&as->asks[list[i] - IN_ASK_0], true, &asks);
		else
			words = arena_printf(a, "%s %s", words, missing_word(a, p, list[i]));
	return arena_printf(a, "%s%s", words, request_who_words(a, &asks, arena_strdup(a, "")));
}

static struct diag *missing_several(struct cmd *c, const struct policy *p, struct span at, const char *request, const enum input *list, size_t n)
{
	struct arena *a = c->arena;
	const char *names = "";
	for (size_t i = 0; i < n; i++)
		names = arena_printf(a, "%s%s%s", names, !i ? "" : i + 1 < n ? ", " : " and ", missing_name(p, list[i]));
	return diag_add(&c->diags, DIAG_ERROR, at, arena_printf(a, "add them, for example: %s%s", request, missing_words(a, p, list, n)),
	                "%s: %s could decide, and the request does not give them", request, names);
}

static struct diag *missing_task_fact(struct cmd *c, const struct policy *p, struct span at, const char *request, enum input in)
{
	const char *words = task_words(c->arena, p, in);
	return diag_add(&c->diags, DIAG_ERROR, at,
	                arena_printf(c->arena, "add%.*s..., for example: %s%s", (int)strcspn(words, "=") + 1, words, request, words),
	                "%s: %s decides, and the request does not give it", request,
	                missing_name(p, in));
}

struct diag *missing_fact(struct cmd *c, const struct policy *p, struct span at, const char *request,
                          int missing, input_set open)
{
	const char *name = input_name((enum input)missing), *hint;
	enum input list[INPUT_MAX];
	size_t several = missing < IN_PARAM_0 && open & INPUT(missing) ? named_facts(p, open, list) : 0;
	if (several > 1)
		return missing_several(c, p, at, request, list, several);
	size_t asked = (size_t)missing - IN_PARAM_0 - p->nparams;
	if (missing >= IN_PARAM_0 && p->raw && asked < p->raw->nasked) { /* of its own maps */
		const struct raw_value *v = &p->raw->values[p->raw->asked[asked]];
		const char *of = v->name;
		char *bare = arena_strndup(c->arena, of, strcspn(of, "?"));
		return diag_add(&c->diags, DIAG_ERROR, at,
		                strchr(bare, '[') ? arena_printf(c->arena, "say what the map holds when line %d reads it, %s=5 or %s=nil, for example: %s %s=5", v->line, bare, bare,
		                                                 request, bare)
		                                  : arena_printf(c->arena, "add %s=..., for example: %s %s=5", bare, request, bare),
		                "%s: %s decides, and the request does not give it", request, bare);
	}
	if (missing >= IN_EUID && missing < IN_ASK_0 + (int)policy_asks(p)->nasks)
		return missing_task_fact(c, p, at, request, (enum input)missing);
	if (missing >= IN_PARAM_0 && (size_t)(missing - IN_PARAM_0) >= p->nparams) /* of a program of others */
		return diag_add(&c->diags, DIAG_ERROR, at, "`" PROGRAM " explain` of the same source says what that is",
		                "%s: that depends on what is not understood of the program", request);
	if (missing >= IN_PARAM_0 && (size_t)(missing - IN_PARAM_0) < p->nparams)
		name = p->params[missing - IN_PARAM_0].name;
	hint = missing >= IN_PARAM_0
	               ? arena_printf(c->arena, "give it with --param %s=...", name)
	               : arena_printf(c->arena, "add %s=..., for example: %s %s=%s", name,
	                              request, name,
	                              missing == IN_COMM_0 || missing == IN_COMM_1 ? "qemu" : "1000");
	return diag_add(&c->diags, DIAG_ERROR, at, hint,
	                "%s: %s decides, and the request does not give it", request, name);
}
