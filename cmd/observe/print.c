/*
 * print.c - a record of the host program as a line, or as a JSON object: who asked, in which container, for what; who
 * denied it and by which rule; the grant that opened it. Everything that came from the kernel, from policies and from
 * files of engines is escaped.
 */
#include "cmd/observe/observe.h"

#include <string.h>

enum { REST_TEXT = 8192 };

struct observed_printer {
	struct line line;
	bool json;
	struct device_names *devices;
	struct known *known;
	struct grants_known *grants;
	char rest[REST_TEXT];
	size_t n;
};

struct observed_printer *observed_printer_new(struct cmd *c, struct known *known, struct grants_known *grants)
{
	struct observed_printer *p = arena_alloc(c->args, sizeof *p);
	*p = (struct observed_printer){.json = c->json.on, .devices = device_names_new(c->args), .known = known, .grants = grants};
	line_new(&p->line, stdout);
	return p;
}

void observed_begin(struct observed_printer *p)
{
	line_batch(&p->line);
}

const char *observed_verdict(const struct host_event *e)
{
	return e->flags & HOST_EVENT_GRANTED     ? "granted"
	       : e->flags & HOST_EVENT_PERMITTED ? "permitted"
	       : e->flags & HOST_EVENT_DENIED    ? "deny"
	                                         : "allow";
}

static struct record_caller caller_of(const struct host_event *e)
{
	return (struct record_caller){.cgroup_id = e->cgroup_id, .pid = e->pid, .tid = e->tid, .uid = e->uid, .gid = e->gid,
	                              .comm = e->flags & HOST_EVENT_NO_COMM ? NULL : e->comm, .pid_told = !(e->flags & HOST_EVENT_NO_PID)};
}

static const char *errno_text(int32_t retval, char out[24])
{
	const char *name = retval < 0 ? strerrorname_np(-retval) : NULL;
	snprintf(out, 24, "%s", name ? name : "");
	if (!name)
		snprintf(out, 24, "errno %d", -retval);
	return out;
}

static const struct who *who_of(struct observed_printer *p, const struct host_event *e, struct ticket *t, bool late)
{
	static const struct who not_in_time = {.text = "not known: it was not found out in time"};
	const struct who *who = e->flags & HOST_EVENT_DENIED ? known_who(p->known, e, t) : NULL;
	return who || !late || !(e->flags & HOST_EVENT_DENIED) ? who : &not_in_time;
}

/* ---- for people ---------------------------------------------------------------------------------- */

/* Adds a text to what stands behind the columns, escaped. */
static void add(struct observed_printer *p, const char *text)
{
	p->n += text_escape(p->rest + p->n, sizeof p->rest - p->n, text, strlen(text));
}

static void add_number(struct observed_printer *p, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	add(p, text);
}

/* "program 31, worker (ours): worker.rb:3: deny :zero" */
static void add_who(struct observed_printer *p, const struct who *who, const char *path)
{
	if (!who->program) {
		add(p, who->text);
		return;
	}
	add(p, "program ");
	add_number(p, who->program);
	add(p, ", ");
	add(p, who->whose ? who->whose : "a program");
	if (who->where && (!path || strcmp(who->where, path))) {
		add(p, ", on ");
		add(p, who->where);
	}
	if (who->text) {
		add(p, ": ");
		add(p, who->text);
	}
	if (who->denials > 1) {
		add(p, " (");
		add_number(p, who->denials);
		add(p, " programs deny it)");
	}
}

/* "by grant 3 of root: backup" */
static void add_grant(struct observed_printer *p, const struct host_event *e)
{
	const struct host_grant *g = grant_known(p->grants, e->grant, e->time);
	add(p, "grant ");
	add_number(p, e->grant);
	if (g && *g->user) {
		add(p, " of ");
		add(p, g->user);
	}
	if (g && *g->reason) {
		add(p, ": ");
		add(p, g->reason);
	} else if (!g) {
		add(p, " (which is not there any more)");
	}
}

static void fill_rest(struct observed_printer *p, const struct host_event *e, const struct who *who, const char *path)
{
	char error[24];
	p->n = 0;
	p->rest[0] = '\0';
	if (!(e->flags & HOST_EVENT_DENIED))
		return;
	if (e->flags & HOST_EVENT_GRANTED) {
		add(p, "by ");
		add_grant(p, e);
		add(p, "; denied before: ");
	} else if (e->flags & HOST_EVENT_PERMITTED) {
		add(p, "by learn --permissive; denied before: ");
	}
	add(p, errno_text(e->retval, error));
	add(p, "  ");
	add_who(p, who, path);
	if (e->flags & HOST_EVENT_GUARDED && !(e->flags & HOST_EVENT_GRANTED)) {
		add(p, "; ");
		add_grant(p, e);
		add(p, ": a guard of ours allows no grants here");
	}
	if (e->flags & HOST_EVENT_DEEP)
		add(p, "; a cgroup as deep as this has no grants");
}

