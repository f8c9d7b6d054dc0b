/*
 * hook_state.c - what a container runtime tells its hooks on stdin: the OCI state
 * (runtime-spec, "State"). Nothing in it is trusted.
 */
#include "cmd/containers/hook.h"

#include <string.h>

static int refuse(struct cmd *c, const char *text)
{
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = "state"},
	         "a container runtime gives the hook its state on stdin: see `" PROGRAM " help oci-hook`", "%s",
	         text);
	return STATUS_FAILED;
}

/* A member that is a string without control bytes; NULL: it is not there. */
static int text_member(struct cmd *c, const json_t *state, const char *key, bool needed, const char **out)
{
	const json_t *v = json_object_get(state, key);
	const char *s = json_string_value(v);
	*out = NULL;
	if (!v && !needed)
		return STATUS_OK;
	if (!s || !*s)
		return refuse(c, arena_printf(c->arena, "\"%s\" is no text", key));
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return refuse(c, arena_printf(c->arena, "\"%s\" has a control character", key));
	*out = arena_strdup(c->args, s);
	return STATUS_OK;
}

static int annotations_of(struct cmd *c, const json_t *all, struct hook_state *out)
{
	const char *key;
	json_t *value;
	if (!all || json_is_null(all))
		return STATUS_OK;
	if (!json_is_object(all))
		return refuse(c, "\"annotations\" is no object");
	struct annotation *list = arena_alloc(c->args, (json_object_size(all) + 1) * sizeof *list);
	json_object_foreach((json_t *)all, key, value) {
		if (!json_is_string(value))
			return refuse(c, arena_printf(c->arena, "the annotation \"%.64s\" is no text", key));
		list[out->nannotations++] = (struct annotation){arena_strdup(c->args, key),
		                                                arena_strdup(c->args, json_string_value(value))};
	}
	out->annotations = list;
	return STATUS_OK;
}

static int members(struct cmd *c, const json_t *state, struct hook_state *out)
{
	const char *version;
	const json_t *pid = json_object_get(state, "pid");
	int status;
	if (!json_is_object(state))
		return refuse(c, "it is no JSON object");
	if ((status = text_member(c, state, "ociVersion", true, &version)) ||
	    (status = text_member(c, state, "id", true, &out->id)) ||
	    (status = text_member(c, state, "status", false, &out->status)) ||
	    (status = text_member(c, state, "bundle", true, &out->bundle)))
		return status;
	if (pid && !json_is_integer(pid))
		return refuse(c, "\"pid\" is no number");
	out->pid = json_integer_value(pid);
	return annotations_of(c, json_object_get(state, "annotations"), out);
}

int hook_state_read(struct cmd *c, struct hook_state *out)
{
	struct document *in;
	json_error_t error;
	*out = (struct hook_state){0};
	int status = input_read(c, "-", INPUT_STATE, &in);
	if (status)
		return status;
	json_t *state = json_loadb(in->text, in->len, JSON_REJECT_DUPLICATES, &error);
	if (!state)
		return refuse(c, arena_printf(c->arena, "it is no valid JSON: %s (line %d)", error.text, error.line));
	status = members(c, state, out);
	json_decref(state);
	return status;
}
