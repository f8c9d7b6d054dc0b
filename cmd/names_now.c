/*
 * names_now.c - the files and cgroups that a running program takes for its policy's names, and what these are now.
 *
 * What it takes for them is in its map. The names are in the policy that stands in it, which is read in the locked room; what
 * comes back is checked.
 */
#include "cmd/names_now.h"
#include "cgroup/cgroup.h"
#include "cgroup/who.h"
#include "cmd/cmd.h"
#include "cmd/each.h"
#include "cmd/room/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- the names --------------------------------------------------------------------------------- */

struct named {
	struct arena *arena;
	struct asked asked;
	bool known, there;
};

static bool take_one(struct named *t, const unsigned char *data)
{
	struct named_record r;
	memcpy(&r, data, sizeof r);
	size_t n = strnlen(r.path, sizeof r.path);
	if (n == sizeof r.path || !memchr(r.file, '\0', sizeof r.file) || r.is_cgroup > 1 || path_fault(r.path, n))
		return false;
	struct asked *as = &t->asked;
	*ARENA_PUSH(t->arena, as->paths, as->npaths, as->paths_cap) = (struct path_named){
		.path = arena_strdup(t->arena, r.path), .value = path_value(r.path, n), .is_cgroup = r.is_cgroup,
		.at = {.file = arena_strdup(t->arena, r.file), .line = r.line > 0 ? r.line : 0}};
	return true;
}

static bool take_named(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct named *t = self;
	struct named_head head;
	if (kind != FRAME_NAMED || t->there || len < sizeof head)
		return false;
	memcpy(&head, data, sizeof head);
	const size_t records = len - sizeof head;
	if (head.known > 1 || records / sizeof(struct named_record) != head.n || records % sizeof(struct named_record))
		return false;
	for (uint32_t i = 0; i < head.n; i++)
		if (!take_one(t, data + sizeof head + i * sizeof(struct named_record)))
			return false;
	t->known = head.known;
	return t->there = true;
}

/* NULL, or why they cannot be told: messages of it are not told otherwise. */
static const char *read_names(struct cmd *c, const struct program_unit *u, struct named *out)
{
	const struct diags kept = c->diags;
	const struct about about = {.part = u->unit.part};
	const struct taker taker = {take_named, out, RECORD_MAX};
	struct call call = {.kind = FRAME_NAMES, .head = &about, .nhead = sizeof about};
	const char *why = NULL;
	*out = (struct named){.arena = c->arena};
	if (!u->unit.judge) /* the kernel does not show it */
		return u->failed;
	diags_init(&c->diags, c->arena);
	if (room_call(u->unit.judge, "the program", &call, &taker) || !out->there)
		why = c->diags.n ? c->diags.items[c->diags.n - 1].text : "the process that reads the program did not answer";
	else if (!out->known)
		why = "its policy, of more than 64 KiB, does not stand in it";
	c->diags = kept;
	return why;
}

/* ---- then and now ---------------------------------------------------------------------------------- */

static const struct who_entry *entry_of(const struct who_entry *list, size_t n, int64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].value == (uint64_t)value)
			return &list[i];
	return NULL;
}

static enum name_state state_of(const struct who_entry *then, const struct who_name *now)
{
	if (!then)
		return now->why ? NAME_NOTHING : NAME_CAME;
	if (now->why)
		return now->absent ? NAME_CHANGED : NAME_REFUSED;
	return memcmp(&then->key, &now->key, sizeof now->key) ? NAME_CHANGED : NAME_SAME;
}

static void compare(struct names_now *out, const struct who_entry *then, size_t n, const struct who *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct who_name *w = &now->list[i];
		const struct who_entry *was = entry_of(then, n, w->named->value);
		const struct who_key none = {0};
		out->list[out->n++] = (struct name_now){.path = w->named->path, .file = w->named->at.file, .why = w->why,
		                                        .line = w->named->at.line, .is_cgroup = w->named->is_cgroup, .absent = w->absent,
		                                        .value = w->named->value, .was = was ? was->key : none,
		                                        .is = w->why ? none : w->key, .state = state_of(was, w)};
	}
}

/* What a program takes for its names. False: it has none. */
struct taken { struct who_entry *list; size_t n; struct who_root root; };
static bool read_taken(struct cmd *c, const struct attached *at, const struct cgroup *cg, struct taken *t, struct names_now *out)
{
	*out = (struct names_now){0};
	int map = at->ours ? who_map_of(at->id) : -ENOENT;
	if (map == -ENOENT)
		return false;
	int error = map < 0 ? map : who_map_read(c->arena, map, &t->list, &t->n, &t->root);
	if (map >= 0)
		close(map);
	out->unknown = error ? strerror(-error) : NULL;
	out->with_root = t->root.inode != 0;
	out->root = out->with_root ? who_root_find(c->arena, cg, &t->root) : NULL;
	if (!error && out->with_root && !out->root)
		out->unknown = "its files were looked for in a root directory that no process there has any more; apply it again with --exe-root, "
		               "that of the container";
	return !out->unknown;
}

