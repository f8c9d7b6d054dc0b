/* budget.c - memory that a compilation has taken, and its stage. */
#include "policy/budget.h"

const char *const stage_words[STAGES] = {
	[STAGE_START] = "starting",
	[STAGE_PARSE] = "parsing the file",
	[STAGE_RUN] = "running the file",
	[STAGE_LIFT] = "evaluating a block",
	[STAGE_READ] = "reading the rules",
	[STAGE_DIAGRAM] = "building the decision diagram",
	[STAGE_EMIT] = "writing the program",
	[STAGE_PROVE] = "proving the program",
	[STAGE_CLAIMS] = "proving the claims",
	[STAGE_LINT] = "looking for rules that never decide",
	[STAGE_ASK] = "answering a request",
	[STAGE_COVER] = "looking for what no case covers",
	[STAGE_WRITE] = "writing the result",
};

void budget_take(struct budget *b, size_t size)
{
	if (size > b->limit || b->used > b->limit - size)
		b->over(b);
	b->used += size;
}

void budget_stage(struct budget *b, enum stage stage)
{
	if (!b || !b->progress)
		return;
	b->progress->stage = stage;
	b->progress->file = 0;
	b->progress->line = 0;
}

void budget_line(struct budget *b, int line)
{
	if (b && b->progress)
		b->progress->line = line;
}
