/*
 * devices.c - every name that policies have for devices, and what it is on this host.
 *
 * The names are policy/devices.def's and the groups of /proc/devices. What is here is what
 * /sys/dev lists and what nodes there are below /dev.
 */
#include "cmd/audit/audit.h"
#include "cmd/options.h"
#include "policy/device.h"
#include "policy/host.h"
#include "policy/known.h"
#include "policy/text.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {OPTION_JSON, OPTION_HELP, {0}};

/* One name; n of the devices of this host are it. */
struct row {
	const char *name, *numbers, *what; /* numbers NULL: not known here */
	struct pattern pattern;            /* with numbers */
	const char *path;                  /* without: what its nodes' names begin with, or NULL */
	int type;
};

struct catalog {
	struct cmd *c;
	struct row *rows;
	size_t n, cap;
	struct dev_node *nodes; /* of this host; path NULL: it has no node */
	size_t nnodes, nodes_cap;
};

/* ---- what is here ---------------------------------------------------------------------- */

static bool take_node(void *self, const struct dev_node *node)
{
	struct catalog *all = self;
	struct dev_node copy = *node;
	copy.path = arena_strdup(all->c->arena, node->path);
	*ARENA_PUSH(all->c->arena, all->nodes, all->nnodes, all->nodes_cap) = copy;
	return false;
}

static bool has_node(const struct catalog *all, const struct dev_node *like, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (all->nodes[i].type == like->type && all->nodes[i].major == like->major && all->nodes[i].minor == like->minor)
			return true;
	return false;
}

/* Devices without a node, which /sys/dev lists. */
static void take_listed(struct catalog *all, int type, const char *directory)
{
	DIR *dir = opendir(directory);
	size_t with_nodes = all->nnodes;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		struct dev_node node = {.type = type};
		if (sscanf(e->d_name, "%u:%u", &node.major, &node.minor) == 2 && !has_node(all, &node, with_nodes))
			*ARENA_PUSH(all->c->arena, all->nodes, all->nnodes, all->nodes_cap) = node;
	}
	if (dir)
		closedir(dir);
}

static int by_number(const void *a, const void *b)
{
	const struct dev_node *x = a, *y = b;
	if (x->type != y->type)
		return y->type - x->type;
	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return strcmp(x->path ? x->path : "", y->path ? y->path : "");
}

static bool is_of(const struct catalog *all, const struct row *r, const struct dev_node *node)
{
	struct slice path = {node->path, node->path ? strlen(node->path) : 0};
	if (r->numbers)
		return pattern_matches(&r->pattern, false, node->type, node->major, node->minor, 0);
	size_t n = r->path ? strlen(r->path) : 0;
	if (!n || node->type != r->type || path.n <= n || memcmp(path.s, r->path, n))
		return false;
	struct slice below = {path.s + strlen("/dev/"), path.n - strlen("/dev/")};
	return known_path_here(below) && !known_path_numbers(all->c->arena, below);
}

/* ---- the names --------------------------------------------------------------------------- */

static struct row *add(struct catalog *all, const char *name, const char *what)
{
	struct row *r = ARENA_PUSH(all->c->arena, all->rows, all->n, all->cap);
	*r = (struct row){.name = name, .what = what};
	return r;
}

/* Numbers as a pattern, or what names them on this host. */
static void set_numbers(struct catalog *all, struct row *r, const char *text)
{
	const char *error, *hint;
	struct arena *a = all->c->arena;
	if (pattern_parse(a, &host_dev, text, &r->pattern, &error, &hint))
		return;
	char *whole = pattern_text(a, &r->pattern);
	whole[strcspn(whole + 2, " ") + 2] = '\0'; /* the letters say nothing here */
	r->numbers = whole;
}

static void add_series(struct catalog *all, const struct known_device *k)
{
	struct arena *a = all->c->arena;
	int last = k->first + k->count - 1;
	struct row *r = add(all, k->count > 1 ? arena_printf(a, ":%s%d to :%s%d", k->name, k->first, k->name, last)
	                                      : arena_printf(a, ":%s%d", k->name, k->first), k->what);
	char *minors = arena_printf(a, "%d-%d", k->minor, k->minor + k->count - 1);
	if (k->step > 1) {
		minors = arena_printf(a, "%d", k->minor);
		for (int i = 1; i < k->count; i++)
			minors = arena_printf(a, "%s,%d", minors, k->minor + i * k->step);
	}
	set_numbers(all, r, arena_printf(a, "%c %d:%s", k->type, k->major, minors));
}

