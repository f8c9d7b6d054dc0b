/*
 * engines.c - which containers have a name, by the files in which engines keep them.
 *
 *   docker              DATA-ROOT/containers/ID/config.v2.json: ID, Name ("/web"); with userns-remap DATA-ROOT/UID.GID/...
 *   podman, CRI-O       storage/DRIVER-containers/containers.json: a list of id, names
 *   runc                ROOT/NAME/state.json: cgroup_paths, the empty key is v2's
 *   crun                ROOT/NAME/status: cgroup-path
 *   containerd (ctr)    keeps its containers as runc's and crun's, a ROOT for each namespace
 *
 * The first two tell an id, by which the cgroup is found; a runtime tells the cgroup. Nobody is
 * asked: no daemon, no socket, no program.
 */
#include "cgroup/cgroup.h"
#include "cmd/where/engines.h"
#include "cmd/where/where.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct asking_engines {
	struct cmd *c;
	const char *name; /* that is looked for; NULL: any, */
	struct engine_answer *out;
	const char *id;   /* of the container with that id */
};

/* The first of them is told. */
static void was_not_read(struct asking_engines *q, const char *why)
{
	if (!q->out->unread)
		q->out->unread = why;
}

/* An engine's file; NULL: it is not there, or not read. */
static json_t *read_file(struct asking_engines *q, const char *path)
{
	json_t *state;
	const char *why;
	if (state_read(q->c, path, &state, &why) == STATE_NOT)
		was_not_read(q, why);
	return state;
}

static const char *const *entries(struct asking_engines *q, const char *dir, size_t *n)
{
	const char *const *names;
	const char *why;
	if (state_entries(q->c, dir, &names, n, &why) == STATE_NOT)
		was_not_read(q, why);
	return names;
}

static bool is_id(const char *text)
{
	return text && strlen(text) == CONTAINER_ID && strspn(text, "0123456789abcdef") == CONTAINER_ID;
}

static void add(struct asking_engines *q, const char *engine, const char *name, const char *id, const char *path)
{
	struct arena *a = q->c->arena;
	*ARENA_PUSH(a, q->out->list, q->out->n, q->out->cap) = (struct engine_container){
		engine, arena_strdup(a, name), id ? arena_strdup(a, id) : NULL, path ? arena_strdup(a, path) : NULL};
}

/* Is one of that name or id looked for? */
static bool is_wanted(const struct asking_engines *q, const char *name, const char *id)
{
	return name && (!q->name || !strcmp(name, q->name)) && (!q->id || !strcmp(id, q->id));
}

/* The directory that a link leads to; itself, where there is nothing. */
static const char *real_directory(struct cmd *c, const char *dir)
{
	char *real = realpath(dir, NULL);
	if (!real && errno == ENOMEM)
		cmd_no_memory(c);
	const char *path = real ? arena_strdup(c->arena, real) : dir;
	free(real);
	return path;
}

/* ---- docker -------------------------------------------------------------------------------- */

static void ask_data_root(struct asking_engines *q, const char *root)
{
	struct arena *a = q->c->arena;
	const char *dir = real_directory(q->c, arena_printf(a, "%s/containers", root));
	size_t n;
	const char *const *ids = entries(q, dir, &n);
	for (size_t i = 0; i < n; i++) {
		if (!is_id(ids[i]) || (q->id && strcmp(q->id, ids[i])))
			continue;
		json_t *state = read_file(q, arena_printf(a, "%s/%s/config.v2.json", dir, ids[i]));
		const char *name = state_text(state, "Name");
		if (name && is_wanted(q, name + (*name == '/'), ids[i]))
			add(q, "docker", name + (*name == '/'), ids[i], NULL);
		json_decref(state);
	}
}

/* "231072.231072": the part of the data root for containers whose root is that user. */
static bool is_remapped(const char *name)
{
	size_t uid = strspn(name, "0123456789");
	return uid && name[uid] == '.' && name[uid + 1] && !name[uid + 1 + strspn(name + uid + 1, "0123456789")];
}

static void ask_docker(struct asking_engines *q)
{
	struct arena *a = q->c->arena;
	json_t *config = read_file(q, "/etc/docker/daemon.json");
	const char *given = state_text(config, "data-root");
	const char *roots[] = {given ? given : "/var/lib/docker", "/var/snap/docker/common/var-lib-docker"};
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		size_t n;
		const char *const *names = entries(q, roots[i], &n);
		ask_data_root(q, roots[i]);
		for (size_t k = 0; k < n; k++)
			if (is_remapped(names[k]))
				ask_data_root(q, arena_printf(a, "%s/%s", roots[i], names[k]));
	}
	json_decref(config);
}

/* ---- podman, CRI-O --------------------------------------------------------------------------- */

/* The name of it that is looked for, or NULL. */
static const char *wanted_name(const struct asking_engines *q, const json_t *container, const char *id)
{
	const json_t *names = json_object_get(container, "names"), *one;
	size_t i;
	json_array_foreach((json_t *)names, i, one)
		if (is_wanted(q, json_string_value(one), id))
			return json_string_value(one);
	return NULL;
}

static void ask_list(struct asking_engines *q, const char *path)
{
	json_t *list = read_file(q, path), *one;
	size_t i;
	json_array_foreach(list, i, one) {
		const char *id = state_text(one, "id"), *name = is_id(id) ? wanted_name(q, one, id) : NULL;
		if (name)
			add(q, "podman or CRI-O", name, id, NULL);
	}
	json_decref(list);
}

