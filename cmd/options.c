/*
 * options.c - getopt_long for every verb: the options all of them share, errors
 * with the nearest option's name, and the help text.
 *
 * A verb's `shorts` is getopt's string; it starts with ':' (after '+' where
 * options end at the first operand).
 */
#include "cmd/cli.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/unit.h"
#include "compiler/compiler.h"
#include "policy/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The end of a word: what stands in brackets is one, with the dots behind. */
static const char *word_end(const char *at)
{
	for (int depth = 0; *at && (depth || !strchr(" \n", *at)); at++)
		depth += (*at == '[') - (*at == ']');
	return at;
}

/* How long an alternative is, from its | to the next or to the options. */
static int alternative(const char *at)
{
	const char *end = word_end(at), *next;
	while (*(next = end + strspn(end, " \n")) && *next != '|' && strncmp(next, "[-", 2))
		end = word_end(next);
	return (int)(end - at);
}

void print_synopsis(const struct verb *v, int column, int indent)
{
	enum { WIDTH = 80 };
	for (const char *at = v->synopsis, *end; *(at += strspn(at, " \n")); at = end) {
		end = word_end(at);
		int n = (int)(end - at), together = *at == '|' ? alternative(at) : n;
		if (column + 1 + n > WIDTH || (column + 1 + together > WIDTH && indent + together < WIDTH))
			column = printf("\n%*s", indent, "") - 1;
		column += printf(" %.*s", n, at);
	}
	putchar('\n');
}

void print_verb_help(struct cmd *c, const struct verb *v)
{
	fputs("usage: ", stdout);
	put_text(stdout, c->cli->name);
	int indent = (int)strlen("usage: ") + (int)strlen(c->cli->name);
	print_synopsis(v, indent + printf(" %s", v->name), indent);
	printf("\n%s.\n\n%s", v->summary, v->help);
	for (const struct option *o = v->longs; o->name; o++) {
		if (o->val == OPT_JSON)
			printf("  --json            print one JSON object (schema %s)\n", JSON_SCHEMA);
		if (o->val == OPT_PARAM)
			printf("  --param K=V       set a parameter of the policy (may be repeated)\n");
		if (o->val == OPT_MODE)
			printf("  --mode MODE       enforce, or permissive: what the rules deny is reported\n"
			       "                    and allowed; else as the policy says\n");
		if (o->val == OPT_LIMIT)
			printf("  --limit LIST      what compiling may take: time=10s,cpu=5s,memory=512m (these\n"
			       "                    are the defaults)\n");
		if (o->val == OPT_UNCONFINED)
			printf("  --unconfined      compile also where the policy cannot be locked in, for\n"
			       "                    example without seccomp: only for a policy that you trust\n");
		if (o->val == OPT_CLAIMS)
			printf("  --claims FILE     claims (never, always) that the policy must keep, in a file\n"
			       "                    of their own; may be repeated\n");
		if (o->val == OPT_OWN)
			printf("  --self            the cgroup of the caller, in place of CGROUP; of a service\n"
			       "                    of systemd its own, also where ExecStartPre=+ runs\n"
			       "                    beside it\n");
		if (o->val == OPT_OF_UNIT)
			printf("  --unit NAME       the cgroup of this unit of systemd, in place of CGROUP\n");
		if (o->val == OPT_AUDIT)
			printf("  --audit WHAT      none, denied or all is reported to audit and stats; else as\n"
			       "                    the policy says\n");
		if (o->val == OPT_RING)
			printf("  --ring SIZE       of the ring buffer for what is reported: 4K to 256M, a power\n"
			       "                    of two; else as before, else 256K\n");
	}
	fputs("\nFor example:\n  ", stdout);
	put_text(stdout, example_text(c, v->example));
	putchar('\n');
}

void print_verb_options(const struct verb *v)
{
	fputs(v->name, stdout);
	for (const struct option *o = v->longs; o->name; o++) {
		const char *value = o->has_arg == required_argument ? "=" : "";
		printf(" --%s%s", o->name, value);
		if (o->val > ' ' && o->val < 127)
			printf(" -%c%s", o->val, value);
	}
	putchar('\n');
}

