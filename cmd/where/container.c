/*
 * container.c - whose a cgroup is, for people: the container, its name and engine, its pod, the unit.
 *
 * The names of directories tell the id, and the engines' files the name. Whoever may make a directory may give it such a
 * name: only one that root alone could have made is believed, and nothing of what is inside of a container.
 */
#include "cgroup/cgroup.h"
#include "cmd/where/engines.h"
#include "cmd/where/where.h"

#include <string.h>
#include <sys/stat.h>

/* Are all directories above the first n bytes of the path root's? */
static bool roots_alone(struct cmd *c, const char *path, size_t n)
{
	const char *mount = cgroup_mount(c->arena);
	char *at = mount ? arena_printf(c->arena, "%s%.*s", mount, (int)n, path) : NULL;
	struct stat st;
	for (char *end; at && strlen(at) > strlen(mount) && (end = strrchr(at, '/'));) {
		*end = '\0';
		if (stat(at, &st) || st.st_uid || st.st_mode & S_IWOTH)
			return false;
	}
	return at;
}

/* What the engine wrote beside the container: its name in the pod, and the pod's. */
static void ask_pod(struct cmd *c, struct container_told *out)
{
	static const struct { const char *file, *name, *pod, *space; } places[] = {
		{"/run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json", "io.kubernetes.cri.container-name",
	         "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.sandbox-namespace"},
		{"/run/containers/storage/overlay-containers/%s/userdata/config.json", "io.kubernetes.container.name", "io.kubernetes.pod.name",
	         "io.kubernetes.pod.namespace"},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places && out->pod; i++) {
		const char *head = places[i].file, *mark = strstr(head, "%s"), *why;
		json_t *spec = NULL;
		state_read(c, arena_printf(c->arena, "%.*s%s%s", (int)(mark - head), head, out->id, mark + 2), &spec, &why);
		const json_t *notes = json_object_get(spec, "annotations");
		const char *name = state_text(notes, places[i].name), *pod = state_text(notes, places[i].pod),
		           *space = state_text(notes, places[i].space);
		if (name && !out->name)
			out->name = arena_strdup(c->arena, name);
		if (pod && space)
			out->pod = arena_printf(c->arena, "%s/%s", space, pod);
		json_decref(spec);
		if (pod)
			return;
	}
}

static void ask_engines(struct cmd *c, const char *path, struct container_told *out)
{
	struct engine_container held;
	struct engine_answer answer;
	if (out->id) {
		engines_ask_id(c, out->id, &answer);
		if (answer.n)
			out->name = answer.list[0].name;
		if (answer.n && !out->engine)
			out->engine = answer.list[0].engine;
		ask_pod(c, out);
	} else if (!out->name && engines_ask_path(c, path, &held)) {
		out->engine = held.engine;
		out->name = held.name;
	}
}

void container_told(struct cmd *c, const char *path, struct container_told *out)
{
	struct cgroup_told told;
	cgroup_told(c->arena, path, &told);
	*out = (struct container_told){.unit = told.unit};
	if (told.at && roots_alone(c, path, told.at)) {
		out->engine = told.engine;
		out->id = told.id;
		out->name = told.name;
		out->pod = told.id ? told.pod : NULL;
	}
	ask_engines(c, path, out);
}

const char *container_text(struct arena *a, const struct container_told *t)
{
	const char *id = t->id ? arena_printf(a, "%s%.12s", t->engine ? " " : "container ", t->id) : "";
	const char *whose = arena_printf(a, "%s%s", t->engine ? t->engine : "", id);
	const char *name = t->name && t->pod ? arena_printf(a, "%s in pod %s", t->name, t->pod)
	                   : t->pod          ? arena_printf(a, "pod %s", t->pod)
	                                     : t->name;
	if (!t->id && !t->name)
		return t->unit;
	return name ? arena_printf(a, "%s (%s)", name, whose) : whose;
}
