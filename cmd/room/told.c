/* told.c - what was found out about a claim, from the room: looked at before anybody reads it. */
#include "cmd/room/room.h"
#include "policy/claims.h"

#include <string.h>

bool claim_take(struct arena *a, struct claims_told *to, const void *data, size_t len)
{
	struct claim_told *told;
	if (len != sizeof *told || to->n == CLAIMS_MAX)
		return false;
	told = ARENA_PUSH(a, to->list, to->n, to->cap);
	memcpy(told, data, sizeof *told);
	char *const texts[] = {told->file, told->label, told->request, told->device, told->params, told->on, told->by_file, told->by_label};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!memchr(texts[i], 0, TOLD_TEXT))
			return false;
	return told->state < CLAIM_STATES && told->always <= 1 && told->by_default <= 1 && told->line >= 0 && told->by_line >= 0;
}
