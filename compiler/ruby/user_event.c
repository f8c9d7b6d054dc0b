/*
 * user_event.c - what handlers are given: an event of `on(:deny)` and `on(:allow)`, a line of `on(:line)`.
 *
 * An object has bytes of its own, so that a handler may keep it. Its classes have no name that a file can say.
 */
#include "compiler/ruby/user.h"

#include <mruby/data.h>
#include <string.h>

enum { EVENT_TEXT = 256, FACTS_TEXT = 2048 };

struct kept_event {
	struct event event;
	uint64_t count;
	int64_t time;
	input_set told;
	int64_t fact[USER_FACTS];
	char device[EVENT_TEXT], rule[EVENT_TEXT], label[EVENT_TEXT], cgroup[EVENT_TEXT], exe[EVENT_TEXT], parent_exe[EVENT_TEXT],
		facts[FACTS_TEXT];
};
struct kept_line {
	int64_t time;
	uint32_t pid, cpu;
	char comm[COMM_SIZE + 1];
	size_t ntext;
	char text[];
};

static void free_kept(mrb_state *mrb, void *p)
{
	mrb_free(mrb, p);
}

static const struct mrb_data_type kept_event_type = {"Event", free_kept}, kept_line_type = {"Line", free_kept};

/* ---- an event's methods ------------------------------------------------------------------- */

/* Of what was made here alone: a copy has no bytes. */
static const struct kept_event *event_of(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return mrb_data_get_ptr(mrb, self, &kept_event_type); /* raises where it is another object */
}

static mrb_value text(mrb_state *mrb, const char *s, size_t most)
{
	return mrb_str_new(mrb, s, (mrb_int)strnlen(s, most));
}

static mrb_value text_or_nil(mrb_state *mrb, const char *s)
{
	return *s ? text(mrb, s, EVENT_TEXT) : mrb_nil_value();
}

static mrb_value letters(mrb_state *mrb, int set)
{
	char out[8];
	const char *s = access_text(set & ACC_ALL, out);
	return mrb_str_new_cstr(mrb, set & ACC_ALL ? s : "");
}

static mrb_value word(mrb_state *mrb, const char *s)
{
	return mrb_symbol_value(mrb_intern_cstr(mrb, s));
}

static mrb_value verdict(mrb_state *mrb, const struct event *e)
{
	return word(mrb, e->verdict ? "allow" : e->flags & EVENT_PERMISSIVE ? "permitted" : "deny");
}

static mrb_value number(mrb_state *mrb, const struct event *e, uint32_t value)
{
	return e->flags & EVENT_NO_PID ? mrb_nil_value() : mrb_int_value(mrb, (mrb_int)value);
}

#define EVENT_FIELDS(X)                                                                            \
	X(time, mrb_int_value(mrb, (mrb_int)k->time))                                              \
	X(pid, number(mrb, e, e->pid))                                                             \
	X(tid, number(mrb, e, e->tid))                                                             \
	X(uid, mrb_int_value(mrb, (mrb_int)e->uid))                                                \
	X(gid, mrb_int_value(mrb, (mrb_int)e->gid))                                                \
	X(comm, e->flags & EVENT_NO_COMM ? mrb_nil_value() : user_name_text(mrb, e->comm, strnlen(e->comm, sizeof e->comm)))   \
	X(cgroup, text_or_nil(mrb, k->cgroup))                                                     \
	X(cgroup_id, mrb_int_value(mrb, (mrb_int)e->cgroup_id))                                    \
	X(type, word(mrb, e->type == DEV_BLOCK ? "block" : "char"))                                \
	X(major, mrb_int_value(mrb, (mrb_int)e->major))                                            \
	X(minor, mrb_int_value(mrb, (mrb_int)e->minor))                                            \
	X(access, letters(mrb, e->requested))                                                      \
	X(decided, letters(mrb, e->decided))                                                       \
	X(device, text(mrb, k->device, EVENT_TEXT))                                                \
	X(verdict, verdict(mrb, e))                                                                \
	X(rule, text_or_nil(mrb, k->rule))                                                         \
	X(label, text_or_nil(mrb, k->label))                                                       \
	X(count, mrb_int_value(mrb, (mrb_int)k->count))

