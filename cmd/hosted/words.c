/* words.c - the host program, and its grants, in words and as JSON. Texts of grants are somebody's: to be escaped. */
#include "cmd/hosted/hosted.h"
#include "policy/access.h"

#include <string.h>
#include <time.h>

/* ---- words ------------------------------------------------------------------------------------ */

/* A text that the kernel's memory has: it need not end, and is told in one line. */
static const char *text_of(struct arena *a, const char *field, size_t size)
{
	char *text = arena_strndup(a, field, strnlen(field, size));
	for (char *end = text; (end = strchr(end, '\n'));)
		*end = ' ';
	return text;
}
#define TEXT(a, field) text_of(a, field, sizeof(field))

/* When that is, in seconds since the epoch. */
static int64_t wall_clock(const struct hosted *h, uint64_t boot)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + ((int64_t)boot - (int64_t)h->now) / 1000000000;
}

static const char *time_text(struct arena *a, int64_t seconds)
{
	char buf[32];
	time_t t = (time_t)seconds;
	struct tm tm;
	return localtime_r(&t, &tm) && strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm) ? arena_strdup(a, buf) : "?";
}

static const char *number_of(struct arena *a, size_t n, const char *what)
{
	return arena_printf(a, "%zu %s%s", n, what, PLURAL(n));
}

static const char *parts_text(struct arena *a, uint32_t parts)
{
	static const struct { uint32_t part; const char *text; } words[] = {
		{HOSTPROG_OBSERVE, "observes"}, {HOSTPROG_ALL, "all requests"}, {HOSTPROG_GRANTS, "grants"}, {HOSTPROG_PERMIT, "lets pass"},
	};
	const char *text = "";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (parts & words[i].part)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "", words[i].text);
	return *text ? text : "does nothing";
}

const char *hosted_words(struct arena *a, const struct hosted *h)
{
	const struct hostprog_info *i = &h->info;
	size_t now = h->ngrants - h->over;
	const char *pinned = i->pinned ? arena_printf(a, " (%zu pinned)", i->pinned) : "";
	const char *over = h->over ? arena_printf(a, " (and %zu that %s over)", h->over, h->over == 1 ? "is" : "are") : "";
	return arena_printf(a, "%s; %s%s, %s%s", parts_text(a, i->parts), number_of(a, i->watchers, "watcher"), pinned,
	                    number_of(a, now, "grant"), over);
}

static const char *user_of(struct arena *a, const struct host_grant *g)
{
	return *g->user ? TEXT(a, g->user) : arena_printf(a, "uid %u", g->uid);
}

const char *grant_words(struct arena *a, const struct hosted *h, const struct host_grant *g)
{
	const char *until = g->until ? arena_printf(a, " until %s", time_text(a, wall_clock(h, g->until))) : "";
	const char *reason = *g->reason ? arena_printf(a, ": %s", TEXT(a, g->reason)) : "";
	return arena_printf(a, "grant %llu of %s%s%s", (unsigned long long)g->id, user_of(a, g), until, reason);
}

const char *grant_line(struct arena *a, const struct hosted *h, const struct host_grant *g)
{
	char letters[4];
	const char type = g->key.type == DEV_BLOCK ? 'b' : 'c';
	const char *minor = g->key.minor == GRANT_ANY_MINOR ? "*" : arena_printf(a, "%u", g->key.minor);
	return arena_printf(a, "%c %u:%s %s on %s: %s", type, g->key.major, minor, access_text((int)g->access, letters), TEXT(a, g->path),
	                    grant_words(a, h, g));
}

