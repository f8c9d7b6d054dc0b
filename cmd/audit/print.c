/*
 * print.c - a record as a line: for people in columns, or one JSON object. Everything that came
 * from the kernel is escaped.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct printer {
	struct line line;
	const char *path; /* NULL: stdout */
	bool json;
	struct device_names *devices;
	struct cgroup_paths *cgroups;
	struct arena *arena;
};

static FILE *open_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
	if (fd >= 0 && !f)
		close(fd);
	return f;
}

static int cannot(const struct printer *p, struct diags *d, const char *what, int err)
{
	return diag_fail(d, "check the path, the permissions and the room there",
	                 "cannot %s %s: %s", what, p->path ? p->path : "stdout", strerror(err));
}

int printer_new(struct cmd *c, const char *path, struct printer **out)
{
	struct printer *p = arena_alloc(c->args, sizeof *p);
	*p = (struct printer){.path = path, .json = c->json.on};
	FILE *file = path ? open_append(path) : stdout;
	if (!file)
		return cannot(p, &c->diags, "open", errno);
	line_new(&p->line, file);
	p->devices = device_names_new(c->args);
	p->cgroups = cgroup_paths_new(c->args);
	p->arena = c->args;
	*out = p;
	return 0;
}

int printer_reopen(struct printer *p, struct diags *d)
{
	FILE *f = open_append(p->path);
	if (!f)
		return cannot(p, d, "open", errno);
	fclose(p->line.out);
	p->line.out = f;
	return 0;
}

void printer_begin(struct printer *p)
{
	line_batch(&p->line);
}

int printer_end(struct printer *p, struct diags *d)
{
	errno = 0;
	if (fflush(p->line.out) == 0 && !ferror(p->line.out))
		return 0;
	int err = errno ? errno : EIO;
	clearerr(p->line.out); /* said once is enough */
	return cannot(p, d, "write to", err);
}

void printer_close(struct printer *p)
{
	if (p->path)
		fclose(p->line.out);
}

static struct record_caller caller_of(const struct event *e)
{
	return (struct record_caller){.cgroup_id = e->cgroup_id, .pid = e->pid, .tid = e->tid, .uid = e->uid, .gid = e->gid,
	                              .comm = e->flags & EVENT_NO_COMM ? NULL : e->comm, .pid_told = !(e->flags & EVENT_NO_PID)};
}

/* ---- for people ------------------------------------------------------------------ */

static void put_decision(struct printer *p, const struct event *e)
{
	char access[ACCESS_WORDS], device[DEVICE_TEXT], verdict[16];
	snprintf(verdict, sizeof verdict, "%s", verdict_word(e->verdict, e->flags));
	line_column(&p->line, LINE_VERDICT, verdict,
	            e->verdict ? COLOUR_ALLOW : e->flags & EVENT_PERMISSIVE ? COLOUR_PERMITTED : COLOUR_DENY);
	access_words(e->decided, e->requested, access);
	line_column(&p->line, LINE_ACCESS, access, "");
	device_text(p->devices, e->type, e->major, e->minor, device);
	line_column(&p->line, LINE_DEVICE, device, "");
}

static void put_line(struct printer *p, struct source *s, const struct event_record *r, const struct rule_name *name, uint64_t count)
{
	const struct event *e = &r->event;
	char rule[RULE_TEXT];
	const struct record_caller who = caller_of(e);
	FILE *out = p->line.out;
	line_begin(&p->line, e->time);
	line_cgroup(&p->line, cgroup_path_of(p->cgroups, e->cgroup_id), e->cgroup_id);
	line_caller(&p->line, &who);
	put_decision(p, e);
	rule_text(name, e->rule, rule);
	line_rest(&p->line, rule);
	if (e->flags & EVENT_ERROR)
		fputs("  error", out);
	if (r->told.which) {
		const char *untold;
		struct arena *a = arena_scratch(p->arena);
		struct request q = record_request(a, r, source_asked(s, r), cgroup_path_of(p->cgroups, e->cgroup_id), &untold);
		const char *words = told_words(a, &q, untold);
		if (*words)
			line_rest(&p->line, arena_printf(a, " %s", words));
		arena_free(a);
	}
	if (count != 1)
		fprintf(out, "  x %llu", (unsigned long long)count);
	putc('\n', out);
}

/* ---- for programs ------------------------------------------------------------------ */

static void put_json_decision(struct printer *p, const struct event *e)
{
	char buf[8];
	FILE *out = p->line.out;
	put_json_device(out, p->devices, e->type, e->major, e->minor);
	put_json_text(out, "requested", access_text(e->requested & ACC_ALL, buf));
	put_json_text(out, "access", access_text(e->decided & ACC_ALL, buf));
	put_json_text(out, "verdict", verdict_word(e->verdict, e->flags));
	put_json_flag(out, "permissive", e->flags & EVENT_PERMISSIVE);
	put_json_flag(out, "error", e->flags & EVENT_ERROR);
}

