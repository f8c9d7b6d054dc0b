/* picture_frame.c - what each picture of a policy has: its head, and the rules as leaves. */
#include "policy/picture.h"
#include "policy/text.h"

#include <string.h>

enum { SOURCE_MOST = 44 };

void picture_text(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
}

static void safe_text(FILE *out, struct arena *a, const char *text)
{
	picture_text(out, text_safe(a, text, strlen(text), SOURCE_MOST));
}

void picture_begin(FILE *out, const struct policy *p, const char *of)
{
	fputs("digraph \"", out);
	safe_text(out, p->arena, p->name);
	fputs("\" {\n"
	      "  graph [rankdir=LR, fontname=\"Helvetica\", labelloc=t, label=\"", out);
	safe_text(out, p->arena, p->name);
	fprintf(out, ": %s", of);
	if (p->mode == MODE_PERMISSIVE)
		fputs("\\npermissive: what would be denied is allowed, and reported", out);
	fputs("\\nr read, w write, m make a node, - only ask whether it is there\"];\n"
	      "  node [shape=box, fontname=\"Helvetica\"];\n"
	      "  edge [fontname=\"Helvetica\", fontsize=11];\n", out);
}

void picture_leaf(FILE *out, const struct policy *p, const char *node, const struct rule *r, bool raises)
{
	bool deny = raises || (r ? r->deny : !p->default_allow);
	fprintf(out, "  %s [style=\"filled,rounded\", fillcolor=%s, label=\"%s", node,
	        raises ? "orange" : deny ? "lightpink" : "palegreen", deny ? "deny" : "allow");
	if (raises)
		fputs(": the block raises", out);
	else if (deny && r && r->error)
		fprintf(out, " with %s", strerrorname_np(r->error));
	if (!r)
		fputs("\\nno rule matches", out);
	if (r) {
		fputs("\\n", out);
		safe_text(out, p->arena, r->label ? r->label : r->source ? r->source : "");
		fprintf(out, "\\nline %d", r->at.line);
	}
	fputs("\"];\n", out);
}
