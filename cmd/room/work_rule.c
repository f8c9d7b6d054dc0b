/*
 * work_rule.c - by which rule of its policy a program of ours decides a request.
 *
 * The policy stands in the program's .rodata (policy/image.h), the parameters as they are. What its rules
 * say of the request must be what the program was read to say: else nothing is told.
 */
#include "cmd/room/judge.h"

#include <endian.h>
#include <linux/bpf.h>
#include <string.h>

#include "policy/asked.h"
#include "policy/dump.h"
#include "policy/image.h"

/* The .rodata of a program of ours, or NULL. */
static const struct dump_map *rodata_of(const struct dump *program)
{
	for (size_t i = 0; i < program->nmaps; i++) {
		const struct dump_map *m = &program->maps[i];
		size_t n;
		if (m->known && m->type == BPF_MAP_TYPE_ARRAY && m->n == 1 && image_behind(m->values, m->value_size, 0, &n))
			return m;
	}
	return NULL;
}

struct policy *policy_in_program(struct arena *a, const char *file, const struct dump *program, const char **meaning)
{
	const struct dump_map *rodata = rodata_of(program);
	if (!rodata)
		return NULL;
	struct image_header h; /* the policy has to belong to it */
	struct policy *p;
	struct diags ignored;
	uint64_t digest;
	size_t n, values, line;
	const char *bytes = image_behind(rodata->values, rodata->value_size, IMAGE_TEXTS, &n);
	const char *params = image_behind(rodata->values, rodata->value_size, 0, &values);
	diags_init(&ignored, a);
	if (!bytes || rodata->value_size < sizeof h || serial_read(a, &ignored, file, bytes, n, &p, &digest))
		return NULL;
	memcpy(&h, rodata->values, sizeof h);
	if (le64toh(h.digest) != digest || le32toh(h.nparams) != p->nparams)
		return NULL;
	params -= p->nparams * sizeof(int64_t);
	for (size_t i = 0; i < p->nparams; i++)
		memcpy(&p->params[i].value, params + i * sizeof(int64_t), sizeof(int64_t));
	*meaning = image_behind(rodata->values, rodata->value_size, IMAGE_TEXT_MEANING, &line);
	return p;
}

void names_in_program(struct arena *a, const char *file, const struct dump *program, struct asked *to)
{
	const char *meaning;
	const struct policy *own = program->nfields ? policy_in_program(a, file, program, &meaning) : NULL;
	const struct asked *names = own ? policy_asks(own) : NULL;
	for (size_t i = 0; names && i < names->npaths; i++)
		asked_path(to, names->paths[i].path, names->paths[i].is_cgroup, names->paths[i].at);
}

/* The first rule that denies one of the accesses by itself: before it, one that allows them decides. */
static const struct rule *first_denial(const struct policy *p, const struct policy_diagram *pd, const struct request *r,
                                       const struct decision *whole)
{
	const struct rule *first = NULL;
	if (!r->access)
		return whole->allow ? NULL : whole->rule;
	for (int access = ACC_MKNOD; access <= ACC_WRITE; access <<= 1) {
		struct request one = *r;
		struct decision d;
		int missing;
		one.access = access;
		if (r->access & access && !policy_decide(p, pd, &one, &d, &missing) && !d.allow && d.rule && (!first || d.rule < first))
			first = d.rule;
	}
	return first;
}

static const char *file_of(const struct policy *p, const struct rule *r)
{
	const struct span *at = r ? &r->at : &p->default_at;
	return at->file ? at->file : p->file;
}

/* Does the program say of the request what its policy says? */
static bool agrees(const struct judge *j, const struct policy *p, const struct request *r, const struct decision *d)
{
	struct decision read;
	int missing;
	bool allow = d->allow || p->mode == MODE_PERMISSIVE;
	return !policy_decide(j->policy, &j->diagram, r, &read, &missing) && read.allow == allow;
}

/* Is the same device allowed to other callers? Then by which rule. */
static struct policy_open of_callers(struct judge *j, const struct policy *p, const struct policy_diagram *pd, const struct request *r)
{
	struct request device = *r;
	device.known = device.who.known = 0;
	return policy_open(j->in->arena, p, pd, &device);
}

static void tell(struct judge *j, const struct decider *head, const char *const texts[DECIDER_TEXTS])
{
	size_t len = sizeof *head;
	char *bytes;
	for (int i = 0; i < DECIDER_TEXTS; i++)
		len += strlen(texts[i]) + 1;
	bytes = arena_alloc(j->in->arena, len);
	memcpy(bytes, head, len = sizeof *head);
	for (int i = 0; i < DECIDER_TEXTS; i++) {
		size_t n = strlen(texts[i]) + 1;
		memcpy(bytes + len, texts[i], n);
		len += n;
	}
	inside_write(j->in, FRAME_DECIDER, bytes, len);
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

/* "gpu=3 disk=16": as the program runs. */
static const char *params_text(struct arena *a, const struct policy *p)
{
	const char *text = "";
	for (size_t i = 0; i < p->nparams; i++)
		text = arena_printf(a, "%s%s%s=%lld", text, i ? " " : "", p->params[i].name, (long long)p->params[i].value);
	return text;
}

bool judge_tells_rule(struct judge *j, const struct frame *f)
{
	struct request_record record;
	struct policy_diagram pd;
	struct decider head = {0};
	struct decision d;
	struct diags ignored;
	const char *texts[DECIDER_TEXTS] = {"", "", "", "", "", "", "", "", ""};
	int missing;
	if (f->len != sizeof(struct about) + sizeof record)
		return false;
	memcpy(&record, f->data + sizeof(struct about), sizeof record);
	const struct request r = request_of(&record);
	const char *meaning;
	struct policy *p = j->program ? policy_in_program(j->in->arena, j->file, j->program, &meaning) : NULL;
	diags_init(&ignored, j->in->arena);
	budget_stage(&j->in->budget, STAGE_ASK);
	if (p && !policy_diagram_any(p, &ignored, &pd) && !policy_decide(p, &pd, &r, &d, &missing) && agrees(j, p, &r, &d)) {
		const struct rule *first = first_denial(p, &pd, &r, &d);
		const struct span *at = d.rule ? &d.rule->at : &p->default_at;
		head = (struct decider){.known = true, .allow = d.allow, .permissive = p->mode == MODE_PERMISSIVE, .error = d.error,
		                        .is_default = !d.rule, .before_default = !first, .line = at->line,
		                        .before = first ? first->at.line : 0};
		struct policy_open callers = {0};
		if (!d.allow)
			callers = of_callers(j, p, &pd, &r);
		head.callers = callers.allows;
		head.callers_line = callers.rule ? callers.rule->at.line : 0;
		texts[DECIDER_CALLERS] = callers.rule ? file_of(p, callers.rule) : "";
		texts[DECIDER_CALLERS_SOURCE] = or_nothing(callers.rule ? callers.rule->source : NULL);
		texts[DECIDER_POLICY] = or_nothing(p->file);
		texts[DECIDER_FILE] = or_nothing(file_of(p, d.rule));
		texts[DECIDER_LABEL] = or_nothing(d.rule ? d.rule->label : NULL);
		texts[DECIDER_SOURCE] = or_nothing(d.rule ? d.rule->source : NULL);
		texts[DECIDER_ERROR] = or_nothing(d.raise ? d.raise->what : NULL);
		texts[DECIDER_BEFORE] = or_nothing(file_of(p, first));
		texts[DECIDER_PARAMS] = params_text(j->in->arena, p);
	}
	tell(j, &head, texts);
	return true;
}