static void put_cgroup(struct observed_printer *p, const struct seen *s)
{
	char buf[4 * 1024];
	if (!s->text) {
		line_cgroup(&p->line, s->path, s->id);
		return;
	}
	text_escape(buf, sizeof buf, s->text, strlen(s->text));
	line_column(&p->line, LINE_CGROUP, buf, "");
}

static void put_line(struct observed_printer *p, const struct host_event *e, const struct seen *s, const struct who *who)
{
	char verdict[16], access[ACCESS_WORDS], device[DEVICE_TEXT];
	const struct record_caller caller = caller_of(e);
	const char *word = observed_verdict(e);
	fill_rest(p, e, who, s->path);
	line_begin(&p->line, e->time);
	put_cgroup(p, s);
	line_caller(&p->line, &caller);
	snprintf(verdict, sizeof verdict, "%s", word);
	line_column(&p->line, LINE_VERDICT, verdict, *word == 'd' ? COLOUR_DENY : *word == 'a' ? COLOUR_ALLOW : COLOUR_PERMITTED);
	access_set_words(e->requested, access);
	line_column(&p->line, LINE_ACCESS, access, "");
	device_text(p->devices, e->type, e->major, e->minor, device);
	line_column(&p->line, LINE_DEVICE, device, "");
	line_rest(&p->line, p->rest);
	putc('\n', stdout);
}

/* ---- for programs ----------------------------------------------------------------------------------- */

/* The first member of an object has no comma before it. */
static void put_first_number(const char *name, uint64_t value)
{
	printf("{\"%s\":%llu", name, (unsigned long long)value);
}

static void put_first_text(const char *name, const char *text)
{
	printf("{\"%s\":", name);
	put_json_value(stdout, text);
}

static void put_container(const struct seen *s)
{
	const struct container_told *t = s->container;
	fputs(",\"container\":", stdout);
	if (t && (t->id || t->name)) {
		put_first_text("engine", t->engine);
		put_json_text(stdout, "id", t->id);
		put_json_text(stdout, "name", t->name);
		put_json_text(stdout, "pod", t->pod);
		putchar('}');
	} else {
		fputs("null", stdout);
	}
	put_json_text(stdout, "unit", t ? t->unit : NULL);
}

static void put_denied_by(const struct who *who)
{
	fputs(",\"denied_by\":", stdout);
	if (!who || !who->program) {
		fputs("null", stdout);
		put_json_text(stdout, "not_known", who ? who->text : NULL);
		put_json_number(stdout, "denials", 0, false);
		return;
	}
	put_first_number("program", who->program);
	put_json_text(stdout, "cgroup", who->where);
	put_json_text(stdout, "policy", who->policy);
	put_json_text(stdout, "author", who->author);
	put_json_text(stdout, "text", who->text ? who->text : "");
	put_json_text(stdout, "file", who->file);
	put_json_number(stdout, "line", who->line, who->line);
	put_json_text(stdout, "label", who->label);
	putchar('}');
	put_json_text(stdout, "not_known", NULL);
	put_json_number(stdout, "denials", who->denials, true);
}

static void put_grant(struct observed_printer *p, const struct host_event *e)
{
	const struct host_grant *g = e->grant ? grant_known(p->grants, e->grant, e->time) : NULL;
	fputs(",\"grant\":", stdout);
	if (!e->grant) {
		fputs("null", stdout);
		return;
	}
	put_first_number("id", e->grant);
	put_json_text(stdout, "user", g ? g->user : NULL);
	put_json_text(stdout, "reason", g && *g->reason ? g->reason : NULL);
	putchar('}');
}

static void put_json(struct observed_printer *p, const struct host_event *e, const struct seen *s, const struct who *who)
{
	char buf[24];
	const struct record_caller caller = caller_of(e);
	put_json_time(stdout, e->time + (uint64_t)p->line.wall);
	put_json_caller(stdout, s->path, &caller);
	put_container(s);
	put_json_device(stdout, p->devices, e->type, e->major, e->minor);
	put_json_text(stdout, "requested", access_text(e->requested & ACC_ALL, buf));
	put_json_text(stdout, "verdict", observed_verdict(e));
	put_json_text(stdout, "errno", e->retval < 0 ? errno_text(e->retval, buf) : NULL);
	put_denied_by(who);
	put_grant(p, e);
	put_json_flag(stdout, "guarded", e->flags & HOST_EVENT_GUARDED);
	put_json_flag(stdout, "too_deep", e->flags & HOST_EVENT_DEEP);
	fputs("}\n", stdout);
}

void observed_print(struct observed_printer *p, const struct host_event *e, struct ticket *t, bool late)
{
	const struct who *who = who_of(p, e, t, late);
	const struct seen *s = known_cgroup(p->known, e->cgroup_id);
	if (p->json)
		put_json(p, e, s, who);
	else
		put_line(p, e, s, who);
}
