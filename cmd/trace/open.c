/* open.c - a raw program loaded, attached, and let go of. */
#include "cmd/trace/trace.h"

#include <stdarg.h>
#include <sys/stat.h>

static bool prints(const struct step *s)
{
	for (; s; s = s->next)
		if (s->kind == STEP_PRINT || prints(s->yes) || prints(s->no))
			return true;
	return false;
}

/* The kernel tells lines from others' by where the program is: so it is loaded first. */
int tracing_open(struct tracing *t)
{
	struct cmd *c = t->c;
	t->raw = t->unit->policy->raw;
	if (unit_program(c, t->unit, 0, &t->program))
		return -1;
	if (prints(t->raw->steps) && trace_lines_open(c->arena, &c->diags, t->program, t->raw, &t->lines))
		return -1;
	return trace_attach(c->arena, &c->diags, t->program, t->raw, t->cgroup, &t->traced);
}

void tracing_detach(struct tracing *t)
{
	trace_detach(t->traced);
	t->traced = NULL;
}

int tracing_close(struct tracing *t)
{
	tracing_detach(t);
	int failed = t->lines ? trace_lines_close(&t->c->diags, t->lines) : 0;
	t->lines = NULL;
	if (t->program)
		program_close(t->program);
	t->program = NULL;
	return failed;
}

void tracing_note(const struct tracing *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	(void)t;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fputs(PROGRAM ": note: ", stderr);
	put_text(stderr, text);
	putc('\n', stderr);
	fflush(stderr);
}

void tracing_say(const struct tracing *t, const char *what)
{
	const char *unsure = t->lines ? trace_lines_unsure(t->lines) : NULL;
	tracing_note(t, "'%s' (program %u) is attached to %s%s: waiting for %s; Ctrl-C ends it%s", t->unit->policy->name, program_id(t->program),
	             t->cgroup ? t->cgroup->path : t->raw->section_name, t->cgroup ? " and decides there until this ends" : "", what,
	             t->timeout == UINT64_MAX ? "" : ", or when the time is up");
	if (unsure)
		tracing_note(t, "%s: a line of another program that looks like one of this program is shown as well", unsure);
}

void tracing_losses(struct tracing *t)
{
	uint64_t lost = t->lines ? trace_lines_lost(t->lines) : 0, more = lost - t->lost_told;
	if (more)
		tracing_note(t, "%llu line%s lost, of this program or others: they come faster than they are read",
		             (unsigned long long)more, more == 1 ? " was" : "s were");
	t->lost_told = lost;
}

void tracing_summary(const struct tracing *t)
{
	if (t->lines)
		tracing_note(t, "'%s': %llu line%s, %llu lost", t->unit->policy->name, (unsigned long long)t->printed, PLURAL(t->printed),
		             (unsigned long long)t->lost_told);
}

bool tracing_ended(const struct tracing *t)
{
	struct stat st;
	return t->cgroup && (stat(t->cgroup->path, &st) || st.st_ino != t->cgroup->id);
}
