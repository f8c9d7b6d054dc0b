/*
 * questions.c - the parent answers a child's questions about the host: one line of the
 * table each. A question is a kind and a text; everything else about it is decided here.
 */
#include "cmd/room/questions.h"

#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"

/* ---- the answers ------------------------------------------------------------------------ */

/* Fills in the answer and returns its text, or NULL. */
static const char *device(struct cmd *c, const char *path, struct answer *out)
{
	struct host_device found;
	host_dev.device(&host_dev, c->arena, path, &found);
	out->error = found.error;
	out->mode = found.mode & S_IFMT;
	if (S_ISCHR(found.mode) || S_ISBLK(found.mode)) {
		out->major = found.major;
		out->minor = found.minor;
	}
	return found.near;
}

static const char *groups(struct cmd *c, const char *nothing, struct answer *out)
{
	const char *listing = NULL;
	(void)nothing;
	out->error = host_dev.groups(&host_dev, c->arena, &listing);
	return out->error ? NULL : listing;
}

static const struct kind {
	const char *(*answer)(struct cmd *c, const char *text, struct answer *out);
	const char *what; /* for people who read this table */
} kinds[QUESTION_KINDS] = {
	[ASK_DEVICE] = {device, "the device node at a path below /dev: type and number, or a near name"},
	[ASK_GROUPS] = {groups, "the text of /proc/devices"},
};

/* ---- asking ------------------------------------------------------------------------------ */

static bool answered(struct cmd *c, const unsigned char *data, size_t len, const unsigned char **answer, size_t *n)
{
	struct question q;
	struct answer head = {0};
	if (len < sizeof q)
		return false;
	memcpy(&q, data, sizeof q);
	if (q.kind >= QUESTION_KINDS || memchr(data + sizeof q, 0, len - sizeof q))
		return false;
	const char *text = arena_strndup(c->arena, (const char *)data + sizeof q, len - sizeof q);
	const char *said = kinds[q.kind].answer(c, text, &head);
	size_t nsaid = said ? strlen(said) : 0;
	head.has_text = said != NULL;
	unsigned char *all = arena_alloc(c->arena, sizeof head + nsaid);
	memcpy(all, &head, sizeof head);
	if (nsaid)
		memcpy(all + sizeof head, said, nsaid);
	*answer = all;
	*n = sizeof head + nsaid;
	return true;
}

bool question_answer(struct cmd *c, const unsigned char *data, size_t len, const unsigned char **answer,
                     size_t *n)
{
	if (!answered(c, data, len, answer, n))
		return false;
	unsigned char *question = arena_alloc(c->arena, len);
	memcpy(question, data, len);
	*ARENA_PUSH(c->arena, c->asked, c->nasked, c->asked_cap) = (struct asked){question, len, *answer, *n};
	return true;
}

bool asked_still(struct cmd *c, const struct asked *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char *now;
		size_t len;
		if (!answered(c, list[i].question, list[i].nquestion, &now, &len) || len != list[i].nanswer ||
		    memcmp(now, list[i].answer, len))
			return false;
	}
	return true;
}