int limits_from_environment(struct cmd *c)
{
	const char *text = getenv("DEVGUARD_TIMEOUT");
	c->settings.limits = (struct limits){LIMIT_SECONDS, LIMIT_CPU, LIMIT_MEMORY};
	if (!text || !*text)
		return STATUS_OK;
	char *end;
	double seconds = strtod(text, &end);
	if (*end || !(seconds >= 0.01 && seconds <= 86400))
		return usage_error(c, "give seconds of CPU time, for example DEVGUARD_TIMEOUT=10",
		                   "DEVGUARD_TIMEOUT=%s is not a number of seconds", text);
	c->settings.limits.cpu = seconds;
	c->settings.limits.seconds = seconds * LIMIT_SECONDS / LIMIT_CPU;
	return STATUS_OK;
}

static int limit_option(struct cmd *c, const char *text)
{
	const char *why = limits_parse(text, &c->settings.limits);
	c->settings.limits_given = text;
	return why ? usage_error(c, "for example: --limit time=30s,cpu=20s,memory=2g", "--limit %s: %s", text, why)
	           : STATUS_OK;
}

static int add_param(struct cmd *c, const char *text)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text)
		return usage_error(c, "write it as --param gpu=3", "--param %s: not NAME=VALUE", text);
	int64_t value;
	const char *digits = eq + 1 + (eq[1] == '-');
	if (*digits == '0' && digits[1] >= '0' && digits[1] <= '9')
		return usage_error(c, "numbers are decimal, or begin with 0x: write it without the zero",
		                   "--param %s: the value has a leading zero", text);
	if (!number_read(eq + 1, strlen(eq + 1), &value))
		return usage_error(c, "parameters are integers, for example --param gpu=3",
		                   "--param %s: the value is not an integer of 64 bits", text);
	struct param_setting *s = ARENA_PUSH(c->args, c->settings.params, c->settings.nparams, c->settings.params_cap);
	*s = (struct param_setting){.name = arena_strndup(c->args, text, (size_t)(eq - text)),
	                            .value = value};
	for (size_t i = 0; i + 1 < c->settings.nparams; i++)
		if (strcmp(c->settings.params[i].name, s->name) == 0)
			return usage_error(c, "give each parameter once", "--param %s: given twice",
			                   s->name);
	return STATUS_OK;
}

int option_count(struct cmd *c, const char *option, const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !value)
		return usage_error(c, "give a number from 1 on", "%s %s: not a count", option, text);
	*out = value;
	return STATUS_OK;
}

/* unit NULL: --self */
static int where_option(struct cmd *c, const char *unit)
{
	if (c->where.self || c->where.unit)
		return usage_error(c, "name one cgroup", "--self and --unit name a cgroup each");
	c->where.self = !unit;
	c->where.unit = unit;
	return STATUS_OK;
}

static int ring_option(struct cmd *c, const char *text)
{
	const char *why = ring_size_parse(text, &c->settings.ring);
	return why ? usage_error(c, "for example --ring 64K", "--ring %s: %s", text, why) : STATUS_OK;
}

int option_seconds(struct cmd *c, const char *option, const char *text, uint64_t least,
                   uint64_t *out)
{
	static const double most = 1e9;
	char *end;
	double seconds = strtod(text, &end);
	bool number = (*text >= '0' && *text <= '9') || *text == '.';
	if (!number || *end || !(seconds >= 0 && seconds <= most) ||
	    (uint64_t)(seconds * 1e9) < least)
		return usage_error(c, arena_printf(c->arena, "give seconds, for example %s 0.5", option),
		                   "%s %s: not a time in seconds", option, text);
	*out = (uint64_t)(seconds * 1e9);
	return STATUS_OK;
}

/* Seconds of the units from the larger to the smaller, each once; 0: it is no such text. */
static uint64_t read_duration(const char *text)
{
	static const struct { char letter; uint64_t seconds; } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	static const uint64_t most = 3650ull * 86400;
	uint64_t sum = 0;
	size_t unit = 0, n = sizeof units / sizeof *units;
	for (char *end; *text; text = end + 1, unit++) {
		errno = 0;
		unsigned long long value = strtoull(text, &end, 10);
		while (unit < n && units[unit].letter != *end)
			unit++;
		if (*text < '0' || *text > '9' || errno || unit == n || value > most)
			return 0;
		sum += value * units[unit].seconds;
		if (sum > most)
			return 0;
	}
	return sum;
}

