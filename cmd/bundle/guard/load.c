/*
 * load.c - the policy that a bundle carries, proven again on this host: as the tool does it of an object.
 */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/judged.h"

int carried_load(struct cmd *c, const struct load *l, struct unit *u)
{
	const struct loading g = {.cmd = c, .settings = &c->settings, .load = l};
	const struct carried *has = carried();
	struct room *prover;
	*u = (struct unit){0};
	int status = room_open(c, &c->settings, c->cli->judge, &prover);
	if (!status)
		status = unit_judge(&g, prover, JOB_OBJECT, c->cli->name, has->object, has->nobject, u);
	return unit_loaded(c, status, l, u);
}
