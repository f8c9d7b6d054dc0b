/*
 * compile.c - writes what a policy becomes, at any stage of the way: the object
 * for the kernel, or the terms, the diagram, the instructions for people.
 */
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/source.h"
#include "cmd/unit.h"

#include <string.h>
#include <unistd.h>

enum { OPT_EMIT = OPT_VERB };
static const struct option options[] = {
	{"emit", required_argument, NULL, OPT_EMIT},
	{"output", required_argument, NULL, 'o'},
	OPTION_CLAIMS,
	OPTION_PARAM,
	OPTION_LIMIT,
	OPTION_UNCONFINED,
	OPTION_HELP,
	{0},
};

enum kind { EMIT_OBJ, EMIT_ASM, EMIT_TERMS, EMIT_DIAGRAM, EMIT_DOT, EMIT_ORDERS, EMIT_BYTECODE, KINDS };
static const char *const kind_names[KINDS] = {"obj", "asm", "terms", "diagram", "dot", "orders", "bytecode"};

/* A listing as the child made it: what could steer a terminal is escaped. */
static void write_listing(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		for (const char *tab; (tab = memchr(text, '\t', n)); n -= (size_t)(tab - text) + 1, text = tab + 1) {
			put_bytes(out, text, (size_t)(tab - text));
			putc('\t', out);
		}
		put_bytes(out, text, n);
		text += n;
		if (*text) {
			putc('\n', out);
			text++;
		}
	}
}

static int listing(struct cmd *c, const struct unit *u, enum kind kind, const char **text)
{
	static const enum dump_kind dumps[KINDS] = {[EMIT_ASM] = DUMP_ASM, [EMIT_TERMS] = DUMP_TERMS,
	                                            [EMIT_DIAGRAM] = DUMP_DIAGRAM, [EMIT_DOT] = DUMP_DOT,
	                                            [EMIT_ORDERS] = DUMP_ORDERS};
	*text = u->bytecode;
	return kind == EMIT_BYTECODE ? STATUS_OK : unit_listing(c, u, dumps[kind], text);
}

/* NAME.o in the current directory, for POLICY dir/NAME.rb; of what is no file of a policy, its name. */
static const char *object_name(struct cmd *c, const char *path, const struct policy *p)
{
	if (strcmp(path, "-") == 0 || source_kind(path) != SOURCE_POLICY)
		return arena_printf(c->arena, "%s.o", p->name);
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t len = dot && dot > base ? (size_t)(dot - base) : strlen(base);
	return arena_printf(c->arena, "%.*s.o", (int)len, base);
}

static int write_unit(struct cmd *c, struct unit *u, enum kind kind, const char *path)
{
	struct bytes object = {0};
	struct output out;
	const char *text = NULL;
	if (kind == EMIT_BYTECODE && !u->bytecode) {
		diag_fail(&c->diags, "give the .rb it was compiled from", "%s has no bytecode", u->instead);
		return STATUS_FAILED;
	}
	if (kind == EMIT_OBJ && (!path || strcmp(path, "-") == 0) && isatty(STDOUT_FILENO)) {
		diag_fail(&c->diags, "name a file with -o, or redirect stdout",
		          "an object is not written to a terminal");
		return STATUS_FAILED;
	}
	int status = kind == EMIT_OBJ ? unit_object(c, u, &object) : listing(c, u, kind, &text);
	if (status)
		return status;
	diags_flush(c);
	if (output_open(c, path, OUTPUT_TEXT, &out))
		return STATUS_FAILED;
	if (kind == EMIT_OBJ)
		fwrite(object.data, 1, object.len, out.file);
	else
		write_listing(out.file, text);
	return output_close(c, &out) ? STATUS_FAILED : STATUS_OK;
}

static int compile(struct cmd *c, int argc, char **argv)
{
	const char *path = NULL;
	enum kind kind = EMIT_OBJ;
	int opt;
	while ((opt = options_next(c, argc, argv)) != OPT_END) {
		if (opt == OPT_STOP)
			return c->status;
		if (opt == 'o') {
			path = optarg;
			continue;
		}
		for (kind = 0; kind < KINDS && strcmp(optarg, kind_names[kind]) != 0; kind++)
			;
		const char *near = did_you_mean(optarg, kind_names, KINDS);
		if (kind == KINDS)
			return usage_error(c,
			                   near ? arena_printf(c->arena, "did you mean %s?", near)
			                        : "one of: obj asm terms diagram dot orders bytecode",
			                   "--emit=%s: unknown kind", optarg);
	}
	if (argc - optind != 1)
		return usage_error(c, NULL, optind == argc ? "no source given"
		                                           : "one source at a time, please");
	if (output_is_source(c, path, argv[optind]))
		return c->status;
	struct unit u;
	const struct load depth = {.depth = LOAD_IMAGE, .keep = kind != EMIT_OBJ || c->claims.n, .bytecode = kind == EMIT_BYTECODE, .any_section = !c->claims.n};
	int status = claims_open(c);
	if (!status)
		status = unit_load(c, &c->settings, argv[optind], &depth, &u);
	if (!status)
		status = claims_ask(c, &u, NULL);
	if (status)
		return status;
	if (!path && kind == EMIT_OBJ)
		path = object_name(c, argv[optind], u.policy);
	return write_unit(c, &u, kind, path);
}

const struct verb verb_compile = {
	.name = "compile",
	.synopsis = "SOURCE [-o FILE] [--emit=obj|asm|terms|diagram|dot|orders|bytecode] [--param K=V]... [--claims FILE]...",
	.summary = "Write the BPF object of a policy, or one of the stages on the way to it",
	.help = SOURCE_HELP
		"The object is written to NAME.o in the current directory, everything else to\n"
		"stdout. `-o -` is stdout.\n\n"
		"  --emit=obj        the ELF object the kernel is given (default)\n"
		"  --emit=asm        its instructions, with the lines of the policy\n"
		"  --emit=terms      each rule's condition as an expression\n"
		"  --emit=diagram    the decision diagram\n"
		"  --emit=dot        a picture for Graphviz: devices by name, and the rule that\n"
		"                    decides; of a long policy its rules in order\n"
		"  --emit=orders     the diagram for each order of the inputs, what its program\n"
		"                    costs, and the choice\n"
		"  --emit=bytecode   what mruby made of each block\n"
		"  -o, --output FILE\n",
	.shorts = ":ho:",
	.longs = options,
	.main = compile,
	.usage = "SOURCE",
	.example = "echo 'allow :null' | " PROGRAM " compile - --emit=diagram",
};
