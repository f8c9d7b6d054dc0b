/*
 * oci.c - linux.resources.devices of an OCI config.json, by jansson.
 *
 * The array is read strictly, although the specification lets runtimes pass over
 * what they do not know: a key that is misspelt would widen its entry. A key that
 * is there twice is an error everywhere. Linear in the text.
 */
#include "policy/import/json.h"

#include <string.h>

struct devices {
	struct diags *d;
	struct foreign *out;
	size_t index;
};

/* ---- errors -------------------------------------------------------------------- */

/* `key` NULL: the entry itself. Always -1. */
static int entry_fail(struct devices *v, const char *key, const struct fault *f)
{
	struct fault placed = {.arena = v->d->arena};
	fault_set(&placed, f->hint, "linux.resources.devices[%zu]%s%s: %s", v->index, key ? "." : "",
	          key ? key : "", f->error);
	return foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &placed);
}

const char *json_type_text(const json_t *j)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",   [JSON_STRING] = "a string",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction",  [JSON_TRUE] = "true",
		[JSON_FALSE] = "false",      [JSON_NULL] = "null",
	};
	return names[json_typeof(j)];
}

static int wrong_type(struct devices *v, const char *key, const char *want, const char *hint, const json_t *j)
{
	struct fault f = {.arena = v->d->arena};
	fault_set(&f, hint, "must be %s, not %s", want, json_type_text(j));
	return entry_fail(v, key, &f);
}

int json_syntax_error(struct diags *d, const char *file, const json_error_t *e)
{
	enum json_error_code code = json_error_code(e);
	const char *hint = "it is one whole JSON text; jq . checks it";
	if (code == json_error_duplicate_key)
		hint = "keep one of the two";
	else if (code == json_error_premature_end_of_input)
		hint = "the text ends too early: was it cut off?";
	else if (code == json_error_stack_overflow)
		hint = "nothing of the kind is nested that deep";
	else if (code == json_error_numeric_overflow)
		hint = "device numbers are at most 4095:1048575";
	struct fault f = {.arena = d->arena};
	fault_set(&f, hint, "%s", text_safe(d->arena, e->text, strlen(e->text), sizeof e->text));
	/* without its column, which is where reading stopped, not where the token is */
	return foreign_fail(d, (struct span){.file = file, .line = e->line > 0 ? e->line : 0}, NULL, &f);
}

/* ---- one entry ------------------------------------------------------------------ */

static int read_type(struct devices *v, const json_t *j, struct foreign_entry *e)
{
	static const char hint[] = "a is every device, c are character, b block devices";
	struct fault f = {.arena = v->d->arena};
	e->types = DEV_CHAR | DEV_BLOCK;
	if (!j || json_is_null(j))
		return 0;
	if (!json_is_string(j))
		return wrong_type(v, "type", "\"a\", \"b\" or \"c\"", hint, j);
	struct slice s = {json_string_value(j), json_string_length(j)};
	e->types = slice_is(s, "c") ? DEV_CHAR : slice_is(s, "b") ? DEV_BLOCK : e->types;
	if (slice_is(s, "a") || e->types != (DEV_CHAR | DEV_BLOCK))
		return 0;
	fault_set(&f, hint, "unknown device type %s", text_quoted(f.arena, s));
	return entry_fail(v, "type", &f);
}

static const char *number_hint(struct arena *a, const char *key, int64_t max)
{
	return arena_printf(a, "numbers are from 0 to %lld; -1, null or no %s are all of them", (long long)max, key);
}

static int read_number_of(struct devices *v, const char *key, const json_t *j, int64_t max, int32_t *out)
{
	struct fault f = {.arena = v->d->arena};
	*out = FOREIGN_ANY;
	if (!j || json_is_null(j))
		return 0;
	if (!json_is_integer(j))
		return wrong_type(v, key, "a whole number", number_hint(f.arena, key, max), j);
	json_int_t value = json_integer_value(j);
	*out = (int32_t)value;
	if (value >= -1 && value <= max)
		return 0;
	fault_set(&f, number_hint(f.arena, key, max), "%lld is out of range", (long long)value);
	return entry_fail(v, key, &f);
}

/* Without letters runc does not start, and crun grants nothing. Only a denial may
 * lack them: then it is of all three. */
static int read_access_of(struct devices *v, const json_t *j, struct foreign_entry *e)
{
	static const char hint[] = "letters are r, w and m; without, runc does not start and crun grants nothing";
	struct fault f = {.arena = v->d->arena};
	e->access = ACC_ALL;
	e->no_letters = (!j || json_is_null(j)) && !e->allow;
	if (e->no_letters)
		return 0;
	if (j && !json_is_null(j) && !json_is_string(j))
		return wrong_type(v, "access", "a string of r, w and m", hint, j);
	struct slice s = {j ? json_string_value(j) : "", j ? json_string_length(j) : 0};
	if (!s.s || !s.n) {
		fault_set(&f, hint, "no letters: nothing is granted or denied");
		return entry_fail(v, "access", &f);
	}
	int access = read_access(&f, s);
	e->access = (uint8_t)access;
	return access < 0 ? entry_fail(v, "access", &f) : 0;
}

static int check_keys(struct devices *v, json_t *entry)
{
	static const char *const known[] = {"allow", "type", "major", "minor", "access"};
	enum { KNOWN = sizeof known / sizeof *known };
	const char *key;
	json_t *value;
	int rc = 0;
	json_object_foreach(entry, key, value) {
		size_t i = 0;
		while (i < KNOWN && strcmp(key, known[i]) != 0)
			i++;
		if (i < KNOWN)
			continue;
		struct fault f = {.arena = v->d->arena};
		const char *near = did_you_mean(key, known, KNOWN);
		fault_set(&f, near_hint(f.arena, near, "keys are allow, type, major, minor and access"),
		          "unknown key %s", text_quoted(f.arena, (struct slice){key, strlen(key)}));
		rc = entry_fail(v, NULL, &f);
	}
	return rc;
}