#define EVENT_VALUE(name, value)                                                                   \
	static mrb_value value_##name(mrb_state *mrb, const struct kept_event *k)                  \
	{                                                                                          \
		const struct event *e = &k->event;                                                 \
		(void)e;                                                                           \
		return value;                                                                      \
	}                                                                                          \
	static mrb_value event_##name(mrb_state *mrb, mrb_value self) { return value_##name(mrb, event_of(mrb, self)); }
EVENT_FIELDS(EVENT_VALUE)

/* A fact about the task as a rule has it; nil: the policy does not read it, the kernel does not tell it, or it is not set. */
static mrb_value task_value(mrb_state *mrb, const struct kept_event *k, enum input in)
{
	int64_t v = k->fact[in - IN_EUID];
	if (!(k->told & INPUT(in)))
		return mrb_nil_value();
	switch (input_kind(in)) {
	case FACT_FILE: return text_or_nil(mrb, v ? in == IN_EXE ? k->exe : k->parent_exe : "");
	case FACT_YES_NO: return mrb_bool_value(v != 0);
	default: return input_kind(in) == FACT_OR_NONE && v == ID_NONE ? mrb_nil_value() : mrb_int_value(mrb, (mrb_int)v);
	}
}

static mrb_value event_facts(mrb_state *mrb, mrb_value self)
{
	const struct kept_event *k = event_of(mrb, self);
	return *k->facts ? text(mrb, k->facts, FACTS_TEXT) : mrb_nil_value();
}

#define TASK_FACT(id, number, name, lowest, highest, bits, kind)                                   \
	static mrb_value value_##name(mrb_state *mrb, const struct kept_event *k) { return task_value(mrb, k, IN_##id); } \
	static mrb_value event_##name(mrb_state *mrb, mrb_value self) { return value_##name(mrb, event_of(mrb, self)); }
#include "policy/facts.def"

static const struct {
	const char *name; /* in to_h */
	mrb_func_t fn;
	mrb_value (*value)(mrb_state *mrb, const struct kept_event *k);
	enum input in;    /* of a fact about the task */
} event_fields[] = {
#define EVENT_ENTRY(name, value) {#name, event_##name, value_##name, IN_TYPE},
	EVENT_FIELDS(EVENT_ENTRY)
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) {#name, event_##name, value_##name, IN_##id},
#include "policy/facts.def"
};
enum { EVENT_FIELD_COUNT = sizeof event_fields / sizeof *event_fields };

static mrb_value event_to_h(mrb_state *mrb, mrb_value self)
{
	const struct kept_event *k = event_of(mrb, self);
	mrb_value h = mrb_hash_new_capa(mrb, EVENT_FIELD_COUNT);
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		if (event_fields[i].in == IN_TYPE || k->told & INPUT(event_fields[i].in))
			mrb_hash_set(mrb, h, word(mrb, event_fields[i].name), event_fields[i].value(mrb, k));
	return h;
}

/* "deny /dev/kmsg rw cat (312) policy.rb:7" */
static mrb_value event_to_s(mrb_state *mrb, mrb_value self)
{
	const struct kept_event *k = event_of(mrb, self);
	const struct event *e = &k->event;
	char out[8], line[2 * EVENT_TEXT + 192];
	mrb_value name = user_name_text(mrb, e->comm, strnlen(e->comm, sizeof e->comm));
	snprintf(line, sizeof line, "%s %.*s %s %s (%u)%s%.*s", e->verdict ? "allow" : e->flags & EVENT_PERMISSIVE ? "permitted" : "deny",
	         EVENT_TEXT, k->device, access_text(e->requested & ACC_ALL, out), RSTRING_CSTR(mrb, name), e->pid,
	         *k->rule ? " " : "", EVENT_TEXT, k->rule);
	return mrb_str_new_cstr(mrb, line);
}

/* ---- a line's ------------------------------------------------------------------------------- */

static const struct kept_line *line_of(mrb_state *mrb, mrb_value self)
{
	mrb_get_args(mrb, "");
	return mrb_data_get_ptr(mrb, self, &kept_line_type);
}

#define LINE_FIELDS(X)                                                                             \
	X(time, mrb_int_value(mrb, (mrb_int)k->time))                                              \
	X(pid, mrb_int_value(mrb, (mrb_int)k->pid))                                                \
	X(cpu, mrb_int_value(mrb, (mrb_int)k->cpu))                                                \
	X(comm, user_name_text(mrb, k->comm, strlen(k->comm)))                                                    \
	X(text, mrb_str_new(mrb, k->text, (mrb_int)k->ntext))