static void put_json(struct printer *p, struct source *s, const struct event_record *r, const struct rule_name *name, uint64_t count)
{
	const struct event *e = &r->event;
	FILE *out = p->line.out;
	const struct record_caller who = caller_of(e);
	bool placed = name && name->line && name->file[0];
	put_json_time(out, e->time + (uint64_t)p->line.wall);
	put_json_text(out, "policy", s->policy);
	put_json_number(out, "generation", e->generation, true);
	put_json_caller(out, cgroup_path_of(p->cgroups, e->cgroup_id), &who);
	put_json_decision(p, e);
	put_json_number(out, "rule", e->rule, true);
	put_json_text(out, "label", name && name->label[0] ? name->label : e->rule ? NULL : "default");
	put_json_text(out, "file", placed ? name->file : NULL);
	put_json_number(out, "line", placed ? name->line : 0, placed);
	put_json_number(out, "count", count, true);
	put_json_number(out, "tally", e->tally, e->tally != 0);
	if (r->told.which) {
		const char *untold;
		struct arena *a = arena_scratch(p->arena);
		struct request q = record_request(a, r, source_asked(s, r), cgroup_path_of(p->cgroups, e->cgroup_id), &untold);
		put_json_told(out, a, &q, untold);
		arena_free(a);
	}
	put_json_number(out, "grant", 0, false);
	put_json_text(out, "grant_user", NULL);
	put_json_text(out, "grant_reason", NULL);
	fputs("}\n", out);
}

/* ---- what a grant opened ------------------------------------------------------------- */

static struct record_caller granted_caller(const struct host_event *e)
{
	return (struct record_caller){.cgroup_id = e->cgroup_id, .pid = e->pid, .tid = e->tid, .uid = e->uid, .gid = e->gid,
	                              .comm = e->flags & HOST_EVENT_NO_COMM ? NULL : e->comm, .pid_told = !(e->flags & HOST_EVENT_NO_PID)};
}

/* "by grant 3 of root: backup; web.rb:7 had denied it" */
static void put_grant(struct printer *p, uint64_t id, const struct host_grant *g, const struct denial *const *denials, size_t n)
{
	char rule[RULE_TEXT], text[4 * RULE_TEXT];
	size_t at = (size_t)snprintf(text, sizeof text, "by grant %llu", (unsigned long long)id);
	if (g && *g->user) {
		at += (size_t)snprintf(text + at, sizeof text - at, " of ");
		at += text_escape(text + at, sizeof text - at, g->user, strnlen(g->user, sizeof g->user));
	}
	if (g && *g->reason) {
		at += (size_t)snprintf(text + at, sizeof text - at, ": ");
		at += text_escape(text + at, sizeof text - at, g->reason, strnlen(g->reason, sizeof g->reason));
	}
	for (size_t i = 0; i < n && at < sizeof text; i++) {
		const struct denial *d = denials[i];
		rule_text(d->named ? &d->name : NULL, d->event.rule, rule);
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? ", " : "; ", rule);
		if (at < sizeof text && !(d->named && d->name.line)) { /* no place: whose it is */
			at += (size_t)snprintf(text + at, sizeof text - at, " of ");
			at += at < sizeof text ? text_escape(text + at, sizeof text - at, d->policy, strlen(d->policy)) : 0;
		}
	}
	if (at < sizeof text)
		snprintf(text + at, sizeof text - at, " had denied it");
	line_rest(&p->line, text);
}

static void put_granted_json(struct printer *p, const struct host_event *e, const struct host_grant *g, const struct denial *d)
{
	char buf[8];
	FILE *out = p->line.out;
	const struct record_caller who = granted_caller(e);
	bool placed = d->named && d->name.line && d->name.file[0];
	put_json_time(out, e->time + (uint64_t)p->line.wall);
	put_json_text(out, "policy", d->policy);
	put_json_number(out, "generation", d->event.generation, true);
	put_json_caller(out, cgroup_path_of(p->cgroups, e->cgroup_id), &who);
	put_json_device(out, p->devices, e->type, e->major, e->minor);
	put_json_text(out, "requested", access_text(e->requested & ACC_ALL, buf));
	put_json_text(out, "access", access_text(d->event.decided & ACC_ALL, buf));
	put_json_text(out, "verdict", "granted");
	put_json_flag(out, "permissive", false);
	put_json_flag(out, "error", d->event.flags & EVENT_ERROR);
	put_json_number(out, "rule", d->event.rule, true);
	put_json_text(out, "label", d->named && d->name.label[0] ? d->name.label : d->event.rule ? NULL : "default");
	put_json_text(out, "file", placed ? d->name.file : NULL);
	put_json_number(out, "line", placed ? d->name.line : 0, placed);
	put_json_number(out, "count", 1, true);
	put_json_number(out, "tally", 0, false);
	put_json_number(out, "grant", e->grant, true);
	put_json_text(out, "grant_user", g ? g->user : NULL);
	put_json_text(out, "grant_reason", g && *g->reason ? g->reason : NULL);
	fputs("}\n", out);
}

void print_granted(struct printer *p, const struct host_event *e, const struct host_grant *grant, const struct denial *const *denials, size_t n)
{
	char verdict[] = "granted", access[ACCESS_WORDS], device[DEVICE_TEXT];
	const struct record_caller who = granted_caller(e);
	if (p->json) {
		put_granted_json(p, e, grant, denials[0]);
		return;
	}
	line_begin(&p->line, e->time);
	line_cgroup(&p->line, cgroup_path_of(p->cgroups, e->cgroup_id), e->cgroup_id);
	line_caller(&p->line, &who);
	line_column(&p->line, LINE_VERDICT, verdict, COLOUR_PERMITTED);
	access_set_words(e->requested, access);
	line_column(&p->line, LINE_ACCESS, access, "");
	device_text(p->devices, e->type, e->major, e->minor, device);
	line_column(&p->line, LINE_DEVICE, device, "");
	put_grant(p, e->grant, grant, denials, n);
	putc('\n', p->line.out);
}

/* ---- a decision ---------------------------------------------------------------------- */

void print_record(struct printer *p, struct source *s, const struct event_record *r, uint64_t count)
{
	const struct event *e = &r->event;
	const struct rule_name *name = source_rule(s, e->generation, e->rule);
	if (p->json)
		put_json(p, s, r, name, count);
	else
		put_line(p, s, r, name, count);
}