static void look_now(struct cmd *c, const struct taken *t, const struct asked *asked, struct names_now *out)
{
	struct who now;
	struct diags unsaid;
	diags_init(&unsaid, c->arena);
	out->list = arena_alloc(c->arena, (asked->npaths + 1) * sizeof *out->list);
	if (who_find(c->arena, &unsaid, asked, out->root, &now))
		out->unknown = unsaid.items[unsaid.n - 1].text;
	else
		compare(out, t->list, t->n, &now);
}

void policy_names(struct cmd *c, const struct attached *at, const struct cgroup *cg, const struct asked *asked, struct names_now *out)
{
	struct taken t = {0};
	if (read_taken(c, at, cg, &t, out))
		look_now(c, &t, asked, out);
}

void program_names(struct cmd *c, const struct attached *at, const struct cgroup *cg, struct names_now *out)
{
	struct taken t = {0};
	struct named named = {0};
	struct program_units units;
	uint32_t id = at->id;
	const struct source_programs one = {.ids = &id, .n = 1};
	if (!read_taken(c, at, cg, &t, out))
		return;
	const struct diags kept = c->diags;
	diags_init(&c->diags, c->arena);
	if (programs_load(c, &c->settings, arena_printf(c->arena, "prog:%u", at->id), &one, &units))
		out->unknown = c->diags.items[c->diags.n - 1].text;
	else if (!(out->unknown = read_names(c, units.list, &named)))
		look_now(c, &t, &named.asked, out);
	programs_end(&units);
	c->diags = kept;
}

/* ---- told ------------------------------------------------------------------------------------------ */

bool name_differs(const struct name_now *w)
{
	return w->state == NAME_CHANGED || w->state == NAME_REFUSED || w->state == NAME_CAME;
}

static const char *state_text(const struct name_now *w)
{
	switch (w->state) {
	case NAME_CHANGED: return w->is_cgroup ? "is not that one any more" : "is not that file any more";
	case NAME_REFUSED: return "matches nothing any more";
	case NAME_CAME: return "matches nothing until the policy is applied again";
	case NAME_NOTHING: return "matches nothing";
	case NAME_OLDER: return "is not the one that the process runs";
	default: return "is what it was";
	}
}

const char *name_now_text(struct arena *a, const struct names_now *names, const struct name_now *w)
{
	const char *below = names->root && !w->is_cgroup ? arena_printf(a, " below %s", names->root) : "";
	const char *with = names->root ? arena_printf(a, " with --exe-root %s", names->root) : "";
	const char *what = below;
	if (w->why)
		what = arena_printf(a, "%s, %s", below, w->why);
	else if (w->state == NAME_CAME)
		what = arena_printf(a, "%s is there now", below);
	else if (w->state == NAME_OLDER)
		what = arena_printf(a, "%s was replaced after the process was started; restart it", below);
	else if (w->state == NAME_CHANGED)
		what = arena_printf(a, "%s was %s; apply the policy again%s", below, w->is_cgroup ? "made anew" : "replaced", with);
	return arena_printf(a, "%s of line %d%s%s %s: %s%s", w->is_cgroup ? "cgroup" : "file", w->line, *w->file ? " of " : "", w->file,
	                    state_text(w), w->path, what);
}

void names_now_print(struct arena *a, const struct names_now *names, int indent)
{
	if (names->unknown) {
		printf("%*swhich files and cgroups its names are cannot be told: ", indent, "");
		put_text(stdout, names->unknown);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < names->n; i++)
		if (names->list[i].state != NAME_SAME) {
			printf("%*s", indent, "");
			put_text(stdout, name_now_text(a, names, &names->list[i]));
			putchar('\n');
		}
}

json_t *names_now_json(const struct names_now *names)
{
	static const char *const states[] = {[NAME_SAME] = "same", [NAME_CHANGED] = "changed", [NAME_REFUSED] = "refused",
	                                     [NAME_NOTHING] = "nothing", [NAME_CAME] = "came", [NAME_OLDER] = "older"};
	if (names->unknown)
		return json_null();
	json_t *list = json_array();
	for (size_t i = 0; i < names->n; i++) {
		const struct name_now *w = &names->list[i];
		json_t *why = w->why ? text_json(w->why) : json_null();
		json_array_append_new(list, json_pack("{s:o, s:s, s:i, s:s, s:o}", "path", text_json(w->path), "is",
		                                      w->is_cgroup ? "cgroup" : "file", "line", w->line, "state", states[w->state], "why",
		                                      why));
	}
	return list;
}