/* The first number that is not fixed. */
static int first_here(const struct known_device *here)
{
	for (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++)
		if (k->form == FORM_SERIES && !strcmp(k->name, here->name))
			return k->first + k->count;
	return 0;
}

static void add_known(struct catalog *all, const struct known_device *k)
{
	struct arena *a = all->c->arena;
	struct row *r;
	switch (k->form) {
	case FORM_KNOWN:
		set_numbers(all, add(all, arena_printf(a, ":%s", k->name), k->what), k->numbers);
		return;
	case FORM_SERIES:
		add_series(all, k);
		return;
	case FORM_DISKS:
		r = add(all, arena_printf(a, ":%sa, :%sa1 ...", k->name, k->name), k->what);
		set_numbers(all, r, arena_printf(a, "b %s:*", k->numbers));
		return;
	case FORM_HERE:
		r = add(all, strcmp(k->name, "vd") ? arena_printf(a, ":%s%d ...", k->name, first_here(k)) : ":vda ...", k->what);
		r->path = arena_printf(a, "/dev/%s", k->path);
		r->type = types_of(k->type);
		return;
	case FORM_LOOKUP:
		set_numbers(all, add(all, arena_printf(a, "\"%s\"", k->numbers), k->what), k->numbers);
		return;
	}
}

static bool has_row(const struct catalog *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->rows[i].name, name))
			return true;
	return false;
}

/* "char-mem" and so on: the groups of this host. */
static void add_groups(struct catalog *all)
{
	struct arena *a = all->c->arena;
	const char *listing, *prefix = "char";
	if (host_dev.groups(&host_dev, a, &listing))
		return;
	for (const char *at = listing; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char word[64];
		if (!strncmp(at, "Block", 5))
			prefix = "block";
		if (sscanf(at, "%*u %63[^\n]", word) != 1)
			continue;
		char *name = arena_printf(a, "\"%s-%s\"", prefix, word);
		if (!has_row(all, name))
			set_numbers(all, add(all, name, "all devices of this driver"), arena_strndup(a, name + 1, strlen(name) - 2));
	}
}

/* The names of the table; before them the one that was asked for, if it has a number in it. */
static void make_rows(struct catalog *all, const char *word)
{
	struct arena *a = all->c->arena;
	const char *error, *hint, *path, *symbol = word ? word + (*word == ':') : "";
	struct slice name = {symbol, strlen(symbol)};
	struct pattern p;
	const struct known_device *here = known_here(a, name, &path);
	if (here || (!known_symbol(name) && known_numbers(a, name))) {
		const struct known_device *k = here ? here : known_series(name);
		struct row *r = add(all, arena_printf(a, ":%s", symbol), k ? k->what : "a disk or partition with a fixed number");
		if (!pattern_named(a, &host_dev, symbol, &p, &error, &hint))
			set_numbers(all, r, arena_strndup(a, pattern_text(a, &p), strcspn(pattern_text(a, &p) + 2, " ") + 2));
	}
	for (const struct known_device *k = known_devices; k < known_devices + known_devices_n; k++)
		if (k->form != FORM_LOOKUP || !has_row(all, arena_printf(a, "\"%s\"", k->numbers)))
			add_known(all, k);
	add_groups(all);
}

/* ---- which ones --------------------------------------------------------------------------- */

struct wanted {
	const char *word;    /* NULL: all */
	bool number;         /* of a device, or of a major number */
	struct pattern pattern;
};

/* "c 188:0", "188:0", "188", or the path of a node, as a pattern. */
static bool number_of(struct cmd *c, const char *word, struct pattern *out)
{
	const char *error, *hint;
	const char *text = isdigit((unsigned char)*word) ? arena_printf(c->arena, strchr(word, ':') ? "a %s" : "a %s:*", word) : word;
	bool typed = strchr("cba", *word) && word[0] && word[1] == ' ';
	return (text != word || typed || *word == '/') && !pattern_parse(c->arena, &host_here, text, out, &error, &hint);
}

static bool is_wanted(const struct wanted *w, const struct row *r)
{
	const char *colon = w->word && *w->word == ':' ? w->word + 1 : w->word;
	if (!w->word)
		return true;
	if (w->number)
		return r->numbers && r->pattern.types & w->pattern.types &&
		       intervals_meet(r->pattern.majors, r->pattern.nmajors, w->pattern.majors, w->pattern.nmajors) &&
		       intervals_meet(r->pattern.minors, r->pattern.nminors, w->pattern.minors, w->pattern.nminors);
	return strcasestr(r->name, colon) || strcasestr(r->what, colon);
}

