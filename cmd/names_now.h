/* names_now.h - the files and cgroups that a running program takes for its policy's names, and what these are now. */
#ifndef DEVGUARD_CMD_NAMES_NOW_H
#define DEVGUARD_CMD_NAMES_NOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/image.h"

struct arena;
struct asked;
struct attached;
struct cgroup;
struct cmd;

enum name_state {
	NAME_SAME,    /* it is what it was when the program was loaded */
	NAME_CHANGED, /* another one has the name, or none */
	NAME_REFUSED, /* it is still there, and is not taken any more */
	NAME_NOTHING, /* it was nothing then, and is nothing */
	NAME_CAME,    /* it was nothing then, and is there now */
	NAME_OLDER,   /* it is what it was, and the process that is asked about runs a file that had the name before */
};
struct name_now {
	const char *path, *file; /* file: of the rule, "": the policy's own */
	const char *why;         /* it is nothing now: why; or NULL */
	int line;
	bool is_cgroup;
	bool absent;             /* why: there is none of that name */
	int64_t value;           /* of its path: path_value() */
	struct who_key was, is;  /* id 0: nothing */
	enum name_state state;
};
struct names_now {
	struct name_now *list;
	size_t n;
	const char *unknown; /* they cannot be told: why; or NULL */
	bool with_root;      /* its files were looked for in a container's root directory, */
	const char *root;    /* and this is that one now; NULL: no process there has it any more */
};
/* Those of a program that is attached to the cgroup. n 0: it has none. */
void program_names(struct cmd *c, const struct attached *at, const struct cgroup *cg, struct names_now *out);
/* The same of a program whose policy is at hand. */
void policy_names(struct cmd *c, const struct attached *at, const struct cgroup *cg, const struct asked *asked, struct names_now *out);
/* Would applying the policy again change it? */
bool name_differs(const struct name_now *w);
/* "file of line 4 is not that file any more: /usr/bin/tool was replaced; apply the policy again" */
const char *name_now_text(struct arena *a, const struct names_now *names, const struct name_now *w);
/* What of it is not as it was, a line each, behind `indent` blanks. */
void names_now_print(struct arena *a, const struct names_now *names, int indent);
json_t *names_now_json(const struct names_now *names);

#endif
