/*
 * print.c - a record as a line: for people in columns, or one JSON object.
 *
 * Columns grow to what they had to hold so far, up to a limit, so that lines stay
 * below each other. On a terminal they have what it has room for: what is longer loses its middle,
 * a narrow one has a line for who asked and one for what was decided, and a rule that does not fit has one
 * of its own. Elsewhere nothing is cut, and a record is a line. Everything that came from the kernel
 * is escaped.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum column { COL_CGROUP, COL_COMM, COL_UID, COL_VERDICT, COL_ACCESS, COL_DEVICE, COLUMNS };
static const int column_most[COLUMNS] = {48, 28, 14, 9, 14, 40};
static const int column_least[COLUMNS] = {12, 12, 5, 4, 5, 18};
enum { STAMP = 23, GAP = 2, RULE_LEAST = 20, INDENT = 4 };

struct printer {
	FILE *out;
	const char *path; /* NULL: stdout */
	bool json, colour;
	struct device_names *devices;
	struct cgroup_paths *cgroups;
	int64_t wall; /* CLOCK_REALTIME - CLOCK_BOOTTIME, ns */
	int widths[COLUMNS];
	int most[COLUMNS];
	int width;       /* of the terminal; 0: none, nothing is cut to `most` */
	bool two_lines;
	int used;        /* columns of the line so far */
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
	const char *no = getenv("NO_COLOR");
	*p = (struct printer){
		.out = path ? open_append(path) : stdout,
		.path = path,
		.json = c->json.on,
	};
	memcpy(p->widths, column_least, sizeof p->widths);
	memcpy(p->most, column_most, sizeof p->most);
	if (!p->out)
		return cannot(p, &c->diags, "open", errno);
	p->colour = !path && (!no || !*no) && isatty(STDOUT_FILENO);
	p->devices = device_names_new(c->args);
	p->cgroups = cgroup_paths_new(c->args);
	*out = p;
	return 0;
}

int printer_reopen(struct printer *p, struct diags *d)
{
	FILE *f = open_append(p->path);
	if (!f)
		return cannot(p, d, "open", errno);
	fclose(p->out);
	p->out = f;
	return 0;
}

/* On a terminal: the columns' widths, by its own, which may change. */
static void fit_columns(struct printer *p)
{
	static const int fitted[COLUMNS] = {14, 16, 9, 4, 13, 20};
	int all = STAMP + RULE_LEAST + (COLUMNS + 1) * GAP;
	int width = p->path ? 0 : terminal_width();
	if (width == p->width)
		return;
	for (int i = 0; i < COLUMNS; i++)
		all += p->widths[i] = fitted[i];
	p->width = width;
	p->two_lines = width < all;
	int first = STAMP + fitted[COL_CGROUP] + fitted[COL_COMM] + fitted[COL_UID] + 3 * GAP;
	int spare = p->two_lines ? width - first : (width - all) / 2;
	p->widths[COL_CGROUP] += spare > 0 ? spare : 0;
	spare = p->two_lines ? width - INDENT - (all - first - 2 * GAP) : (width - all) / 4;
	p->widths[COL_DEVICE] += spare > 0 ? spare : 0;
	for (int i = 0; i < COLUMNS; i++) {
		p->widths[i] = p->widths[i] < column_most[i] ? p->widths[i] : column_most[i];
		p->most[i] = i == COL_CGROUP || i == COL_DEVICE || i == COL_COMM ? p->widths[i] : column_most[i];
	}
}

void printer_begin(struct printer *p)
{
	struct timespec now, up;
	fit_columns(p);
	clock_gettime(CLOCK_BOOTTIME, &up);
	clock_gettime(CLOCK_REALTIME, &now);
	p->wall = (int64_t)(now.tv_sec - up.tv_sec) * NSEC + now.tv_nsec - up.tv_nsec;
}