static void ask_storage(struct asking_engines *q, const char *storage)
{
	struct arena *a = q->c->arena;
	const char *dir = real_directory(q->c, storage);
	static const char suffix[] = "-containers";
	size_t n;
	const char *const *drivers = entries(q, dir, &n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(drivers[i]);
		if (len < sizeof suffix || strcmp(drivers[i] + len - (sizeof suffix - 1), suffix))
			continue;
		ask_list(q, arena_printf(a, "%s/%s/containers.json", dir, drivers[i]));
		ask_list(q, arena_printf(a, "%s/%s/volatile-containers.json", dir, drivers[i]));
	}
}

/* ---- runtimes --------------------------------------------------------------------------------- */

/* A path below the mount of the hierarchy, as a runtime sees it: from the mount on. */
static const char *from_mount(struct cmd *c, const char *path)
{
	const char *mount = cgroup_mount(c->arena);
	size_t n = mount ? strlen(mount) : 0;
	return n && !strncmp(path, mount, n) && path[n] == '/' ? path + n : NULL;
}

static void ask_root(struct asking_engines *q, const char *engine, const char *root)
{
	struct cmd *c = q->c;
	json_t *runc = read_file(q, arena_printf(c->arena, "%s/%s/state.json", root, q->name));
	json_t *crun = read_file(q, arena_printf(c->arena, "%s/%s/status", root, q->name));
	const char *path = state_text(json_object_get(runc, "cgroup_paths"), "");
	if (path && (path = from_mount(c, path)))
		add(q, engine ? engine : "runc", q->name, NULL, path);
	if ((path = state_text(crun, "cgroup-path")))
		add(q, engine ? engine : "crun", q->name, NULL, *path == '/' ? path : arena_printf(c->arena, "/%s", path));
	json_decref(runc);
	json_decref(crun);
}

/* All of a root; an id is told by the cgroup's name too. */
static void ask_root_for_all(struct asking_engines *q, const char *engine, const char *root)
{
	size_t n;
	const char *const *names = entries(q, root, &n);
	for (size_t i = 0; i < n; i++)
		if (!is_id(names[i])) {
			q->name = names[i];
			ask_root(q, engine, root);
		}
}

/* runc's and crun's own, and one for each namespace of containerd. */
static void ask_roots(struct asking_engines *q, void (*ask)(struct asking_engines *, const char *, const char *))
{
	static const char *const containerds[] = {"/run/containerd/runc", "/run/docker/runtime-runc"};
	ask(q, NULL, "/run/runc");
	ask(q, NULL, "/run/crun");
	for (size_t i = 0; i < sizeof containerds / sizeof *containerds; i++) {
		size_t n;
		const char *const *names = entries(q, containerds[i], &n);
		for (size_t k = 0; k < n; k++)
			ask(q, arena_printf(q->c->arena, "containerd, namespace %s", names[k]),
			    arena_printf(q->c->arena, "%s/%s", containerds[i], names[k]));
	}
}

bool engines_hold(struct cmd *c, const char *path)
{
	struct engine_answer all = {0};
	struct asking_engines q = {.c = c, .out = &all};
	bool inside = false;
	ask_roots(&q, ask_root_for_all);
	for (size_t i = 0; i < all.n; i++) {
		size_t n = strlen(all.list[i].path);
		inside |= n > 1 && !strncmp(path, all.list[i].path, n) && path[n] == '/';
	}
	return inside;
}

const char *engines_payload(struct cmd *c, const char *id, const char *path)
{
	struct engine_answer answer = {0};
	struct asking_engines q = {.c = c, .name = id, .out = &answer};
	size_t n = strlen(path);
	ask_roots(&q, ask_root);
	for (size_t i = 0; i < answer.n; i++)
		if (!strncmp(answer.list[i].path, path, n) && answer.list[i].path[n] == '/')
			return answer.list[i].path;
	return path;
}

void engines_ask(struct cmd *c, const char *name, struct engine_answer *out)
{
	struct asking_engines q = {.c = c, .name = name, .out = out};
	*out = (struct engine_answer){0};
	if (*name == '.' || strchr(name, '/') || strlen(name) > NAME_MAX)
		return; /* no name of a container; it would leave the directory, or fit in none */
	ask_docker(&q);
	ask_storage(&q, "/var/lib/containers/storage");
	ask_storage(&q, "/run/containers/storage");
	ask_roots(&q, ask_root);
}

bool where_container_is(struct cmd *c, const char *id, const char *name)
{
	size_t n = strlen(name);
	struct engine_answer answer;
	if (!strcmp(name, id))
		return true;
	if (is_id(id) && n >= CONTAINER_ID_LEAST && !strncmp(name, id, n))
		return true;
	engines_ask(c, name, &answer);
	for (size_t i = 0; i < answer.n; i++)
		if (answer.list[i].id && !strcmp(answer.list[i].id, id))
			return true;
	return false;
}

void engines_ask_id(struct cmd *c, const char *id, struct engine_answer *out)
{
	struct asking_engines q = {.c = c, .id = id, .out = out};
	*out = (struct engine_answer){0};
	ask_docker(&q);
	ask_storage(&q, "/var/lib/containers/storage");
	ask_storage(&q, "/run/containers/storage");
}

bool engines_ask_path(struct cmd *c, const char *path, struct engine_container *out)
{
	struct engine_answer all = {0};
	struct asking_engines q = {.c = c, .out = &all};
	size_t longest = 0;
	ask_roots(&q, ask_root_for_all);
	for (size_t i = 0; i < all.n; i++) {
		size_t n = strlen(all.list[i].path);
		if (n <= longest || n <= 1 || strncmp(path, all.list[i].path, n) || (path[n] && path[n] != '/'))
			continue;
		longest = n;
		*out = all.list[i];
	}
	return longest;
}
