/*
 * guard_apply.c - `apply --config`: every cgroup that exists and that an entry of
 * the manifest names by its path gets that entry's policy.
 *
 * A cgroup below one that the same entry guarded is guarded with it and gets no
 * program of its own. What fails on one cgroup does not keep the others from theirs.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/containers/guard.h"
#include "cmd/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum outcome_kind { PENDING, GUARDED, COVERED, LEFT, REFUSED, GONE, FAILED };
static const char *const outcome_words[] = {"pending", "guarded", "covered", "unguarded",
                                            "refused", "gone",    "failed"};

struct target {
	const char *path;        /* of the directory */
	struct ruling ruling;
	struct target *above;    /* the nearest one that is a target too, or NULL */
	struct target *covers;   /* COVERED: the one above; LEFT: one above with a policy */
	enum outcome_kind outcome;
	json_t *json;
};

struct sweep {
	struct cmd *c;
	struct arena *keep;
	const struct manifest *m;
	const char *mount;
	bool dry_run;
	struct target **targets; /* each after those above it */
	size_t n, cap;
	int status;
	size_t counts[FAILED + 1];
};

/* ---- which cgroups ------------------------------------------------------------------ */

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	return !strncmp(path, dir, n) && path[n] == '/';
}

static int last_first(const void *a, const void *b)
{
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

static void add_target(struct sweep *s, const char *path, struct target **last)
{
	struct ruling ruling;
	if (!manifest_choose_cgroup(s->keep, s->m, path + strlen(s->mount), &ruling))
		return;
	while (*last && !is_below(path, (*last)->path))
		*last = (*last)->above;
	struct target *t = arena_alloc(s->keep, sizeof *t);
	*t = (struct target){.path = arena_strdup(s->keep, path), .ruling = ruling, .above = *last};
	*ARENA_PUSH(s->keep, s->targets, s->n, s->cap) = t;
	*last = t;
}

/* Paths of directories that are looked at later. */
struct paths {
	const char **items;
	size_t n, cap;
};

/* Those in an open directory, the first one last. 0 or an errno. */
static int push_directories(struct sweep *s, DIR *dir, const char *path, struct paths *todo)
{
	size_t before = todo->n;
	struct dirent *e;
	while (errno = 0, (e = readdir(dir)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*ARENA_PUSH(s->keep, todo->items, todo->n, todo->cap) =
				arena_printf(s->keep, "%s%s%s", path, path[1] ? "/" : "", e->d_name);
	int error = errno;
	if (todo->n > before)
		qsort(todo->items + before, todo->n - before, sizeof *todo->items, last_first);
	return error;
}

/* What is below a directory of the hierarchy, itself of file system `device`. 0 or an errno. */
static int look_below(struct sweep *s, const char *path, dev_t device, struct paths *todo)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int error = !dir || fstat(fd, &st) ? errno : 0;
	if (!error && st.st_dev == device) /* else another one is mounted there */
		error = push_directories(s, dir, path, todo);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return error;
}

/* Every cgroup but the root of the hierarchy, where the host itself runs. */
static int find_targets(struct sweep *s)
{
	struct target *last = NULL;
	struct paths todo = {0};
	struct stat st;
	if (stat(s->mount, &st))
		return diag_fail(&s->c->diags, "is it mounted and readable?", "cannot read %s: %s",
		                 s->mount, strerror(errno));
	*ARENA_PUSH(s->keep, todo.items, todo.n, todo.cap) = s->mount;
	while (todo.n) {
		const char *path = todo.items[--todo.n];
		if (path != s->mount)
			add_target(s, path, &last);
		int error = look_below(s, path, st.st_dev, &todo);
		if (error && error != ENOENT)
			diag_fail(&s->c->diags, error_hint(s->c->arena, error, "is it mounted and readable?"),
			          "cannot look below %s: %s", path, strerror(error));
	}
	return s->c->diags.errors ? -1 : 0;
}

/* ---- what is done with one ------------------------------------------------------------- */

/* The nearest target above that the same entry guarded. */
static struct target *guarded_above(const struct target *t)
{
	struct target *up = t->above;
	while (up && (up->outcome != GUARDED || strcmp(up->ruling.entry, t->ruling.entry) != 0))
		up = up->above;
	return up;
}

/* Left unguarded; but a policy above holds below too. */
static void leave(struct target *t)
{
	t->outcome = LEFT;
	t->covers = t->above;
	while (t->covers && t->covers->ruling.kind != RULING_POLICY)
		t->covers = t->covers->above;
}

static bool is_gone(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

static void guard(struct sweep *s, struct target *t, struct unit *u)
{
	struct cmd *c = s->c;
	struct cgroup *cg;
	json_t *whole = c->json.out; /* apply_unit() fills in that of this cgroup */
	int status = STATUS_FAILED;
	if ((t->covers = guarded_above(t))) {
		t->outcome = COVERED;
		return;
	}
	c->json.out = t->json;
	if (!cgroup_open(c->arena, &c->diags, t->path, &cg)) {
		status = apply_unit(c, u, cg, s->dry_run, stdout);
		cgroup_close(cg);
	}
	c->json.out = whole;
	t->outcome = !status ? GUARDED : is_gone(t->path) ? GONE : FAILED;
	if (t->outcome == GONE)
		diags_init(&c->diags, c->arena);
	if (t->outcome == FAILED)
		s->status = worse_status(s->status, status);
	diags_flush(c);
}

static void print_target(const struct target *t)
{
	if (t->outcome == GUARDED) /* apply_unit() has */
		return;
	put_text(stdout, t->path);
	if (t->outcome == COVERED) {
		fputs(": guarded with ", stdout);
		put_text(stdout, t->covers->path);
		putchar('\n');
	} else if (t->outcome == LEFT && t->covers) {
		fputs(": no policy of its own, but the one for what is above holds: ", stdout);
		put_text(stdout, t->covers->path);
		putchar('\n');
	} else {
		static const char *const words[] = {
			[LEFT] = "left unguarded", [REFUSED] = "not guarded: nothing should run in it",
			[GONE] = "removed meanwhile", [FAILED] = "not guarded"};
		printf(": %s\n", words[t->outcome]);
	}
}

static void finish_target(struct sweep *s, struct target *t)
{
	struct cmd *c = s->c;
	s->counts[t->outcome]++;
	if (!c->json.on) {
		print_target(t);
		return;
	}
	json_object_set_new(t->json, "entry", text_json(t->ruling.entry));
	json_object_set_new(t->json, "cgroup", text_json(t->path));
	json_object_set_new(t->json, "outcome", json_string(outcome_words[t->outcome]));
	if (t->covers)
		json_object_set_new(t->json, "guarded_with", text_json(t->covers->path));
	json_object_set_new(t->json, "diagnostics", json_take_diagnostics(c));
}

/* All cgroups of the entry that target `first` is of: its policy is loaded once. */
static void do_entry(struct sweep *s, size_t first)
{
	struct cmd *c = s->c;
	const struct ruling *r = &s->targets[first]->ruling;
	struct unit u;
	int status = STATUS_OK;
	cmd_reset(c);
	if (!c->json.on) {
		put_text(stdout, r->entry);
		printf(" (line %d)\n", r->at.line);
	}
	if (r->kind == RULING_POLICY)
		status = ruling_load(c, &c->settings, s->m, r, &(struct load){.depth = LOAD_IMAGE, .kernel = true}, &u, NULL);
	if (r->kind == RULING_REFUSE)
		manifest_fail(s->m, &c->diags, r->at, "end what runs there, or change the entry",
		              "entry %s refuses what runs in its cgroups", r->entry);
	if (r->kind == RULING_REFUSE)
		status = STATUS_FAILED;
	s->status = worse_status(s->status, status);
	diags_flush(c);
	for (size_t i = first; i < s->n; i++) {
		struct target *t = s->targets[i];
		if (t->outcome != PENDING || strcmp(t->ruling.entry, r->entry) != 0)
			continue;
		if (c->json.on)
			t->json = json_object();
		if (r->kind == RULING_NONE)
			leave(t);
		else if (status)
			t->outcome = r->kind == RULING_REFUSE ? REFUSED : FAILED;
		else
			guard(s, t, &u);
		finish_target(s, t);
	}
}

/* ---- the whole ------------------------------------------------------------------------- */

static void report_passed_over(struct sweep *s)
{
	const struct manifest_entry *list;
	size_t n = manifest_entries(s->m, &list);
	json_t *skipped = s->c->json.on ? json_array() : NULL;
	for (size_t i = 0; i < n; i++) {
		if (list[i].by_cgroup)
			continue;
		if (s->c->json.on) {
			json_array_append_new(skipped, json_pack("{s:o, s:i}", "entry",
			                                         text_json(list[i].name), "line",
			                                         list[i].at.line));
			continue;
		}
		fputs("note: entry ", stdout);
		put_text(stdout, list[i].name);
		puts(" is passed over: it asks for more than the path of a cgroup");
	}
	if (s->c->json.on)
		json_object_set_new(s->c->json.out, "passed_over", skipped);
}

static void report_all(struct sweep *s)
{
	report_passed_over(s);
	if (s->c->json.on) {
		json_t *list = json_array();
		for (size_t i = 0; i < s->n; i++)
			json_array_append_new(list, s->targets[i]->json);
		json_object_set_new(s->c->json.out, "dry_run", json_boolean(s->dry_run));
		json_object_set_new(s->c->json.out, "cgroups", list);
		return;
	}
	printf("%zu cgroup%s: %zu %s, %zu guarded with one above, %zu left unguarded, %zu failed\n",
	       s->n, PLURAL(s->n), s->counts[GUARDED], s->dry_run ? "would be guarded" : "guarded",
	       s->counts[COVERED], s->counts[LEFT], s->counts[FAILED] + s->counts[REFUSED]);
}

static int sweep(struct sweep *s)
{
	struct cmd *c = s->c;
	s->mount = cgroup_mount(s->keep);
	if (!s->mount) {
		cgroup_no_mount(c->arena, &c->diags, errno);
		return STATUS_FAILED;
	}
	if (find_targets(s))
		s->status = STATUS_FAILED;
	diags_flush(c);
	for (size_t i = 0; i < s->n; i++)
		if (s->targets[i]->outcome == PENDING)
			do_entry(s, i);
	report_all(s);
	return s->status;
}

int apply_manifest(struct cmd *c, const char *path, bool dry_run)
{
	struct manifest *m;
	struct arena *keep = cmd_arena(c);
	int status = STATUS_OK;
	if (c->settings.nparams)
		status = usage_error(c, "write params: in the manifest",
		                     "--param does not go with a manifest");
	if (!status)
		status = manifest_load(c, keep, path, false, &m);
	if (!status) {
		struct sweep s = {.c = c, .keep = keep, .m = m, .dry_run = dry_run};
		status = sweep(&s);
	}
	diags_flush(c); /* they point into the manifest */
	cmd_reset(c);
	arena_free(keep);
	return status;
}
