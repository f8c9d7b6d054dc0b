/* warn.c - what is told of a source holds now: grants end. */
#include "cmd/hosted/hosted.h"

void hosted_warn(struct cmd *c, const char *source, const struct hosted_here *e)
{
	const struct host_grant *next = NULL;
	size_t n = 0;
	for (size_t i = 0; i < e->n && hosted_opens(e); i++)
		if (e->list[i]->until) {
			n++;
			next = !next || e->list[i]->until < next->until ? e->list[i] : next;
		}
	if (!next && !(e->permit_until && hosted_opens(e)))
		return;
	struct diag said = {.level = DIAG_WARNING, .at = {.file = source}, .hint = next ? PROGRAM " grants lists them" : PROGRAM " stats --observe shows it"};
	said.text = !next ? "what is told is true as long as learn --permissive runs: it lets everything pass there"
	                  : arena_printf(c->arena, "what is told is true now: %s%s", grant_words(c->arena, e->host, next),
	                                 n > 1 ? arena_printf(c->arena, " is the first of %zu that end", n) : "");
	bool quiet = c->quiet;
	c->quiet = false;
	diag_show(c, &said);
	c->quiet = quiet;
}
