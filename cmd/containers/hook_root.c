/*
 * hook_root.c - where the files are that a container's policy names: below the root directory that its process has (with LXC),
 * or will have, as the bundle's config.json tells (crun, runc). Read only when the policy names files. Nothing in it is trusted.
 */
#include "cgroup/cgroup.h"
#include "cmd/containers/hook.h"

#include <string.h>
#include <unistd.h>

static int refuse(struct cmd *c, const char *file, const char *text)
{
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = file},
	         "the policy names files (ctx.exe), which are looked for in the container's root directory: name none, or let the "
	         "runtime make the bundle",
	         "%s", text);
	return STATUS_FAILED;
}

/* root.path of a config.json, absolute. STATUS_OK or a status. */
static int path_of(struct cmd *c, const struct hook_state *s, const struct document *in, const char **path)
{
	json_error_t error;
	json_t *spec = json_loadb(in->text, in->len, JSON_REJECT_DUPLICATES, &error);
	if (!spec)
		return refuse(c, in->file, arena_printf(c->arena, "it is no valid JSON: %s (line %d)", error.text, error.line));
	const char *root = json_string_value(json_object_get(json_object_get(spec, "root"), "path"));
	*path = !root || !*root ? NULL : *root == '/' ? arena_strdup(c->args, root) : arena_printf(c->args, "%s/%s", s->bundle, root);
	json_decref(spec);
	return *path ? STATUS_OK : refuse(c, in->file, "there is no root.path: the container has no root directory that can be told");
}

/* The same of the bundle. */
static int path_in_bundle(struct cmd *c, const struct hook_state *s, const char **path)
{
	struct document *in;
	if (*s->bundle != '/')
		return refuse(c, "state", arena_printf(c->arena, "the bundle %s is no absolute path", s->bundle));
	int status = input_read(c, arena_printf(c->args, "%s/config.json", s->bundle), INPUT_SPEC, &in);
	return status ? status : path_of(c, s, in, path);
}

int hook_root_find(struct cmd *c, const struct hook_state *s, const struct container_process *p, const struct cgroup *cg,
                   struct unit *u, struct hook_root *out)
{
	const char *path = NULL;
	if (!unit_names_files(u))
		return STATUS_OK;
	int begun = who_root_begun(c->arena, &c->diags, p);
	int status = begun < 0 ? STATUS_FAILED : begun ? STATUS_OK : path_in_bundle(c, s, &path);
	if (status)
		return status;
	out->fd = who_root_begin(c->arena, &c->diags, p, cg, path, &out->root);
	if (out->fd == WHO_ROOT_HOSTS)
		return STATUS_OK;
	if (out->fd < 0)
		return STATUS_FAILED;
	c->settings.exe_root = arena_printf(c->args, "/proc/self/fd/%d", out->fd);
	u->root = &out->root;
	return STATUS_OK;
}

void hook_root_end(struct hook_root *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}