/* ---- shown ---------------------------------------------------------------------------------- */

/* With a WORD the nodes too, a line each for the first ones. */
static void print_row(const struct catalog *all, const struct row *r, bool nodes)
{
	enum { NODES_SHOWN = 8 };
	size_t here = 0;
	for (size_t i = 0; i < all->nnodes; i++)
		here += is_of(all, r, &all->nodes[i]);
	printf("%-24s  %-22s  %-7s  ", r->name, r->numbers ? r->numbers : "-", here ? "present" : "absent");
	put_text(stdout, r->what);
	putchar('\n');
	size_t shown = 0;
	for (size_t i = 0; nodes && i < all->nnodes; i++) {
		const struct dev_node *node = &all->nodes[i];
		if (!is_of(all, r, node) || shown++ >= NODES_SHOWN)
			continue;
		printf("    %s %u:%u  ", device_type(node->type), node->major, node->minor);
		put_text(stdout, node->path ? node->path : "no node below /dev");
		putchar('\n');
	}
	if (shown > NODES_SHOWN)
		printf("    and %zu more\n", shown - NODES_SHOWN);
}

static json_t *row_json(const struct catalog *all, const struct row *r)
{
	json_t *nodes = json_array();
	for (size_t i = 0; i < all->nnodes; i++) {
		const struct dev_node *node = &all->nodes[i];
		if (is_of(all, r, node))
			json_array_append_new(nodes, json_pack("{s:s, s:I, s:I, s:o}", "type", device_type(node->type), "major",
			                                       (json_int_t)node->major, "minor", (json_int_t)node->minor, "path",
			                                       node->path ? text_json(node->path) : json_null()));
	}
	return json_pack("{s:o, s:o, s:b, s:o, s:o}", "name", text_json(r->name), "numbers",
	                 r->numbers ? json_string(r->numbers) : json_null(), "present", json_array_size(nodes) > 0,
	                 "description", text_json(r->what), "nodes", nodes);
}

/* Nothing has that word: what may have been meant. */
static int nothing_found(struct cmd *c, const char *word)
{
	static const char lead[] = "did you mean ";
	const char *error, *hint = NULL;
	struct pattern p;
	if (!pattern_named(c->arena, &host_dev, word + (*word == ':'), &p, &error, &hint) || !hint ||
	    strncmp(hint, lead, sizeof lead - 1))
		hint = PROGRAM " devices lists every name";
	diag_fail(&c->diags, hint, "no device has '%s' in its name, description or number", text_safe(c->arena, word, strlen(word), 64));
	return STATUS_FAILED;
}

static int devices(struct cmd *c, int argc, char **argv)
{
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	if (argc - optind > 1)
		return usage_error(c, NULL, "devices takes one word: put \"c 1:3\" in quotes");
	struct catalog all = {.c = c};
	struct wanted w = {.word = argv[optind]};
	if (w.word && !*w.word)
		return usage_error(c, NULL, "the word is empty");
	w.number = w.word && number_of(c, w.word, &w.pattern);
	dev_nodes(take_node, &all);
	take_listed(&all, DEV_CHAR, "/sys/dev/char");
	take_listed(&all, DEV_BLOCK, "/sys/dev/block");
	if (all.nnodes)
		qsort(all.nodes, all.nnodes, sizeof *all.nodes, by_number);
	make_rows(&all, w.word);
	json_t *list = json_array();
	size_t found = 0;
	for (const struct row *r = all.rows; r < all.rows + all.n; r++) {
		if (!is_wanted(&w, r))
			continue;
		found++;
		if (c->json.on)
			json_array_append_new(list, row_json(&all, r));
		else
			print_row(&all, r, w.word != NULL);
	}
	if (c->json.on)
		json_object_set(c->json.out, "devices", list);
	json_decref(list);
	return found ? STATUS_OK : nothing_found(c, w.word);
}

const struct verb verb_devices = {
	.name = "devices",
	.synopsis = "[WORD] [--json]",
	.summary = "List the names policies have for devices, and what they are on this host",
	.help = "Each line is a name as a policy writes it, its numbers, whether this host has\n"
		"such a device, and what it is. WORD selects by a part of the name or\n"
		"description, by number (\"c 188:0\", 188:0, 188) or by the path of a device; its\n"
		"devices are then listed too. Exit status 1 when nothing is found.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = devices,
	.usage = "[WORD]",
	.example = PROGRAM " devices null",
};