int printer_end(struct printer *p, struct diags *d)
{
	errno = 0;
	if (fflush(p->out) == 0 && !ferror(p->out))
		return 0;
	int err = errno ? errno : EIO;
	clearerr(p->out); /* said once is enough */
	return cannot(p, d, "write to", err);
}

void printer_close(struct printer *p)
{
	if (p->path)
		fclose(p->out);
}

/* ---- for people ------------------------------------------------------------------ */

static void put_column(struct printer *p, enum column col, char *text, const char *colour)
{
	if (p->width)
		column_cut(text, p->most[col]);
	int width = columns_of(text);
	if (width > p->widths[col])
		p->widths[col] = width < p->most[col] ? width : p->most[col];
	int pad = width < p->widths[col] ? p->widths[col] - width : 0;
	fprintf(p->out, "%s%s%s%*s  ", colour, text, *colour ? "\033[0m" : "", pad, "");
	p->used += width + pad + GAP;
}

static void put_line_break(struct printer *p)
{
	fprintf(p->out, "\n%*s", INDENT, "");
	p->used = INDENT;
}

static void put_cgroup(struct printer *p, const struct event *e)
{
	char buf[4 * 1024];
	const char *path = cgroup_path_of(p->cgroups, e->cgroup_id);
	if (path)
		text_escape(buf, sizeof buf, path, strlen(path));
	else
		snprintf(buf, sizeof buf, "cgroup %llu", (unsigned long long)e->cgroup_id);
	put_column(p, COL_CGROUP, buf, "");
}

static void put_process(struct printer *p, const struct event *e)
{
	char buf[4 * COMM_SIZE + 24] = "-";
	size_t n = strlen(buf);
	if (!(e->flags & EVENT_NO_COMM))
		n = text_escape(buf, 4 * COMM_SIZE + 1, e->comm, strnlen(e->comm, sizeof e->comm));
	if (!(e->flags & EVENT_NO_PID))
		snprintf(buf + n, sizeof buf - n, "[%u]", e->pid);
	put_column(p, COL_COMM, buf, "");
	snprintf(buf, sizeof buf, "uid %u", e->uid);
	put_column(p, COL_UID, buf, "");
}

static void put_decision(struct printer *p, const struct event *e)
{
	char access[ACCESS_WORDS], device[DEVICE_TEXT], verdict[16];
	snprintf(verdict, sizeof verdict, "%s", verdict_word(e->verdict, e->flags));
	put_column(p, COL_VERDICT, verdict,
	           !p->colour                      ? ""
	           : e->verdict                    ? "\033[32m"
	           : e->flags & EVENT_PERMISSIVE ? "\033[1;35m"
	                                           : "\033[1;31m");
	access_words(e->decided, e->requested, access);
	put_column(p, COL_ACCESS, access, "");
	device_text(p->devices, e->type, e->major, e->minor, device);
	put_column(p, COL_DEVICE, device, "");
}

