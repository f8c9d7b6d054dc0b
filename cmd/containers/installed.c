/*
 * installed.c - what `doctor` says of hooks: those that engines will run, whether their program and
 * their rules are as the hook will need them, and what they refused. Reads only.
 *
 * Hooks are looked for where install-hook writes without --dir and --spec, and where engines read
 * by default.
 */
#include "cmd/containers/installed.h"
#include "cgroup/cgroup.h"
#include "cmd/containers/hook.h"
#include "policy/file.h"
#include "policy/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct checks {
	struct cmd *c;
	struct host_check *list;
	size_t n, cap;
};

static struct host_check *add(struct checks *k, const char *what, enum host_state state, const char *found, const char *fix)
{
	struct host_check *h = ARENA_PUSH(k->c->arena, k->list, k->n, k->cap);
	*h = (struct host_check){.state = state, .what = what, .found = found, .fix = fix};
	return h;
}

/* A file of moderate size as text, or NULL. */
static const char *text_of(struct arena *a, const char *path)
{
	enum { MOST = 1 << 20 };
	struct file_text t = {0};
	struct stat st;
	int fd = open_regular(AT_FDCWD, path, &st);
	if (fd < 0)
		return NULL;
	const char *text = read_text(fd, MOST, &t) ? NULL : arena_strndup(a, t.data, t.len);
	close(fd);
	free(t.data);
	return text;
}

/* ---- a hook ------------------------------------------------------------------------------------ */

static const char *argument(const json_t *args, const char *option)
{
	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *word = json_string_value(json_array_get(args, i));
		if (word && !strcmp(word, option))
			return json_string_value(json_array_get(args, i + 1));
	}
	return NULL;
}

static bool given(const json_t *args, const char *option)
{
	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *word = json_string_value(json_array_get(args, i));
		if (word && !strcmp(word, option))
			return true;
	}
	return false;
}

/* The program that a wrapper runs, else the path itself. */
static const char *tool_of(struct arena *a, const char *path)
{
	static const char line[] = "\ntool='";
	const char *text = text_of(a, path), *at = text ? strstr(text, line) : NULL;
	if (!at)
		return path;
	at += sizeof line - 1;
	return arena_strndup(a, at, strcspn(at, "'"));
}

/* Would the hook take the file? NULL, or why not. */
static const char *distrust(struct arena *a, const char *path)
{
	const char *why;
	int fd, status = trusted_open(a, path, &fd, &why);
	if (!status)
		close(fd);
	return !status ? NULL : status > 0 ? arena_printf(a, "%s: no such file", path) : why;
}

static void check_program(struct checks *k, const char *path)
{
	struct arena *a = k->c->arena;
	const char *tool = tool_of(a, path), *why = distrust(a, path);
	if (!why && strcmp(path, tool) != 0)
		why = distrust(a, tool);
	if (!why && access(tool, X_OK))
		why = arena_printf(a, "%s: %s", tool, strerror(errno));
	add(k, "hook's program", why ? HOST_FAIL : HOST_OK, why ? why : tool,
	    why ? "install the tool again, or rucy-devguard install-hook --remove: until then no container starts" : NULL);
}

/* Every policy that the manifest may choose is there, and root's alone. */
static int open_policies(struct cmd *c, const struct manifest *m)
{
	const struct ruling *list;
	size_t n;
	manifest_variants(c->arena, m, &list, &n);
	for (size_t i = 0; i < n; i++) {
		struct policy_file file;
		int failed = manifest_policy_open(c->arena, &c->diags, m, list[i].policy, list[i].policy_at, &file);
		if (failed)
			return failed;
		close(file.fd);
	}
	return 0;
}

static void check_manifest_file(struct checks *k, const char *path)
{
	struct cmd *c = k->c;
	struct diags before = c->diags;
	struct manifest *m;
	const struct manifest_entry *entries;
	diags_init(&c->diags, c->arena);
	bool failed = manifest_load(c, c->arena, path, true, &m) || open_policies(c, m);
	if (failed)
		add(k, "hook's manifest", HOST_FAIL, c->diags.n ? arena_printf(c->arena, "%s: %s", path, c->diags.items[0].text) : path,
		    arena_printf(c->arena, "until then no container starts; see rucy-devguard check %s", path));
	else
		add(k, "hook's manifest", HOST_OK, arena_printf(c->arena, "%s, %zu entr%s; its policies are there (check compiles them)", path,
		                                                 manifest_entries(m, &entries), manifest_entries(m, &entries) == 1 ? "y" : "ies"), NULL);
	c->diags = before;
}

