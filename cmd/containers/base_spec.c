/*
 * base_spec.c - containerd has no hooks.d: what it makes by CRI begins as a specification in a file,
 * base_runtime_spec. It is written here, from the one that containerd itself begins with.
 *
 * That one comes from `ctr oci spec`, on stdin: containerd fills a file that is given with nothing,
 * so that it must have all that its own has, in this version of it. One thing is too much: a limit of
 * 1,024 open files, which containerd takes out of its own specification, but not out of a file.
 *
 * containerd reads the file at its start only, and has no CRI at all when a file that its
 * configuration names is not there: so the file is never removed, only the hook in it.
 */
#include "cmd/containers/hook.h"
#include "policy/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char from_where[] = "give it containerd's own: ctr oci spec | " PROGRAM " install-hook --containerd";

/* ---- a specification ------------------------------------------------------------------------ */

/* Takes our hook out: was it there? */
static bool take_hook(json_t *spec)
{
	json_t *hooks = json_object_get(spec, "hooks"), *list = json_object_get(hooks, "createRuntime");
	bool there = false;
	for (size_t i = json_array_size(list); i-- > 0;)
		if (hook_is_ours(json_array_get(list, i)))
			there = !json_array_remove(list, i);
	if (there && !json_array_size(list))
		json_object_del(hooks, "createRuntime");
	if (there && !json_object_size(hooks))
		json_object_del(spec, "hooks");
	return there;
}

static int put_hook(json_t *spec, json_t *hook)
{
	json_t *hooks = json_object_get(spec, "hooks");
	if (!json_is_object(hooks) && json_object_set_new(spec, "hooks", hooks = json_object()))
		return -1;
	json_t *list = json_object_get(hooks, "createRuntime");
	if (!json_is_array(list) && json_object_set_new(hooks, "createRuntime", list = json_array()))
		return -1;
	return json_array_append(list, hook);
}

/* The limit of `ctr oci spec`. Others are somebody's own. */
static void take_limit(json_t *spec)
{
	json_t *process = json_object_get(spec, "process"), *limits = json_object_get(process, "rlimits");
	for (size_t i = json_array_size(limits); i-- > 0;) {
		const json_t *l = json_array_get(limits, i);
		const char *type = json_string_value(json_object_get(l, "type"));
		if (type && !strcmp(type, "RLIMIT_NOFILE") && json_integer_value(json_object_get(l, "soft")) == 1024 &&
		    json_integer_value(json_object_get(l, "hard")) == 1024)
			json_array_remove(limits, i);
	}
	if (limits && !json_array_size(limits))
		json_object_del(process, "rlimits");
}

static int refuse(struct cmd *c, const char *file, const char *hint, const char *text)
{
	diag_add(&c->diags, DIAG_ERROR, (struct span){.file = file}, hint, "%s", text);
	return STATUS_FAILED;
}

/* A whole one: what is missing in it would be missing in every container. */
static int parse(struct cmd *c, const struct document *in, const char *hint, json_t **out)
{
	static const char *const needed[] = {"ociVersion", "process", "root", "mounts", "linux"};
	json_error_t error;
	json_t *spec = json_loadb(in->text, in->len, JSON_REJECT_DUPLICATES, &error);
	*out = spec;
	if (!spec)
		return refuse(c, in->file, hint, arena_printf(c->arena, "no specification: %s (line %d)", error.text, error.line));
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!json_object_get(spec, needed[i]))
			return refuse(c, in->file, hint, arena_printf(c->arena, "no whole specification: it has no \"%s\"", needed[i]));
	return STATUS_OK;
}

static const char *dump(struct cmd *c, const json_t *spec)
{
	char *json = json_dumps(spec, JSON_INDENT(2));
	const char *text = json ? arena_printf(c->args, "%s\n", json) : NULL;
	free(json);
	if (!text)
		cmd_no_memory(c);
	return text;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The one that is there, NULL when there is none. */
static int read_present(struct cmd *c, const char *path, struct document **in)
{
	*in = NULL;
	if (access(path, F_OK))
		return STATUS_OK;
	return input_read(c, path, INPUT_SPEC, in);
}

/* May what is there be written over? Ours, or nothing would be lost. */
static int check_present(struct cmd *c, const char *path, const struct document *in, const json_t *spec)
{
	json_t *there;
	if (!in || !strcmp(path, BASE_SPEC)) /* that place is nobody else's */
		return STATUS_OK;
	int status = parse(c, in, "move it away", &there);
	if (!status)
		take_limit(there);
	if (!status && !take_hook(there) && !json_equal(there, spec))
		status = refuse(c, path, arena_printf(c->arena, "to add the hook to it, give it on stdin: <%s; or choose another --spec", path),
		                "it was not written by " PROGRAM ", and its settings would be lost");
	json_decref(there);
	return status;
}

static int read_given(struct cmd *c, json_t **spec)
{
	struct document *in;
	*spec = NULL;
	if (isatty(STDIN_FILENO))
		return usage_error(c, from_where, "--containerd reads a specification from stdin, and that is a terminal");
	int status = input_read(c, "-", INPUT_SPEC, &in);
	return status ? status : parse(c, in, from_where, spec);
}

static int make_directory_of(struct cmd *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == path ? 0 : make_directories(c, arena_strndup(c->args, path, (size_t)(slash - path)));
}

/* Whole or as it was; says what it is now. */
static int write_spec(struct cmd *c, const char *path, const struct document *present, const json_t *spec)
{
	const char *text = dump(c, spec);
	bool same = present && strlen(text) == present->len && !memcmp(text, present->text, present->len);
	int status = make_directory_of(c, path) ? STATUS_FAILED : hook_file_write(c, path, text, 0644);
	if (status)
		return status;
	put_text(stdout, path);
	printf(": %s; for every container that containerd makes by CRI\n", same ? "as it was" : present ? "replaced" : "installed");
	puts("  containerd reads it at its start: name it as base_runtime_spec, and restart containerd");
	return STATUS_OK;
}

int base_spec_install(struct cmd *c, const char *path, json_t *hook)
{
	struct document *present = NULL;
	json_t *spec;
	int status = read_given(c, &spec);
	if (!status)
		status = read_present(c, path, &present);
	if (!status) {
		take_hook(spec);
		take_limit(spec);
		status = check_present(c, path, present, spec);
	}
	if (!status && put_hook(spec, hook))
		cmd_no_memory(c);
	if (!status)
		status = write_spec(c, path, present, spec);
	json_decref(spec);
	return status;
}

static void tell_removed(const char *path, bool file, bool hook)
{
	put_text(stdout, path);
	puts(!file ? ": not there" : hook ? ": the hook is taken out; containers that run stay guarded" : ": has no hook of ours");
	if (hook)
		puts("  containerd reads it at its start: until it is restarted new containers are guarded, too");
	if (file)
		puts("  before the file may go, take base_runtime_spec out of containerd's configuration and restart it: it has\n"
		     "  no CRI, and starts no pod, when a file named there is missing");
}

int base_spec_remove(struct cmd *c, const char *path)
{
	struct document *in;
	json_t *spec = NULL;
	bool hook = false;
	int status = read_present(c, path, &in);
	if (!status && in)
		status = parse(c, in, "move it away", &spec);
	if (!status && (hook = take_hook(spec)))
		status = hook_file_write(c, path, dump(c, spec), 0644);
	json_decref(spec);
	if (!status)
		tell_removed(path, in, hook);
	return status;
}
