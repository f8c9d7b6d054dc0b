/*
 * table.c - what the kernel counted for one policy, as a table for people.
 *
 * Every column is as wide as what it has to hold. On a terminal the bar has what is left of a
 * line. Where nothing is left there is none; then devices lose their middle, and a rule that does
 * not fit stands in a line of its own. What is no terminal gets the same text whatever its environment says.
 */
#include "cmd/audit/audit.h"

#include <string.h>

enum column { COL_COUNT, COL_VERDICT, COL_ACCESS, COL_DEVICE, COL_UID, COL_RULE, COLUMNS };
static const char *const titles[COLUMNS] = {"count", "verdict", "access", "device", "uid", "rule"};
static const int least[COLUMNS] = {10, 9, 11, 6, 5, 4};
enum { BAR_LEAST = 10, BAR_MOST = 40, NO_TERMINAL = 100, GAP = 2, DEVICE_LEAST = 18 };

struct row {
	char text[COLUMNS][RULE_TEXT];
};

struct layout {
	int widths[COLUMNS];
	int bar;       /* without its ends; 0: none */
	int rule_room; /* a longer rule has a line of its own */
};

static void fill_row(struct device_names *devices, const struct stats_row *from, struct row *row)
{
	const struct tally_key *k = &from->key;
	snprintf(row->text[COL_COUNT], RULE_TEXT, "%llu", (unsigned long long)from->count);
	snprintf(row->text[COL_VERDICT], RULE_TEXT, "%s", verdict_word(k->verdict, k->flags));
	access_words(k->decided, k->requested, row->text[COL_ACCESS]);
	device_text(devices, k->type, k->major, k->minor, row->text[COL_DEVICE]);
	snprintf(row->text[COL_UID], RULE_TEXT, "%u", k->uid);
	rule_text(from->name, k->rule, row->text[COL_RULE]);
}

/* Each column as wide as what is in it. */
static void measure(struct device_names *devices, const struct stats *st, struct row *row, int widths[COLUMNS])
{
	memcpy(widths, least, sizeof least);
	for (size_t i = 0; i < st->n; i++) {
		fill_row(devices, &st->rows[i], row);
		for (int k = 0; k < COLUMNS; k++) {
			int n = columns_of(row->text[k]);
			widths[k] = n > widths[k] ? n : widths[k];
		}
	}
}

static struct layout plan(struct device_names *devices, const struct stats *st, struct row *row)
{
	struct layout l = {.rule_room = RULE_TEXT};
	int width = terminal_width(), before = 0; /* the rule */
	measure(devices, st, row, l.widths);
	for (int i = 0; i < COL_RULE; i++)
		before += l.widths[i] + GAP;
	int bar = (width ? width : NO_TERMINAL) - before - l.widths[COL_RULE] - GAP - 2;
	bar = bar < BAR_LEAST && !width ? BAR_LEAST : bar;
	l.bar = bar < BAR_LEAST ? 0 : bar > BAR_MOST ? BAR_MOST : bar;
	if (!width || l.bar)
		return l;
	int over = before - GAP - width, device = l.widths[COL_DEVICE];
	if (over > 0 && device > DEVICE_LEAST)
		l.widths[COL_DEVICE] = device - over > DEVICE_LEAST ? device - over : DEVICE_LEAST;
	l.rule_room = width - before - l.widths[COL_DEVICE] + device;
	return l;
}

static void put_bar(const struct layout *l, uint64_t count, uint64_t most)
{
	int n = most ? (int)((double)count / (double)most * l->bar + 0.5) : 0;
	fputs("  |", stdout);
	for (int i = 0; i < l->bar; i++)
		putchar(i < n || (i == 0 && count) ? '@' : ' ');
	putchar('|');
}

/* One text in its column, numbers to the right. */
static void put_cell(const struct layout *l, enum column col, const char *text)
{
	int pad = l->widths[col] - columns_of(text);
	fputs(col ? "  " : "", stdout);
	if (col == COL_COUNT || col == COL_UID)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, pad, "");
}

static void put_rule(const struct layout *l, const char *text)
{
	if (columns_of(text) > l->rule_room)
		printf("\n%*s", l->widths[COL_COUNT], "");
	printf("  %s", text);
}

static void put_titles(const struct layout *l)
{
	for (int i = 0; i < COL_RULE; i++) {
		put_cell(l, (enum column)i, titles[i]);
		if (i == COL_COUNT && l->bar)
			printf("%*s", l->bar + 2 + GAP, "");
	}
	put_rule(l, titles[COL_RULE]);
	putchar('\n');
}

static void put_row(const struct layout *l, const struct stats *st, const struct stats_row *from, struct row *row)
{
	column_cut(row->text[COL_DEVICE], l->widths[COL_DEVICE]);
	for (int i = 0; i < COL_RULE; i++) {
		put_cell(l, (enum column)i, row->text[i]);
		if (i == COL_COUNT && l->bar)
			put_bar(l, from->count, st->rows[0].count);
	}
	put_rule(l, row->text[COL_RULE]);
	puts(from->key.flags & EVENT_ERROR ? "  error" : "");
}

void table_print(struct device_names *devices, const struct stats *st)
{
	static struct row row;
	struct layout l = plan(devices, st, &row);
	const struct totals *t = &st->totals;
	put_text(stdout, st->at->name);
	fputs(" on ", stdout);
	put_text(stdout, st->cgroup);
	printf(": program %u, generation %u, audit %s%s\n", st->at->id, st->at->generation,
	       audit_word(st->at->audit),
	       st->at->mode == MODE_PERMISSIVE ? ", permissive: nothing is denied by it" : "");
	if (st->n)
		put_titles(&l);
	for (size_t i = 0; i < st->n; i++) {
		fill_row(devices, &st->rows[i], &row);
		put_row(&l, st, &st->rows[i], &row);
	}
	printf("%sdenied %llu, allowed %llu; records: %llu submitted, %llu folded, %llu dropped",
	       st->n ? "" : "nothing counted in the table\n", (unsigned long long)t->denied,
	       (unsigned long long)t->allowed, (unsigned long long)t->submitted,
	       (unsigned long long)t->folded, (unsigned long long)t->dropped);
	printf("; not in the table: %llu\n", (unsigned long long)t->untallied);
}