static void check_rules(struct checks *k, const json_t *args)
{
	const char *policy = argument(args, "--policy"), *config = argument(args, "--config");
	if (given(args, "--policy-from-spec")) {
		add(k, "hook's policy", HOST_OK, "each bundle's own list (--policy-from-spec)", NULL);
	} else if (policy) {
		const char *why = distrust(k->c->arena, policy);
		add(k, "hook's policy", why ? HOST_FAIL : HOST_OK, why ? why : arena_strdup(k->c->arena, policy), why ? "until then no container starts" : NULL);
	} else {
		check_manifest_file(k, config ? config : MANIFEST);
	}
}

/* What this very user's own containers get. */
static void check_user(struct checks *k, const json_t *args)
{
	const char *rootless = argument(args, "--rootless");
	if (!geteuid() && initial_user_namespace())
		return;
	bool refused = rootless && !strcmp(rootless, "refuse");
	add(k, "hook's user", HOST_WARN,
	    refused ? "containers that this user starts without root's rights are refused (--rootless refuse)"
	            : "containers that this user starts without root's rights start without a guard (--rootless skip)",
	    "only root of the host can load a guard; root can put one on the user's slice: rucy-devguard apply");
}

/* One that was installed, wherever: its file, the hook in it. */
static void check_hook(struct checks *k, const char *file, const json_t *hook, const char *whose)
{
	const json_t *args = json_object_get(hook, "args");
	const char *path = json_string_value(json_object_get(hook, "path"));
	bool open = argument(args, "--on-error") && !strcmp(argument(args, "--on-error"), "allow");
	add(k, "hook", open ? HOST_WARN : HOST_OK,
	    arena_printf(k->c->arena, "%s, for %s%s", file, whose, open ? ": containers that cannot be guarded START WITHOUT (--on-error allow)" : ""),
	    open ? "install-hook without --on-error allow" : NULL);
	check_program(k, path ? arena_strdup(k->c->arena, path) : "");
	check_rules(k, args);
	check_user(k, args);
}

/* ---- where hooks are ------------------------------------------------------------------------------ */

static json_t *json_of(struct arena *a, const char *path)
{
	const char *text = text_of(a, path);
	return text ? json_loads(text, 0, NULL) : NULL;
}

static void look_in(struct checks *k, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		if (n < 6 || strcmp(e->d_name + n - 5, ".json") != 0)
			continue;
		const char *path = arena_printf(k->c->arena, "%s/%s", dir, e->d_name);
		json_t *root = json_of(k->c->arena, path);
		if (hook_is_ours(json_object_get(root, "hook")))
			check_hook(k, path, json_object_get(root, "hook"),
			           json_object_get(json_object_get(root, "when"), "always") ? "every container of podman and CRI-O"
			                                                                    : "some containers of podman and CRI-O");
		json_decref(root);
	}
	if (d)
		closedir(d);
}

/* When the oldest process of that name was started, in seconds since 1970; 0: there is none. */
static long long started(struct arena *a, const char *name)
{
	const char *stat = text_of(a, "/proc/stat"), *at = stat ? strstr(stat, "\nbtime ") : NULL;
	long long boot = at ? atoll(at + 7) : 0, oldest = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;
	while (d && (e = readdir(d))) {
		if (*e->d_name < '1' || *e->d_name > '9')
			continue;
		const char *text = text_of(a, arena_printf(a, "/proc/%s/stat", e->d_name));
		const char *open = text ? strchr(text, '(') : NULL, *end = text ? strrchr(text, ')') : NULL;
		if (!end || !open || (size_t)(end - open - 1) != strlen(name) || strncmp(open + 1, name, strlen(name)) != 0)
			continue;
		for (int i = 0; i < 20 && end; i++) /* to the 22nd value, from the second on */
			end = strchr(end + 1, ' ');
		long long when = end ? boot + atoll(end + 1) / sysconf(_SC_CLK_TCK) : 0;
		if (when && (!oldest || when < oldest))
			oldest = when;
	}
	if (d)
		closedir(d);
	return oldest;
}

