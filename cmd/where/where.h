/* where.h - a CGROUP of the command line, as people name it. */
#ifndef DEVGUARD_CMD_WHERE_H
#define DEVGUARD_CMD_WHERE_H

#include "cgroup/cgroup.h"
#include "cmd/cmd.h"

/* ---- own.c ------------------------------------------------------------------------------- */

/* The path of the cgroup this process is in, or NULL with a diagnostic. */
const char *own_cgroup(struct cmd *c);

/* ---- where.c ----------------------------------------------------------------------------- */

enum where_use { WHERE_LOOK, WHERE_ATTACH };
/* Opens the cgroup that `text` names; NULL: the one that --self or --unit names. A directory that is
 * there, "/web" as audit prints it, a unit of systemd, a container, a pid. -1 with a diagnostic when
 * nothing has that name, or more than one cgroup has. */
int where_open(struct cmd *c, const char *text, enum where_use use, struct cgroup **out);
/* By a name with its kind ("pid:42", "container:web"), from an option: no file of that name is looked at. */
int where_open_name(struct cmd *c, const char *text, struct cgroup **out);
/* Do --self or --unit name it? Then no operand does. */
bool where_given(const struct cmd *c);

/* ---- engines.c --------------------------------------------------------------------------- */

/* Is `name` a name of the container with that id: the id itself, its first digits, or what its engine calls it? */
bool where_container_is(struct cmd *c, const char *id, const char *name);

/* ---- placed.c ---------------------------------------------------------------------------- */

struct placed {
	uint32_t id;
	const char *path;     /* of the cgroup it is on; NULL: not known, or above what is mounted here */
	struct attached at;   /* what the kernel says of it; without a path its number alone */
	struct author author; /* where it is not ours */
	bool host;            /* the host program, where whoever looks knows that */
};
/* Programs of a cgroup, `above`: and of those above it as far as they are mounted here. STATUS_OK or a status
 * with a diagnostic. */
int placed_find(struct cmd *c, struct cgroup *cg, bool above, const uint32_t *ids, size_t n, struct placed *out);
/* What is attached with these flags: "multi", "override", "exclusive". */
const char *attach_word(uint32_t flags);

/* ---- container.c ------------------------------------------------------------------------- */

/* Whose a cgroup is; NULL: not told. What stands in it is text of whoever started the container. */
struct container_told {
	const char *engine; /* "docker" */
	const char *id;     /* 64 digits */
	const char *name;
	const char *pod;    /* "default/web-1", or its uid */
	const char *unit;   /* of systemd, also of a container */
};
/* Of the cgroup `path`, from the mount on; asks the files of engines, no daemon. */
void container_told(struct cmd *c, const char *path, struct container_told *out);
/* "web (docker 3f2a91c0ffee)", "web.service"; NULL: nothing is known. */
const char *container_text(struct arena *a, const struct container_told *told);

#endif
