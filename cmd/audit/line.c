/*
 * line.c - a record as a line in columns.
 *
 * Columns grow to what they had to hold so far, up to a limit, so that lines stay
 * below each other. On a terminal they have what it has room for: what is longer loses its middle,
 * a narrow one has a line for who asked and one for what was decided, and what comes behind the columns and does not
 * fit has one of its own. Elsewhere nothing is cut, and a record is a line.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int column_most[LINE_COLUMNS] = {48, 28, 14, 9, 14, 40};
static const int column_least[LINE_COLUMNS] = {12, 12, 5, 4, 5, 18};
enum { STAMP = 23, GAP = 2, REST_LEAST = 20, INDENT = 4 };

void line_new(struct line *l, FILE *out)
{
	const char *no = getenv("NO_COLOR");
	*l = (struct line){.out = out};
	memcpy(l->widths, column_least, sizeof l->widths);
	memcpy(l->most, column_most, sizeof l->most);
	l->colour = out == stdout && (!no || !*no) && isatty(STDOUT_FILENO);
}

/* On a terminal: the columns' widths, by its own, which may change. */
static void fit_columns(struct line *l)
{
	static const int fitted[LINE_COLUMNS] = {14, 16, 9, 4, 13, 20};
	int all = STAMP + REST_LEAST + (LINE_COLUMNS + 1) * GAP;
	int width = l->out == stdout ? terminal_width() : 0;
	if (width == l->width)
		return;
	for (int i = 0; i < LINE_COLUMNS; i++)
		all += l->widths[i] = fitted[i];
	l->width = width;
	l->two_lines = width < all;
	int first = STAMP + fitted[LINE_CGROUP] + fitted[LINE_COMM] + fitted[LINE_UID] + 3 * GAP;
	int spare = l->two_lines ? width - first : (width - all) / 2;
	l->widths[LINE_CGROUP] += spare > 0 ? spare : 0;
	spare = l->two_lines ? width - INDENT - (all - first - 2 * GAP) : (width - all) / 4;
	l->widths[LINE_DEVICE] += spare > 0 ? spare : 0;
	for (int i = 0; i < LINE_COLUMNS; i++) {
		l->widths[i] = l->widths[i] < column_most[i] ? l->widths[i] : column_most[i];
		l->most[i] = i == LINE_CGROUP || i == LINE_DEVICE || i == LINE_COMM ? l->widths[i] : column_most[i];
	}
}

void line_batch(struct line *l)
{
	struct timespec now, up;
	fit_columns(l);
	clock_gettime(CLOCK_BOOTTIME, &up);
	clock_gettime(CLOCK_REALTIME, &now);
	l->wall = (int64_t)(now.tv_sec - up.tv_sec) * NSEC + now.tv_nsec - up.tv_nsec;
}

void line_begin(struct line *l, uint64_t time)
{
	char stamp[32] = "?";
	uint64_t ns = time + (uint64_t)l->wall;
	time_t t = (time_t)(ns / NSEC);
	struct tm tm;
	if (localtime_r(&t, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(l->out, "%s.%03u  ", stamp, (unsigned)(ns % NSEC / 1000000));
	l->used = STAMP + GAP;
}

void line_column(struct line *l, enum line_column col, char *text, const char *colour)
{
	if (l->width)
		column_cut(text, l->most[col]);
	int width = columns_of(text);
	if (width > l->widths[col])
		l->widths[col] = width < l->most[col] ? width : l->most[col];
	int pad = width < l->widths[col] ? l->widths[col] - width : 0;
	bool coloured = l->colour && *colour;
	fprintf(l->out, "%s%s%s%*s  ", coloured ? colour : "", text, coloured ? "\033[0m" : "", pad, "");
	l->used += width + pad + GAP;
}

static void line_break(struct line *l)
{
	fprintf(l->out, "\n%*s", INDENT, "");
	l->used = INDENT;
}

void line_cgroup(struct line *l, const char *path, uint64_t id)
{
	char buf[4 * 1024];
	if (path)
		text_escape(buf, sizeof buf, path, strlen(path));
	else
		snprintf(buf, sizeof buf, "cgroup %llu", (unsigned long long)id);
	line_column(l, LINE_CGROUP, buf, "");
}

void line_caller(struct line *l, const struct record_caller *who)
{
	char buf[4 * COMM_SIZE + 24] = "-";
	size_t n = strlen(buf);
	if (who->comm)
		n = text_escape(buf, 4 * COMM_SIZE + 1, who->comm, strnlen(who->comm, COMM_SIZE));
	if (who->pid_told)
		snprintf(buf + n, sizeof buf - n, "[%u]", who->pid);
	line_column(l, LINE_COMM, buf, "");
	snprintf(buf, sizeof buf, "uid %u", who->uid);
	line_column(l, LINE_UID, buf, "");
	if (l->two_lines)
		line_break(l);
}

void line_rest(struct line *l, const char *text)
{
	if (l->width && l->used + columns_of(text) > l->width)
		line_break(l);
	fputs(text, l->out);
}
