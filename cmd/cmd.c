/*
 * cmd.c - the frame every verb runs in: one arena, collected messages, one exit status.
 */
#include "cmd/cmd.h"
#include "cmd/room/room.h"

#include <string.h>

void cmd_forget(struct cmd *c)
{
	while (c->rooms.n)
		room_close(c->rooms.open[0]);
	rooms_reap(c);
	c->asking = (struct asking){0};
	documents_free(&c->inputs);
	arena_free(c->arena);
	c->arena = NULL;
}

void cmd_reset(struct cmd *c)
{
	cmd_forget(c);
	c->arena = cmd_arena(c);
	diags_init(&c->diags, c->arena);
}

int each_policy(struct cmd *c, int argc, char **argv,
                int (*one)(struct cmd *c, const char *path, const void *options, json_t *item), const void *options)
{
	int status = STATUS_OK;
	json_t *items = c->json.on ? json_array() : NULL;
	for (int i = 0; i < argc; i++) {
		json_t *item = c->json.on ? json_object() : NULL;
		cmd_reset(c);
		int one_status = one(c, argv[i], options, item);
		diags_flush(c);
		if (c->json.on) {
			json_object_set_new(item, "exit", json_integer(one_status));
			json_object_set_new(item, "diagnostics", json_take_diagnostics(c));
			json_array_append_new(items, item);
		}
		status = worse_status(status, one_status);
	}
	if (c->json.on)
		json_object_set_new(c->json.out, "policies", items);
	return status;
}
