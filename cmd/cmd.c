/*
 * cmd.c - the frame every verb runs in: one arena, collected messages, one exit status.
 */
#include "cmd/cmd.h"

#include <string.h>

int usage_error(struct cmd *c, const char *hint, const char *fmt, ...)
{
	char *see = c->verb ? arena_printf(c->arena, "see: %s help %s", PROGRAM, c->verb->name)
	                    : arena_printf(c->arena, "see: %s help", PROGRAM);
	va_list ap;
	va_start(ap, fmt);
	diag_fail(&c->diags, hint ? hint : see, "%s", arena_vprintf(c->arena, fmt, ap));
	va_end(ap);
	return STATUS_USAGE;
}

_Noreturn void cmd_no_memory(struct cmd *c)
{
	longjmp(c->no_memory, 1);
}

void cmd_forget(struct cmd *c)
{
	while (c->nrooms)
		room_close(c->rooms[0]);
	rooms_reap(c);
	c->asked = NULL;
	c->nasked = c->asked_cap = 0;
	c->loaded = NULL;
	c->nloaded = c->loaded_cap = 0;
	for (size_t i = 0; i < c->ninputs; i++)
		input_free(&c->inputs[i]);
	c->ninputs = 0;
	arena_free(c->arena);
	c->arena = NULL;
}

struct arena *cmd_arena(struct cmd *c)
{
	struct arena *a = arena_new();
	if (!a)
		cmd_no_memory(c);
	arena_catch(a, &c->no_memory);
	return a;
}

void cmd_reset(struct cmd *c)
{
	cmd_forget(c);
	c->arena = cmd_arena(c);
	diags_init(&c->diags, c->arena);
}

int worse_status(int a, int b)
{
	static const int worst_first[] = {STATUS_USAGE, STATUS_REFUSED, STATUS_FAILED, STATUS_DENY};
	for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++)
		if (a == worst_first[i] || b == worst_first[i])
			return worst_first[i];
	return STATUS_OK;
}

int each_policy(struct cmd *c, int argc, char **argv,
                int (*one)(struct cmd *c, const char *path, json_t *item))
{
	int status = STATUS_OK;
	json_t *items = c->json ? json_array() : NULL;
	for (int i = 0; i < argc; i++) {
		json_t *item = c->json ? json_object() : NULL;
		cmd_reset(c);
		int one_status = one(c, argv[i], item);
		diags_flush(c);
		if (c->json) {
			json_object_set_new(item, "exit", json_integer(one_status));
			json_object_set_new(item, "diagnostics",
			                    c->diagnostics ? c->diagnostics : json_array());
			c->diagnostics = NULL;
			json_array_append_new(items, item);
		}
		status = worse_status(status, one_status);
	}
	if (c->json)
		json_object_set_new(c->out, "policies", items);
	return status;
}
