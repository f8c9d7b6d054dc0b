/*
 * refuse.c - where a block is, how a path of it ends by an exception, and how all of it is
 * refused: with its place, what it calls there, and what to do instead.
 */
#include "compiler/lift/lifter.h"

#include <string.h>

/* ---- where the block is -------------------------------------------------------------------- */

bool lift_in_policy(const struct lifter *l, const struct frame *f)
{
	const char *file = mrb_debug_get_filename(l->mrb, f->irep, f->pc);
	return ruby_source(l->rb, file) != NULL;
}

const struct call *lift_user_call(const struct lifter *l, const struct call *c)
{
	for (const struct frame *f = l->frame; f && !lift_in_policy(l, f); f = f->up)
		if (!f->is_root)
			c = f->call;
	return c;
}

const char *lift_call_text(struct lifter *l, const struct call *c)
{
	const char *name = ruby_name(l->rb, c->mid), *of = val_describe(l, c->recv);
	if (!strcmp(name, "`"))
		return "a command in backquotes";
	if (!strcmp(of, "main"))
		return arena_printf(l->arena, "`%s`", name);
	return arena_printf(l->arena, "`%s` of %s", name, of);
}

struct span lift_place(const struct lifter *l)
{
	struct span at = {.file = l->rb->source->file};
	for (const struct frame *f = l->frame; f && at.line <= 0; f = f->up)
		if (lift_in_policy(l, f)) {
			at.file = ruby_source(l->rb, mrb_debug_get_filename(l->mrb, f->irep, f->pc))->file;
			at.line = irep_line(l->rb, f->irep, f->pc);
		}
	if (at.line < 0)
		at.line = 0;
	return at;
}

const char *lift_takes(struct lifter *l, const struct call *c, const char *what)
{
	const char *expected = strstr(what, "expected ");
	if (!expected || !strstr(what, "wrong number of arguments"))
		return NULL;
	expected += strlen("expected ");
	int n = (int)strcspn(expected, ")");
	return arena_printf(l->arena, "%s takes %.*s argument%s", lift_call_text(l, c), n, expected,
	                    n == 1 && *expected == '1' ? "" : "s");
}

/* What is said of a rule's block, of a raw program. */
static const char *reworded(struct lifter *l, const char *text)
{
	static const char *const words[][2] = {
		{"a rule's block reads; it does not write: ", "a raw program writes its maps and nothing else: "},
		{"use a local variable", "use a local variable, or keep it in a map: LAST = array 1"},
		{"a rule's block", "a raw program"}, {"the block", "the program"}, {"when a device is asked for", "when it runs"},
		{"before the block", "before the method"}, {"outside of the block", "outside of the method"},
		{"a block", "a raw program"}, {"without knowing ctx", "by what is known when it is compiled"},
	};
	for (size_t i = 0; l->raw && text && i < sizeof words / sizeof *words; i++) {
		const char *at = strstr(text, words[i][0]);
		if (at)
			text = arena_printf(l->arena, "%.*s%s%s", (int)(at - text), text, words[i][1], at + strlen(words[i][0]));
	}
	return text;
}

/* ---- refusals and warnings ----------------------------------------------------------------- */

void lift_refuse(struct lifter *l, const char *hint, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	const struct call *c = lift_user_call(l, NULL);
	if (c)
		text = arena_printf(l->arena, "%s (in %s)", text, lift_call_text(l, c));
	ruby_report(l->rb, DIAG_ERROR, lift_place(l), reworded(l, hint), reworded(l, text));
	longjmp(l->bail, 1);
}

void lift_refuse_method(struct lifter *l, const struct call *c, const char *why, const char *hint)
{
	c = lift_user_call(l, c);
	const char *instead = hint_method_instead(mrb_sym_name(l->mrb, c->mid));
	ruby_report(l->rb, DIAG_ERROR, lift_place(l), reworded(l, instead ? instead : hint),
	       arena_printf(l->arena, "%s%s", lift_call_text(l, c), reworded(l, why)));
	longjmp(l->bail, 1);
}

void lift_refuse_text(struct lifter *l, struct val v)
{
	if (v.kind == V_TEXT)
		lift_refuse(l, "compare the values themselves instead of a text made from them",
		            "a string made from a value that is known only when a device is asked for");
}

void lift_refuse_path(struct lifter *l, const struct call *c)
{
	const struct val *path = c->recv.kind == V_PATH ? &c->recv : NULL;
	for (size_t i = 0; i < c->n && !path; i++)
		path = c->args[i].kind == V_PATH ? &c->args[i] : NULL;
	if (!path)
		return;
	const char *name = val_describe(l, *path), *method = ruby_name(l->rb, c->mid);
	const char *hint = arena_printf(l->arena, "write the whole path: %s == \"/usr/bin/qemu-system-x86_64\", or [PATH, PATH].include?(%s)",
	                                name, name);
	if (!strcmp(method, "under?"))
		hint = "ctx.under?(\"/system.slice/x.service\") asks about the cgroup of the caller; an executable is compared by ==";
	if (path == &c->recv)
		lift_refuse(l, hint, "`%s` of %s: a path is compared as a file, not as a text", method, name);
	lift_refuse(l, hint, "`%s` with %s: a path is compared as a file, not as a text", method, name);
}

#define MEMORY_MAX ((size_t)256 << 20)

void lift_spend(struct lifter *l)
{
	if (arena_size(l->rb->arena) > l->memory_before + MEMORY_MAX)
		lift_refuse(l, "loops must end by values known when the policy is compiled; make large tables outside of the block",
		            "the block does not finish without knowing ctx, or builds too much");
	if (l->fuel-- == 0)
		lift_refuse(l, "loops must end by values known when the policy is compiled",
		            "the block does not finish without knowing ctx");
}

void lift_warn(struct lifter *l, const char *hint, const char *text)
{
	struct span at = lift_place(l);
	for (size_t i = 0; i < l->rb->diags->n; i++) {
		const struct diag *d = &l->rb->diags->items[i];
		if (d->at.line == at.line && !strcmp(d->text, text))
			return;
	}
	ruby_report(l->rb, DIAG_WARNING, at, hint, text);
}

/* ---- exceptions ---------------------------------------------------------------------------- */

/* Exceptions that say the block itself is wrong, not the request. */
static bool is_mistake(struct lifter *l, struct RClass *class)
{
	static const char *const names[] = {"NameError", "NoMethodError", "ArgumentError", "TypeError"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (class == mrb_class_get(l->mrb, names[i]))
			return true;
	return false;
}

void lift_raise(struct lifter *l, struct state *st, struct RClass *class, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = arena_vprintf(l->arena, fmt, ap);
	va_end(ap);
	for (const struct frame *f = l->frame; f; f = f->up) {
		const struct mrb_irep_catch_handler *h = mrb_irep_catch_handler_table(f->irep);
		for (uint16_t i = 0; i < f->irep->clen; i++)
			if (handler_covers(&h[i], f->pc))
				lift_refuse(l, "test for the case before, an exception denies",
				            "an exception inside `rescue` or `ensure`: %s", text);
	}
	*ARENA_PUSH(l->arena, l->raised, l->nraised, l->raised_cap) = (struct raised){
		.when = st->guard->full, .at = lift_place(l), .certain_class = is_mistake(l, class),
		.what = arena_printf(l->arena, "%s: %s", mrb_class_name(l->mrb, class), text)};
}

void lift_hint_count(struct lifter *l, const struct call *c)
{
	struct raised *x = &l->raised[l->nraised - 1];
	const char *hint = lift_takes(l, c, x->what);
	x->hint = hint ? hint : x->hint;
}