#define LINE_METHOD(name, value)                                                                   \
	static mrb_value line_##name(mrb_state *mrb, mrb_value self)                               \
	{                                                                                          \
		const struct kept_line *k = line_of(mrb, self);                                    \
		return value;                                                                      \
	}
LINE_FIELDS(LINE_METHOD)

/* ---- the classes -------------------------------------------------------------------------------- */

/* Nobody can make one, reopen or inherit it. */
static struct RClass *nameless_class(mrb_state *mrb, const char *name)
{
	struct RClass *c = mrb_define_class(mrb, name, mrb->object_class);
	MRB_SET_INSTANCE_TT(c, MRB_TT_DATA);
	mrb_undef_class_method(mrb, c, "new");
	mrb_undef_class_method(mrb, c, "allocate");
	mrb_undef_method(mrb, c, "dup");
	mrb_undef_method(mrb, c, "clone");
	mrb_gc_register(mrb, mrb_obj_value(c));
	mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), mrb_intern_cstr(mrb, name));
	return c;
}

void user_events_define(struct user *u)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	u->event_class = nameless_class(mrb, "Event");
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++) {
		char method[32];
		snprintf(method, sizeof method, "%s%s", event_fields[i].name, input_kind(event_fields[i].in) == FACT_YES_NO ? "?" : "");
		mrb_define_method(mrb, u->event_class, method, event_fields[i].fn, MRB_ARGS_NONE());
	}
	mrb_define_method(mrb, u->event_class, "facts", event_facts, MRB_ARGS_NONE());
	mrb_define_method(mrb, u->event_class, "to_h", event_to_h, MRB_ARGS_NONE());
	mrb_define_method(mrb, u->event_class, "to_s", event_to_s, MRB_ARGS_NONE());
	mrb_define_method(mrb, u->event_class, "inspect", event_to_s, MRB_ARGS_NONE());
	u->line_class = nameless_class(mrb, "Line");
#define LINE_DEFINE(name, value) mrb_define_method(mrb, u->line_class, #name, line_##name, MRB_ARGS_NONE());
	LINE_FIELDS(LINE_DEFINE)
	mrb_define_method(mrb, u->line_class, "to_s", line_text, MRB_ARGS_NONE());
}

static void keep(char *to, const char *s)
{
	snprintf(to, EVENT_TEXT, "%s", s);
}

mrb_value user_event_object(struct user *u, const struct user_event *e)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	struct RData *made = mrb_data_object_alloc(mrb, u->event_class, NULL, &kept_event_type);
	struct kept_event *k = mrb_malloc(mrb, sizeof *k);
	made->data = k;
	*k = (struct kept_event){.event = e->event, .count = e->count, .time = e->time, .told = e->told};
	memcpy(k->fact, e->fact, sizeof k->fact);
	keep(k->exe, e->exe);
	keep(k->parent_exe, e->parent_exe);
	snprintf(k->facts, sizeof k->facts, "%s", e->facts);
	keep(k->device, e->device);
	keep(k->rule, e->rule);
	keep(k->label, e->label);
	keep(k->cgroup, e->cgroup);
	return mrb_obj_value(made);
}

mrb_value user_line_object(struct user *u, const struct user_line *l)
{
	mrb_state *mrb = u->ruby.rb.mrb;
	struct RData *made = mrb_data_object_alloc(mrb, u->line_class, NULL, &kept_line_type);
	struct kept_line *k = mrb_malloc(mrb, sizeof *k + l->ntext);
	made->data = k;
	*k = (struct kept_line){.time = l->time, .pid = l->pid, .cpu = l->cpu, .ntext = l->ntext};
	snprintf(k->comm, sizeof k->comm, "%s", l->comm);
	memcpy(k->text, l->text, l->ntext);
	return mrb_obj_value(made);
}

const char *user_event_hint(struct interpreter *rb, const char *method)
{
	const char *names[EVENT_FIELD_COUNT];
	size_t n = 0;
	for (size_t i = 0; i < EVENT_FIELD_COUNT; i++)
		if (event_fields[i].in == IN_TYPE) /* facts about the task have short names, which are near to much: exit is not euid */
			names[n++] = event_fields[i].name;
	const char *near = did_you_mean(method, names, n);
	return near ? arena_printf(rb->arena, "did you mean `%s`?", near) : NULL;
}
