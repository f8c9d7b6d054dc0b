/*
 * compile.c - the whole way of a policy's rules to a proven program.
 *
 *   policy_diagrams()   the rules as a decision diagram, for each order of the inputs
 *   emit_program()      each diagram as instructions
 *   cheaper()           the best of the programs
 *   verify_image()      its instructions back to a diagram: must be the same
 *
 * A program that does more than decide does its steps first (raw_emit()); they are proven by themselves.
 *
 * Before this, ruby_compile() made rules of a file; after it, object_write() makes a file of the
 * program.
 */
#include "compiler/compiler.h"
#include "policy/raw.h"

#include <string.h>

/* What comes of one order. */
struct candidate {
	struct policy_diagram diagram; /* .dg NULL: there is none within proportion */
	struct image image;            /* .ninsns 0: there is no program */
	int helpers;                   /* functions of the kernel that it may call */
};

/* A call costs more than instructions do, and the longest path more than those not taken. */
static bool cheaper(const struct candidate *x, const struct candidate *y)
{
	if (x->helpers != y->helpers)
		return x->helpers < y->helpers;
	if (x->image.longest != y->image.longest)
		return x->image.longest < y->image.longest;
	return x->image.ninsns < y->image.ninsns;
}

static int build(struct policy *p, struct diags *d, struct candidate of[DIAGRAM_ORDERS])
{
	struct policy_diagram diagrams[DIAGRAM_ORDERS];
	if (policy_diagrams(p, d, diagrams))
		return -1;
	for (int order = 0; order < DIAGRAM_ORDERS; order++)
		of[order] = (struct candidate){.diagram = diagrams[order]};
	return 0;
}

static void emit(const struct policy *p, struct candidate of[DIAGRAM_ORDERS])
{
	for (struct candidate *c = of; c < of + DIAGRAM_ORDERS; c++) {
		struct diags quiet;
		diags_init(&quiet, p->arena);
		if (c->diagram.dg && emit_program(p, &quiet, &c->diagram, &c->image, &c->helpers))
			c->image.ninsns = 0;
	}
}

/* NULL: there is no program. */
static const struct candidate *choose(const struct candidate of[DIAGRAM_ORDERS])
{
	const struct candidate *best = NULL;
	for (const struct candidate *c = of; c < of + DIAGRAM_ORDERS; c++)
		if (c->image.ninsns && (!best || cheaper(c, best)))
			best = c;
	return best;
}

/* All orders, and in *best the one to take, NULL: none. 0, or -1 with a diagnostic. */
static int try_orders(struct policy *p, struct diags *d, struct candidate of[DIAGRAM_ORDERS],
                      const struct candidate **best)
{
	if (build(p, d, of))
		return -1;
	emit(p, of);
	*best = choose(of);
	return 0;
}

/* The program of the rules alone. */
static int compile_rules(struct policy *p, struct diags *d, struct policy_diagram *pd, struct image *out)
{
	struct candidate of[DIAGRAM_ORDERS];
	const struct candidate *best;
	if (try_orders(p, d, of, &best))
		return -1;
	int helpers;
	*pd = best ? best->diagram : of[of[0].diagram.dg ? 0 : 1].diagram;
	if (best)
		*out = best->image;
	else if (emit_program(p, d, pd, out, &helpers)) /* once more, to say why */
		return -1;
	return verify_image(p, d, pd, out);
}

static int prove_rules(struct policy *p, struct diags *d, struct policy_diagram *pd, const struct image *image)
{
	int orders = policy_orders(p);
	for (int order = 0; order < orders; order++) {
		struct diags said;
		diags_init(&said, p->arena);
		bool last = order == orders - 1;
		if (!policy_diagram(p, last ? d : &said, (enum diagram_order)order, pd) &&
		    !verify_image(p, last ? d : &said, pd, image))
			return 0;
	}
	return -1;
}

/* ---- programs with steps ---------------------------------------------------------------- */

static bool has_steps(const struct policy *p)
{
	return p->raw && !raw_only_decides(p->raw);
}

/* The steps, and behind them what decides. */
static struct image joined(struct arena *a, const struct image *steps, const struct image *rules)
{
	const size_t size = sizeof(uint64_t), shift = steps->ninsns;
	char *insns = arena_alloc(a, (shift + rules->ninsns) * size);
	struct image_line *lines = arena_alloc(a, (steps->nlines + rules->nlines) * sizeof *lines);
	struct image_reloc *relocs = arena_alloc(a, (steps->nrelocs + rules->nrelocs + 1) * sizeof *relocs);
	memcpy(insns, steps->insns, shift * size);
	memcpy(insns + shift * size, rules->insns, rules->ninsns * size);
	for (size_t i = 0; i < steps->nlines + rules->nlines; i++) {
		lines[i] = i < steps->nlines ? steps->lines[i] : rules->lines[i - steps->nlines];
		lines[i].insn += i < steps->nlines ? 0 : (uint32_t)shift;
	}
	for (size_t i = 0; i < steps->nrelocs + rules->nrelocs; i++) {
		relocs[i] = i < steps->nrelocs ? steps->relocs[i] : rules->relocs[i - steps->nrelocs];
		relocs[i].insn += i < steps->nrelocs ? 0 : (uint32_t)shift;
	}
	return (struct image){.insns = insns, .ninsns = shift + rules->ninsns, .lines = lines,
	                      .nlines = steps->nlines + rules->nlines, .relocs = relocs,
	                      .nrelocs = steps->nrelocs + rules->nrelocs, .tail = shift + rules->tail,
	                      .longest = steps->longest + rules->longest, .steps = shift};
}