int option_duration(struct cmd *c, const char *option, const char *text, uint64_t *out)
{
	uint64_t seconds = read_duration(text);
	bool number = *text && !text[strspn(text, "0123456789")];
	if (!seconds)
		return usage_error(c,
		                   number ? arena_printf(c->arena, "say of what: %s %.9ss or %s %.9sm", option, text, option, text)
		                          : arena_printf(c->arena, "days, hours, minutes, seconds, up to 3650d: %s 30m, %s 1h30m, %s 45s", option, option, option),
		                   "%s %s: not a time", option, text);
	*out = seconds * 1000000000;
	return STATUS_OK;
}

int option_word(struct cmd *c, const char *option, const char *text, const char *const *values,
                size_t n)
{
	char *all = "";
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, values[i]) == 0)
			return (int)i;
		all = arena_printf(c->arena, "%s%s%s", all, i ? ", " : "", values[i]);
	}
	const char *near = did_you_mean(text, values, n);
	c->status = usage_error(c, near ? arena_printf(c->arena, "did you mean %s?", near)
	                                : arena_printf(c->arena, "one of: %s", all),
	                        "%s %s: unknown value", option, text);
	return -1;
}

static int bad_option(struct cmd *c, const char *word)
{
	const struct option *longs = c->verb->longs;
	const char *names[24];
	size_t n = 0, len = strcspn(word, "=");
	if (strncmp(word, "--", 2) != 0)
		return usage_error(c, NULL, "unknown option -%c",
		                   optopt > ' ' && optopt < 127 ? optopt : '?');
	for (; longs[n].name && n < 24; n++)
		names[n] = longs[n].name;
	for (size_t i = 0; i < n; i++)
		if (optopt && longs[i].val == optopt)
			return usage_error(c, NULL, "--%s takes no value", names[i]);
	const char *name = arena_strndup(c->args, word + 2, len - 2);
	const char *near = did_you_mean(name, names, n);
	const char *hint = near ? arena_printf(c->args, "did you mean --%s?", near) : NULL;
	return usage_error(c, hint, "unknown option --%s", name);
}

/* The options that every verb takes alike. True: it was one; c->status says how
 * that went. */
static bool shared_option(struct cmd *c, int opt)
{
	c->status = STATUS_OK;
	if (opt == OPT_PARAM)
		c->status = add_param(c, optarg);
	else if (opt == OPT_LIMIT)
		c->status = limit_option(c, optarg);
	else if (opt == OPT_UNCONFINED)
		c->settings.unconfined = true;
	else if (opt == OPT_MODE)
		c->settings.mode = 1 + option_word(c, "--mode", optarg, mode_words, POLICY_MODES);
	else if (opt == OPT_AUDIT)
		c->settings.audit = 1 + option_word(c, "--audit", optarg, audit_words, AUDIT_LEVELS);
	else if (opt == OPT_CLAIMS)
		*ARENA_PUSH(c->args, c->claims.list, c->claims.n, c->claims.cap) = (struct claims_file){.name = optarg};
	else if (opt == OPT_RING)
		c->status = ring_option(c, optarg);
	else if (opt == OPT_OWN || opt == OPT_OF_UNIT)
		c->status = where_option(c, opt == OPT_OF_UNIT ? optarg : NULL);
	else
		return opt == OPT_JSON; /* cli.c has seen it */
	return true;
}

int options_next(struct cmd *c, int argc, char **argv)
{
	for (;;) {
		int at = optind ? optind : 1;
		optopt = 0;
		int opt = getopt_long(argc, argv, c->verb->shorts, c->verb->longs, NULL);
		if (shared_option(c, opt)) {
			if (c->status)
				return OPT_STOP;
			continue;
		}
		switch (opt) {
		case 'h':
		case OPT_HELP:
			c->json.on = false;
			print_verb_help(c, c->verb);
			c->status = STATUS_OK;
			return OPT_STOP;
		case ':':
			c->status = usage_error(c, NULL, "option %s needs a value", argv[optind - 1]);
			return OPT_STOP;
		case '?':
			/* inside a group of letters optind has not moved yet */
			c->status = bad_option(c, argv[optind > at ? optind - 1 : at]);
			return OPT_STOP;
		default:
			return opt;
		}
	}
}