static int read_entry(struct devices *v, json_t *j)
{
	struct foreign_entry e = {.place = (uint32_t)v->index};
	if (!json_is_object(j))
		return wrong_type(v, NULL, "an object", "for example {\"allow\": false, \"access\": \"rwm\"}", j);
	struct fault f = {.arena = v->d->arena};
	json_t *allow = json_object_get(j, "allow");
	int rc = check_keys(v, j);
	if (!allow) {
		fault_set(&f, "write \"allow\": true or false", "allow is missing");
		rc = entry_fail(v, NULL, &f);
	} else if (!json_is_boolean(allow)) {
		rc = wrong_type(v, "allow", "true or false", "write it without quotes", allow);
	}
	e.allow = json_is_true(allow);
	rc |= read_type(v, json_object_get(j, "type"), &e);
	rc |= read_number_of(v, "major", json_object_get(j, "major"), MAJOR_MAX, &e.major);
	rc |= read_number_of(v, "minor", json_object_get(j, "minor"), MINOR_MAX, &e.minor);
	rc |= read_access_of(v, json_object_get(j, "access"), &e);
	if (rc == 0)
		foreign_add(v->d->arena, v->out, e);
	return rc;
}

/* ---- the way there ---------------------------------------------------------------- */

/* A key like "Devices", which Go takes for devices, or "device". */
static bool nearly_there(struct devices *v, json_t *in, const char *key, const char *path)
{
	struct fault f = {.arena = v->d->arena};
	const char *have;
	json_t *value;
	json_object_foreach(in, have, value) {
		struct slice s = {have, strlen(have)};
		if (!strcmp(have, key) || !foreign_near(f.arena, s, &key, 1))
			continue;
		fault_set(&f, arena_printf(f.arena, "did you mean %s?", key), "unknown key %s beside %s",
		          text_quoted(f.arena, s), path);
		foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &f);
		return true;
	}
	return false;
}

/* The member of that type; NULL when it is not there, or with an error. */
static json_t *member(struct devices *v, json_t *in, const char *key, const char *path, json_type type)
{
	json_t *j = json_object_get(in, key);
	if (nearly_there(v, in, key, path) || !j || json_is_null(j))
		return NULL;
	if (json_typeof(j) == type)
		return j;
	struct fault f = {.arena = v->d->arena};
	fault_set(&f, "see the OCI runtime specification, config-linux.md", "%s: must be %s, not %s", path,
	          type == JSON_ARRAY ? "an array" : "an object", json_type_text(j));
	foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &f);
	return NULL;
}

/* The container's own name, where its manager leaves one. */
static const char *name_of_container(struct arena *a, json_t *root)
{
	static const char *const keys[] = {"io.kubernetes.cri-o.Name", "io.kubernetes.cri.container-name"};
	json_t *annotations = json_object_get(root, "annotations");
	const char *name = NULL;
	for (size_t i = 0; i < sizeof keys / sizeof *keys && !name; i++)
		name = foreign_name(a, json_string_value(json_object_get(annotations, keys[i])));
	return name ? name : foreign_name(a, json_string_value(json_object_get(root, "hostname")));
}

static void read_config(struct devices *v, json_t *root)
{
	struct fault f = {.arena = v->d->arena};
	if (!json_is_object(root) || (!json_object_get(root, "ociVersion") && !json_object_get(root, "linux"))) {
		fault_set(&f, "give the config.json of a bundle", "this is no OCI config: it has no ociVersion and no linux");
		foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &f);
		return;
	}
	const char *name = name_of_container(v->d->arena, root);
	if (name)
		v->out->name = name;
	json_t *at = member(v, root, "linux", "linux", JSON_OBJECT);
	at = member(v, at, "resources", "linux.resources", JSON_OBJECT);
	at = member(v, at, "devices", "linux.resources.devices", JSON_ARRAY);
	if (!json_array_size(at)) {
		v->out->silent = at ? "linux.resources.devices is empty: nothing in it is about devices"
		                    : "there is no linux.resources.devices: nothing in it is about devices";
		v->out->silent_hint = "runc then allows only what every container has, crun every device: begin the list with "
				      "{\"allow\": false, \"access\": \"rwm\"}; to allow every device, give --empty-is-allow";
	}
	foreign_reserve(v->d->arena, v->out, json_array_size(at));
	for (; v->index < json_array_size(at) && v->d->errors <= FOREIGN_ERRORS; v->index++)
		read_entry(v, json_array_get(at, v->index));
}

int oci_read_json(struct diags *d, json_t *root, struct foreign *out)
{
	struct devices v = {.d = d, .out = out};
	size_t errors = d->errors;
	read_config(&v, root);
	if (d->errors > errors)
		return -1;
	foreign_add_runtime(d->arena, out);
	foreign_compare(d->arena, out);
	return 0;
}

int foreign_oci(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	json_error_t error;
	foreign_start(d, FOREIGN_OCI, file, out);
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return json_syntax_error(d, file, &error);
	int rc = oci_read_json(d, root, out);
	json_decref(root);
	const char *const path[] = {"linux", "resources", "devices", NULL};
	if (rc == 0)
		json_place(d->arena, out, text, len, &(struct json_array){path, false, false});
	return rc;
}