/* What decides, without the steps before it. */
static struct image without_steps(struct arena *a, const struct image *image)
{
	const size_t steps = image->steps;
	size_t line = 0, reloc = 0;
	while (line < image->nlines && image->lines[line].insn < steps)
		line++;
	while (reloc < image->nrelocs && image->relocs[reloc].insn < steps)
		reloc++;
	struct image out = {.insns = (const char *)image->insns + steps * sizeof(uint64_t), .ninsns = image->ninsns - steps,
	                    .nlines = image->nlines - line, .nrelocs = image->nrelocs - reloc,
	                    .tail = image->tail - steps, .longest = image->longest};
	struct image_line *lines = arena_alloc(a, (out.nlines + 1) * sizeof *lines);
	struct image_reloc *relocs = arena_alloc(a, (out.nrelocs + 1) * sizeof *relocs);
	for (size_t i = 0; i < out.nlines; i++) {
		lines[i] = image->lines[line + i];
		lines[i].insn -= (uint32_t)steps;
	}
	for (size_t i = 0; i < out.nrelocs; i++) {
		relocs[i] = image->relocs[reloc + i];
		relocs[i].insn -= (uint32_t)steps;
	}
	out.lines = lines;
	out.relocs = relocs;
	return out;
}

int compile_policy(struct policy *p, struct diags *d, struct policy_diagram *pd, struct image *out)
{
	struct image steps, rules;
	if (!has_steps(p))
		return compile_rules(p, d, pd, out);
	if (raw_emit(p, d, &steps))
		return -1;
	*pd = (struct policy_diagram){0};
	*out = steps;
	if (policy_decides(p)) {
		if (compile_rules(p, d, pd, &rules))
			return -1;
		*out = joined(p->arena, &steps, &rules);
	}
	return raw_verify(p, d, out);
}

int prove_image(struct policy *p, struct diags *d, struct policy_diagram *pd,
                const struct image *image)
{
	*pd = (struct policy_diagram){0};
	if (!has_steps(p))
		return prove_rules(p, d, pd, image);
	if (raw_verify(p, d, image))
		return -1;
	if (!policy_decides(p))
		return 0;
	struct image rules = without_steps(p->arena, image);
	return prove_rules(p, d, pd, &rules);
}

/* ---- the listing --------------------------------------------------------------------- */

static void dump_candidate(FILE *out, const struct policy *p, const char *name,
                           const struct candidate *c, bool chosen)
{
	size_t nodes, edges;
	if (!c->diagram.dg) {
		fprintf(out, "# %s: out of proportion, given up\n", name);
		return;
	}
	diagram_size(c->diagram.dg, c->diagram.verdict, &nodes, &edges);
	fprintf(out, "# %s: %zu nodes, %zu edges", name, nodes, edges);
	if (c->image.ninsns)
		fprintf(out, "; instructions %zu, longest path %u, helpers %d", c->image.ninsns,
		        c->image.longest, c->helpers);
	else
		fprintf(out, "; no program");
	fprintf(out, "%s\n", chosen ? ": chosen" : "");
	diagram_dump(out, c->diagram.dg, c->diagram.verdict);
	if (policy_has_tail(p)) {
		fprintf(out, "# %s: what goes on with a denial, %s\n", name,
		        p->audit == AUDIT_NONE ? "as 4 * errno" : "as 4 * rule + access (1 m, 2 r, 3 w)");
		diagram_dump(out, c->diagram.dg, p->audit == AUDIT_ALL ? c->diagram.report : c->diagram.blame);
	}
}

int compile_dump_orders(FILE *out, struct policy *p, struct diags *d)
{
	static const char *const names[DIAGRAM_ORDERS] = {[ORDER_FACTS_LAST] = "device first, facts last",
	                                                  [ORDER_FACTS_FIRST] = "facts first, device last"};
	struct candidate of[DIAGRAM_ORDERS];
	const struct candidate *best;
	if (try_orders(p, d, of, &best))
		return -1;
	for (int order = 0; order < policy_orders(p); order++)
		dump_candidate(out, p, names[order], &of[order], best == &of[order]);
	return 0;
}