const char *hosted_lines(struct arena *a, const struct hosted_here *e)
{
	enum { MOST = 20 };
	const char *text = "";
	for (size_t i = 0; i < e->n && i < MOST; i++)
		text = arena_printf(a, "%s%s\n", text, grant_line(a, e->host, e->list[i]));
	if (e->n > MOST)
		text = arena_printf(a, "%sand %zu more: " PROGRAM " grants\n", text, e->n - MOST);
	if (!e->n && !e->permit_until)
		text = "no grant is for this cgroup\n";
	if (e->permit_until)
		text = arena_printf(a, "%sPERMISSIVE: learn --permissive lets everything pass here, as long as it runs\n", text);
	if (e->deep && (e->n || e->permit_until))
		text = arena_printf(a, "%sthis cgroup is %u levels deep: grants are looked for on %d, and open nothing here\n", text, e->level,
		                    HOSTPROG_LEVELS);
	else if (e->guard.ours && (e->n || e->permit_until))
		text = arena_printf(a, "%snothing is opened here: the guard '%s' on %s does not allow grants\n", text, e->guard.name,
		                    e->guard_on);
	if (e->watchers)
		text = arena_printf(a, "%swhat is denied here is seen by %s\n", text, number_of(a, e->watchers, "watcher"));
	return text;
}

void hosted_put(const char *lines, int indent)
{
	for (; *lines; lines += strcspn(lines, "\n") + 1) {
		printf("%*s", indent, "");
		put_bytes(stdout, lines, strcspn(lines, "\n"));
		putchar('\n');
	}
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return *text ? text_json(text) : json_null();
}

static json_t *grant_json(struct arena *a, const struct hosted *h, const struct host_grant *g)
{
	char letters[4];
	json_t *o = json_pack("{s:I, s:o, s:s, s:I}", "grant", (json_int_t)g->id, "path", text_json(TEXT(a, g->path)), "type",
	                      g->key.type == DEV_BLOCK ? "b" : "c", "major", (json_int_t)g->key.major);
	json_object_set_new(o, "minor", g->key.minor == GRANT_ANY_MINOR ? json_null() : json_integer(g->key.minor));
	json_object_set_new(o, "access", json_string(access_text((int)g->access, letters)));
	json_object_set_new(o, "until", g->until ? json_integer(wall_clock(h, g->until)) : json_null());
	json_object_set_new(o, "uid", json_integer(g->uid));
	json_object_set_new(o, "user", text_or_null(TEXT(a, g->user)));
	json_object_set_new(o, "reason", text_or_null(TEXT(a, g->reason)));
	json_object_set_new(o, "used", json_integer((json_int_t)g->used));
	return o;
}

static json_t *here_json(struct arena *a, const struct hosted_here *e)
{
	json_t *grants = json_array(), *guard = json_null();
	for (size_t i = 0; i < e->n; i++)
		json_array_append_new(grants, grant_json(a, e->host, e->list[i]));
	if (e->guard.ours)
		guard = json_pack("{s:o, s:o}", "policy", text_json(e->guard.name), "cgroup", text_json(e->guard_on));
	return json_pack("{s:o, s:o, s:b, s:b, s:b, s:I}", "grants", grants, "guard", guard, "deep", e->deep, "permissive", e->permit_until != 0,
	                 "opens", hosted_opens(e), "watchers", (json_int_t)e->watchers);
}

json_t *hosted_json(struct arena *a, const struct hosted *h, const struct hosted_here *here)
{
	if (!h->id && !h->failed)
		return json_null();
	json_t *parts = json_array(), *o = json_object();
	static const char *const names[] = {"observe", "all", "grants", "permit"};
	for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
		if (h->info.parts & 1u << i)
			json_array_append_new(parts, json_string(names[i]));
	json_object_set_new(o, "program", h->id ? json_integer(h->id) : json_null());
	json_object_set_new(o, "genuine", h->failed ? h->id && !h->info.genuine ? json_false() : json_null() : json_true());
	json_object_set_new(o, "cannot_tell", h->failed ? text_json(h->failed) : json_null());
	json_object_set_new(o, "parts", parts);
	json_object_set_new(o, "tool", text_json(h->info.tool));
	json_object_set_new(o, "watchers", json_integer((json_int_t)h->info.watchers));
	json_object_set_new(o, "pinned", json_integer((json_int_t)h->info.pinned));
	json_object_set_new(o, "grants", json_integer((json_int_t)(h->ngrants - h->over)));
	json_object_set_new(o, "over", json_integer((json_int_t)h->over));
	json_object_set_new(o, "behind", json_integer(h->info.after));
	if (here && hosted_known(h))
		json_object_set_new(o, "here", here_json(a, here));
	return o;
}
