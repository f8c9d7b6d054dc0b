/* engines.h - containers by the names that their engines' own files give them. Private to this folder. */
#ifndef DEVGUARD_CMD_WHERE_ENGINES_H
#define DEVGUARD_CMD_WHERE_ENGINES_H

#include "cmd/cmd.h"

/* ---- state.c ---------------------------------------------------------------------------- */

/* One file of an engine. Its members are text of whoever started the container: only its engine could
 * write it, but what stands in it is to be checked. */
enum state_answer { STATE_READ, STATE_ABSENT, STATE_NOT };
/* STATE_NOT with *why: it is there, and is not read: others may have written it, it is no JSON ... */
enum state_answer state_read(struct cmd *c, const char *path, json_t **out, const char **why);
/* A member that is a text without control bytes, or NULL. */
const char *state_text(const json_t *object, const char *key);
/* The entries of a directory but those that begin with a dot, by name. STATE_NOT with *why. */
enum state_answer state_entries(struct cmd *c, const char *dir, const char *const **names, size_t *n, const char **why);

/* ---- engines.c -------------------------------------------------------------------------- */

struct engine_container {
	const char *engine; /* "docker" */
	const char *name;
	const char *id;     /* of 64 digits, NULL: `path` tells its cgroup */
	const char *path;   /* of its cgroup, from the hierarchy's root on */
};
struct engine_answer {
	struct engine_container *list;
	size_t n, cap;
	const char *unread;  /* what is there and was not read, with the reason; NULL: nothing */
};
/* All containers of that name, running or not. */
void engines_ask(struct cmd *c, const char *name, struct engine_answer *out);
/* Does the cgroup `path` lie inside of a container that a runtime keeps? One whose cgroup's name does
 * not tell that it is a container's. */
bool engines_hold(struct cmd *c, const char *path);
/* The cgroup that the runtime made for the container with that id, whose engine's is `path`: itself, or one
 * in it. */
const char *engines_payload(struct cmd *c, const char *id, const char *path);

/* The container with that id, whatever it is called. */
void engines_ask_id(struct cmd *c, const char *id, struct engine_answer *out);
/* The container that a runtime keeps and `path` is, or lies in. False: none. */
bool engines_ask_path(struct cmd *c, const char *path, struct engine_container *out);

#endif
