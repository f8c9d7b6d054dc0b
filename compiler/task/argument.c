/* argument.c - what the readers of asks are given. */
#include "compiler/task/task.h"

int64_t reader_argument(const struct ask *ask)
{
	int64_t parts = 0;
	if (ask->kind != ASK_UNDER)
		return ask->number;
	for (const char *s = ask->text; *s; s++)
		parts += s[0] == '/' && s[1];
	return parts;
}