static void put_line(struct printer *p, const struct event *e, const struct rule_name *name,
                     uint64_t count)
{
	char stamp[32] = "?", rule[RULE_TEXT];
	uint64_t ns = e->time + (uint64_t)p->wall;
	time_t t = (time_t)(ns / NSEC);
	struct tm tm;
	if (localtime_r(&t, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(p->out, "%s.%03u  ", stamp, (unsigned)(ns % NSEC / 1000000));
	p->used = STAMP + GAP;
	put_cgroup(p, e);
	put_process(p, e);
	if (p->two_lines)
		put_line_break(p);
	put_decision(p, e);
	rule_text(name, e->rule, rule);
	if (p->width && p->used + columns_of(rule) > p->width)
		put_line_break(p);
	fputs(rule, p->out);
	if (e->flags & EVENT_ERROR)
		fputs("  error", p->out);
	if (count != 1)
		fprintf(p->out, "  x %llu", (unsigned long long)count);
	putc('\n', p->out);
}

/* ---- for programs ------------------------------------------------------------------ */

/* Written as it goes: a tree for each record would take longer than all the rest, and
 * what is slow here is lost in the kernel. Only text that needs escapes asks jansson. */
static void put_string(FILE *out, const char *name, const char *text)
{
	const char *s = text;
	fprintf(out, ",\"%s\":", name);
	while (s && *s >= ' ' && *s <= '~' && *s != '"' && *s != '\\')
		s++;
	if (!s) {
		fputs("null", out);
	} else if (!*s) {
		fprintf(out, "\"%s\"", text);
	} else {
		json_t *escaped = text_json(text);
		json_dumpf(escaped, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		json_decref(escaped);
	}
}

static void put_number(FILE *out, const char *name, uint64_t value, bool known)
{
	if (known)
		fprintf(out, ",\"%s\":%llu", name, (unsigned long long)value);
	else
		fprintf(out, ",\"%s\":null", name);
}

static void put_flag(FILE *out, const char *name, bool value)
{
	fprintf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static void put_time(FILE *out, uint64_t ns)
{
	char stamp[32];
	time_t t = (time_t)(ns / NSEC);
	struct tm tm;
	if (gmtime_r(&t, &tm) && strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm))
		fprintf(out, ",\"time\":\"%s.%09uZ\"", stamp, (unsigned)(ns % NSEC));
	else
		fputs(",\"time\":null", out);
}

static void put_caller(struct printer *p, const struct event *e)
{
	char comm[sizeof e->comm + 1] = "";
	bool pid = !(e->flags & EVENT_NO_PID);
	memcpy(comm, e->comm, strnlen(e->comm, sizeof e->comm));
	put_string(p->out, "cgroup", cgroup_path_of(p->cgroups, e->cgroup_id));
	put_number(p->out, "cgroup_id", e->cgroup_id, true);
	put_number(p->out, "pid", e->pid, pid);
	put_number(p->out, "tid", e->tid, pid);
	put_string(p->out, "comm", e->flags & EVENT_NO_COMM ? NULL : comm);
	put_number(p->out, "uid", e->uid, true);
	put_number(p->out, "gid", e->gid, true);
}

static void put_json_decision(struct printer *p, const struct event *e)
{
	char buf[8];
	put_string(p->out, "type", device_type(e->type));
	put_number(p->out, "major", e->major, true);
	put_number(p->out, "minor", e->minor, true);
	put_string(p->out, "device", device_path(p->devices, e->type, e->major, e->minor));
	put_string(p->out, "requested", access_text(e->requested & ACC_ALL, buf));
	put_string(p->out, "access", access_text(e->decided & ACC_ALL, buf));
	put_string(p->out, "verdict", verdict_word(e->verdict, e->flags));
	put_flag(p->out, "permissive", e->flags & EVENT_PERMISSIVE);
	put_flag(p->out, "error", e->flags & EVENT_ERROR);
}

static void put_json(struct printer *p, const struct source *s, const struct event *e,
                     const struct rule_name *name, uint64_t count)
{
	FILE *out = p->out;
	bool placed = name && name->line && name->file[0];
	fputs("{\"schema\":\"" JSON_SCHEMA "\"", out);
	put_time(out, e->time + (uint64_t)p->wall);
	put_string(out, "policy", s->policy);
	put_number(out, "generation", e->generation, true);
	put_caller(p, e);
	put_json_decision(p, e);
	put_number(out, "rule", e->rule, true);
	put_string(out, "label", name && name->label[0] ? name->label : e->rule ? NULL : "default");
	put_string(out, "file", placed ? name->file : NULL);
	put_number(out, "line", placed ? name->line : 0, placed);
	put_number(out, "count", count, true);
	put_number(out, "tally", e->tally, e->tally != 0);
	fputs("}\n", out);
}

void print_record(struct printer *p, struct source *s, const struct event *e, uint64_t count)
{
	const struct rule_name *name = source_rule(s, e->generation, e->rule);
	if (p->json)
		put_json(p, s, e, name, count);
	else
		put_line(p, e, name, count);
}
