/*
 * error.c - how a command goes wrong: a wrong command line, no memory; the worst status counts.
 * What all else of this directory stands on.
 */
#include "cmd/cli.h"
#include "cmd/cmd.h"

#include <string.h>

const char *example_text(struct cmd *c, const char *line)
{
	size_t n = strlen(PROGRAM);
	return strncmp(line, PROGRAM, n) ? line : arena_printf(c->arena, "%s%s", c->cli->name, line + n);
}

int usage_error(struct cmd *c, const char *hint, const char *fmt, ...)
{
	const struct verb *v = c->verb;
	if (!hint && v)
		hint = arena_printf(c->arena, "usage: %s %s%s%s\nfor example: %s", c->cli->name, v->name, *v->usage ? " " : "", v->usage,
		                    example_text(c, v->example));
	va_list ap;
	va_start(ap, fmt);
	diag_fail(&c->diags, hint ? hint : arena_printf(c->arena, "see: %s help", c->cli->name), "%s", arena_vprintf(c->arena, fmt, ap));
	va_end(ap);
	return STATUS_USAGE;
}

_Noreturn void cmd_no_memory(struct cmd *c)
{
	longjmp(c->no_memory, 1);
}

struct arena *cmd_arena(struct cmd *c)
{
	struct arena *a = arena_new();
	if (!a)
		cmd_no_memory(c);
	arena_catch(a, &c->no_memory);
	return a;
}

int worse_status(int a, int b)
{
	static const int worst_first[] = {STATUS_USAGE, STATUS_REFUSED, STATUS_FAILED, STATUS_DENY};
	for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
		if (a == worst_first[i] || b == worst_first[i])
			return worst_first[i];
	return STATUS_OK;
}