static void look_at_containerd(struct checks *k)
{
	static const char *const configurations[] = {"/etc/containerd/config.toml", "/etc/k3s/containerd/config.toml",
	                                             "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"};
	struct arena *a = k->c->arena;
	const char *named = NULL;
	struct stat st;
	for (size_t i = 0; !named && i < sizeof configurations / sizeof *configurations; i++) {
		const char *text = text_of(a, configurations[i]);
		named = text && strstr(text, BASE_SPEC) ? configurations[i] : NULL;
	}
	json_t *root = json_of(a, BASE_SPEC), *list = json_object_get(json_object_get(root, "hooks"), "createRuntime"), *hook;
	size_t i;
	bool any = false;
	json_array_foreach(list, i, hook) {
		if (hook_is_ours(hook)) {
			any = true;
			check_hook(k, BASE_SPEC, hook, "every container that containerd makes by CRI");
		}
	}
	if (named && !root)
		add(k, "containerd", HOST_FAIL, arena_printf(a, "%s names " BASE_SPEC ", which is missing or no JSON: containerd has no CRI", named),
		    "ctr oci spec | rucy-devguard install-hook --containerd, or take base_runtime_spec out; then restart containerd");
	else if (any && !named)
		add(k, "containerd", HOST_WARN, "its configuration does not name " BASE_SPEC " (/etc/containerd/config.toml)",
		    "name it as base_runtime_spec and restart containerd; or it is named in another file");
	else if (named && !stat(BASE_SPEC, &st) && started(a, "containerd") && started(a, "containerd") < (long long)st.st_mtime)
		add(k, "containerd", HOST_WARN, "it was started before " BASE_SPEC " was written, and reads it at its start only", "restart containerd");
	else if (named)
		add(k, "containerd", HOST_OK, arena_printf(a, "%s names " BASE_SPEC, named), NULL);
	json_decref(root);
}

static void look_at_docker(struct checks *k)
{
	static const char file[] = "/etc/docker/daemon.json";
	json_t *root = json_of(k->c->arena, file), *runtime;
	const char *name, *of_all = json_string_value(json_object_get(root, "default-runtime"));
	json_object_foreach(json_object_get(root, "runtimes"), name, runtime) {
		const char *path = json_string_value(json_object_get(runtime, "path"));
		if (!path || !strstr(path, PROGRAM "-runtime"))
			continue;
		bool all = of_all && !strcmp(of_all, name);
		const char *why = distrust(k->c->arena, path);
		add(k, "hook", why ? HOST_FAIL : HOST_OK,
		    why ? why : arena_printf(k->c->arena, "%s: runtime %s, for %s of Docker", file, arena_strdup(k->c->arena, name),
		                             all ? "every container" : "containers that ask for it"),
		    why ? "make install" : NULL);
		if (!access(MANIFEST, F_OK)) /* the runtime's own settings may name another */
			check_manifest_file(k, MANIFEST);
	}
	json_decref(root);
}

/* ---- what they said --------------------------------------------------------------------------- */

/* The kernel's log has what a hook refused, or let start. */
static void check_log(struct checks *k)
{
	enum { RECORD = 8192 };
	static const char *const marks[] = {";" PROGRAM ": ", ";" PROGRAM "-runtime: ", ";" PROGRAM "-lxc: "};
	char record[RECORD + 1];
	const char *last = NULL;
	size_t count = 0;
	ssize_t n;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		add(k, "hook's log", HOST_WARN, arena_printf(k->c->arena, "the kernel's log cannot be read: %s", strerror(errno)), "run it as root");
		return;
	}
	while ((n = read(fd, record, RECORD)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue; /* overwritten meanwhile */
		record[n] = '\0';
		record[strcspn(record, "\n")] = '\0';
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
			const char *text = strstr(record, marks[i]);
			if (!text)
				continue;
			last = arena_strdup(k->c->arena, text + 1);
			count++;
		}
	}
	close(fd);
	if (last)
		add(k, "hook's log", HOST_WARN, arena_printf(k->c->arena, "%zu message%s in the kernel's log (dmesg), the last: %s", count, count == 1 ? "" : "s", last),
		    "such a container did not start, or started without its guard");
	else
		add(k, "hook's log", HOST_OK, "nothing was refused (the kernel's log, dmesg)", NULL);
}

void hook_checks(struct cmd *c, struct host_check **list, size_t *n)
{
	struct checks k = {.c = c};
	look_in(&k, "/usr/share/containers/oci/hooks.d");
	look_in(&k, "/etc/containers/oci/hooks.d");
	look_at_containerd(&k);
	look_at_docker(&k);
	if (!k.n)
		add(&k, "hook", HOST_OK, "none is installed where engines look by default: containers are not guarded by one", NULL);
	else
		check_log(&k);
	*list = k.list;
	*n = k.n;
}
