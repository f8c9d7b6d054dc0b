/*
 * print.c - what something amounts to, for people: a sentence, a line for each device, and what is with
 * all others. 80 columns, as far as names allow it.
 */
#include "cmd/explain/explain.h"
#include "cmd/audit/audit.h"

#include <string.h>

enum { WIDTH = 80, ROWS_MAX = 60, NUMBERS_MAX = 24, NAME_MAX_COLUMNS = 28, LEAD = 2 };

void put_wrapped(const char *text, int indent)
{
	int column = 0;
	while (*text) {
		size_t n = strcspn(text, " ");
		char *word = strndup(text, n);
		int wide = word ? columns_of(word) : (int)n;
		free(word);
		if (column && column + 1 + wide > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column)
			putchar(' ');
		else
			printf("%*s", column = indent, "");
		put_bytes(stdout, text, n);
		column += wide + (column > indent);
		text += n + strspn(text + n, " ");
	}
	putchar('\n');
}

/* ---- columns --------------------------------------------------------------------------------------- */

struct layout { int verdict, access, numbers, name; };

static const char *called_here(const struct explain_row *row)
{
	return row->here ? " (here)" : "";
}

static int at_most(int n, int most)
{
	return n < most ? n : most;
}

static void widen(int *column, int n, int most)
{
	n = at_most(n, most);
	*column = n > *column ? n : *column;
}

static struct layout layout_of(const struct explain_rows *rows)
{
	struct layout l = {.verdict = 5, .access = 3};
	for (size_t i = 0; i < rows->n && i < ROWS_MAX; i++) {
		const struct explain_row *row = &rows->list[i];
		widen(&l.verdict, (int)strlen(explain_words[row->rule->verdict]), WIDTH);
		widen(&l.numbers, (int)strlen(row->numbers), NUMBERS_MAX);
		widen(&l.name, columns_of(row->called.name), NAME_MAX_COLUMNS);
	}
	return l;
}

static int put_column(const char *text, int width)
{
	int n = columns_of(text), blanks = n < width ? width - n : 0;
	put_text(stdout, text);
	printf("%*s", blanks, "");
	return n + blanks;
}

/* As much of it as there is room for; up to a colon, comma or bracket. */
static const char *fitting(struct arena *a, const char *text, int room)
{
	char *cut = arena_strdup(a, text);
	bool list = !strncmp(text, "with ", 5), whole = columns_of(cut) <= room;
	while (!whole && columns_of(cut) + (list ? 4 : 0) > room) {
		char *last = NULL;
		for (char *at = cut; *at; at++)
			if (strchr(":,(", *at) && at > cut)
				last = at[-1] == ' ' ? at - 1 : at;
		if (!last)
			return "";
		*last = '\0';
	}
	return list && !whole ? arena_printf(a, "%s ...", cut) : cut;
}

static const char *what_text(struct arena *a, const struct explain_row *row, int room)
{
	const char *more = row->runs > 1 ? arena_printf(a, "%llu devices in all", (unsigned long long)row->devices) : "";
	const char *full = row->rule->pattern.access == ACC_MKNOD && !*row->called.what ? "making its node (mknod)" : row->called.what;
	const char *what = fitting(a, full, room - (int)strlen(called_here(row)) - (*more ? (int)strlen(more) + 2 : 0));
	return arena_printf(a, "%s%s%s%s", what, *what ? called_here(row) : "", *what && *more ? ", " : "", more);
}

static void print_row(struct arena *a, const struct explain_row *row, const struct layout *l)
{
	char letters[4];
	const struct explained *r = row->rule;
	const char *name = *row->called.name ? arena_printf(a, "%s%s", row->called.name, called_here(row)) : "";
	int column = printf("%*s%-*s  %-*s  ", LEAD, "", l->verdict, explain_words[r->verdict], l->access,
	                    access_text(r->pattern.access, letters));
	int room = WIDTH - column - l->numbers - 2 - (*name ? l->name + 2 : 0);
	const char *when = r->when ? r->when : "", *what = what_text(a, row, room);
	const char *behind = *when && columns_of(when) <= room ? when : what;
	put_column(row->numbers, *name || *behind ? l->numbers : 0);
	if (*name) {
		fputs("  ", stdout);
		put_column(name, *behind ? l->name : 0);
	}
	if (*behind) {
		fputs("  ", stdout);
		put_text(stdout, behind);
	}
	putchar('\n');
	if (*when && behind != when)
		put_wrapped(when, LEAD + l->verdict + 2 + l->access + 2);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void print_rest(const struct explain_rows *rows, const struct unit *u)
{
	bool any_here = false;
	for (size_t i = 0; i < rows->n && i < ROWS_MAX; i++)
		any_here |= rows->list[i].here;
	if (rows->n > ROWS_MAX)
		printf("%*s... and %zu lines more: --json or --ruby has all\n", LEAD, "", rows->n - ROWS_MAX);
	if (!rows->nothing_else)
		printf("%*s%s is denied\n", LEAD, "", rows->none_allowed ? "everything" : rows->all_told ? "what no line allows" : "everything else");
	if (rows->of_none)
		put_wrapped("(access(2) with F_OK, which asks for no access, is decided otherwise for some of these: --json tells it)", LEAD);
	for (size_t i = 0; i < u->policy->nparams; i++) {
		printf("%*s(where the parameter ", LEAD, "");
		put_text(stdout, u->policy->params[i].name);
		printf(" is %lld; it may be %lld to %lld)\n", (long long)u->policy->params[i].value, (long long)u->policy->params[i].lo,
		       (long long)u->policy->params[i].hi);
	}
	if (any_here)
		printf("%*s(here): so this host calls it\n", LEAD, "");
}

void explain_print(const struct explain_rows *rows, const struct unit *u, const char *unknown)
{
	struct arena *a = u->policy->arena;
	struct layout l = layout_of(rows);
	if (u->policy->meaning)
		put_wrapped(u->policy->meaning, LEAD);
	if (u->policy->mode == MODE_PERMISSIVE)
		put_wrapped("PERMISSIVE: what is denied here is let pass, and only reported", LEAD);
	for (const char *at = unknown; *at; at += strcspn(at, "\n") + 1)
		put_wrapped(arena_printf(a, "not understood: %.*s", (int)strcspn(at, "\n"), at), LEAD);
	for (size_t i = 0; i < rows->n && i < ROWS_MAX; i++)
		print_row(a, &rows->list[i], &l);
	print_rest(rows, u);
}
