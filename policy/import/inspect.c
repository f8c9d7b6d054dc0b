/*
 * inspect.c - what docker inspect prints of a container: HostConfig.Devices,
 * HostConfig.DeviceCgroupRules and HostConfig.Privileged. Paths are this host's.
 *
 * podman prints the same, but neither letters nor rules: it is refused, by the
 * letters that are missing. crictl inspect and ctr container info print the whole
 * configuration of the container: its list is that of an OCI config. Linear in the text.
 */
#include "policy/import/json.h"

#include <string.h>

struct inspected {
	struct diags *d;
	struct foreign *out;
	bool said; /* a key about devices is there */
};

static int fail(struct inspected *v, const struct fault *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail(struct inspected *v, const struct fault *f, const char *fmt, ...)
{
	struct fault placed = {.arena = v->d->arena};
	va_list ap;
	va_start(ap, fmt);
	const char *where = arena_vprintf(v->d->arena, fmt, ap);
	va_end(ap);
	fault_set(&placed, f->hint, "HostConfig%s: %s", where, f->error);
	return foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &placed);
}

static const char *const host_keys[] = {"Privileged", "Devices", "DeviceCgroupRules", "DeviceRequests"};
enum { PRIVILEGED, DEVICES, RULES, REQUESTS, HOST_KEYS };

/* A key that is nearly one about devices. */
static int check_keys(struct inspected *v, json_t *host)
{
	const char *key;
	json_t *value;
	int rc = 0;
	json_object_foreach(host, key, value) {
		struct fault f = {.arena = v->d->arena};
		struct slice s = {key, strlen(key)};
		bool known = false;
		for (size_t i = 0; i < HOST_KEYS; i++)
			known |= !strcmp(key, host_keys[i]);
		const char *near = known ? NULL : foreign_near(f.arena, s, host_keys, HOST_KEYS);
		if (!near)
			continue;
		fault_set(&f, arena_printf(f.arena, "did you mean %s?", near), "unknown key %s", text_quoted(f.arena, s));
		rc = fail(v, &f, "%s", "");
	}
	return rc;
}

static struct slice string_of(const json_t *j)
{
	return json_is_string(j) ? (struct slice){json_string_value(j), json_string_length(j)} : (struct slice){"", 0};
}

static int read_device(struct inspected *v, size_t i, const json_t *device)
{
	struct fault f = {.arena = v->d->arena};
	struct slice path = string_of(json_object_get(device, "PathOnHost"));
	struct slice letters = string_of(json_object_get(device, "CgroupPermissions"));
	struct foreign_entry e = {.allow = true, .place = (uint32_t)i};
	if (!path.n) {
		fault_set(&f, "a device has PathOnHost and CgroupPermissions", "PathOnHost is missing");
		return fail(v, &f, ".Devices[%zu]", i);
	}
	if (!letters.n) {
		fault_set(&f, "podman leaves them out: import oci \"$(podman inspect -f '{{.OCIConfigPath}}' NAME)\"",
		          "no CgroupPermissions");
		return fail(v, &f, ".Devices[%zu]", i);
	}
	return foreign_add_tree(v->out, &f, path, letters, e) ? fail(v, &f, ".Devices[%zu]", i) : 0;
}

static int read_rule(struct inspected *v, size_t i, const json_t *rule)
{
	struct fault f = {.arena = v->d->arena};
	struct foreign_entry e = {.allow = true, .place = (uint32_t)i, .in_rules = true};
	if (foreign_rule(&f, trimmed(string_of(rule)), false, &e))
		return fail(v, &f, ".DeviceCgroupRules[%zu]", i);
	foreign_add(f.arena, v->out, e);
	return 0;
}

/* {"Driver": "cdi", "DeviceIDs": ["vendor.com/gpu=0"]}: names; of others another program finds the
 * devices. */
static void read_request(struct inspected *v, size_t i, const json_t *request)
{
	struct fault f = {.arena = v->d->arena};
	struct foreign_entry e = {.allow = true, .place = (uint32_t)i, .in_requests = true};
	json_t *ids = json_object_get(request, "DeviceIDs");
	if (!slice_is(string_of(json_object_get(request, "Driver")), "cdi")) {
		diag_add(v->d, DIAG_WARNING, (struct span){.file = v->out->file}, "name them: allow \"char-nvidia rw\"",
		         "HostConfig.DeviceRequests[%zu]: the devices that another program finds are not in the policy", i);
		return;
	}
	for (size_t k = 0; k < json_array_size(ids); k++) {
		struct slice name = string_of(json_array_get(ids, k));
		if (foreign_is_cdi(name)) {
			foreign_skip_cdi(v->out, &f, name, &e);
			continue;
		}
		fault_set(&f, "a device of CDI is vendor.com/gpu=0", "%s is no name of a device", text_quoted(f.arena, name));
		fail(v, &f, ".DeviceRequests[%zu].DeviceIDs[%zu]", i, k);
	}
}

/* The member when it is of that type; NULL when it is not there, null, or, with an
 * error, of another. */
static json_t *member(struct inspected *v, json_t *host, int which, bool right, const char *type)
{
	json_t *j = json_object_get(host, host_keys[which]);
	struct fault f = {.arena = v->d->arena};
	v->said |= j != NULL;
	if (!j || json_is_null(j) || right)
		return j && right ? j : NULL;
	fault_set(&f, "give what docker inspect prints", "must be %s, not %s", type, json_type_text(j));
	fail(v, &f, ".%s", host_keys[which]);
	return NULL;
}

static void read_host(struct inspected *v, json_t *host)
{
	json_t *j = json_object_get(host, host_keys[PRIVILEGED]);
	check_keys(v, host);
	if (member(v, host, PRIVILEGED, json_is_boolean(j), "true or false") && json_is_true(j))
		foreign_privileged(v->out);
	j = json_object_get(host, host_keys[DEVICES]);
	j = member(v, host, DEVICES, json_is_array(j), "an array");
	for (size_t i = 0; i < json_array_size(j) && v->d->errors <= FOREIGN_ERRORS; i++)
		read_device(v, i, json_array_get(j, i));
	j = json_object_get(host, host_keys[RULES]);
	j = member(v, host, RULES, json_is_array(j), "an array");
	for (size_t i = 0; i < json_array_size(j) && v->d->errors <= FOREIGN_ERRORS; i++)
		read_rule(v, i, json_array_get(j, i));
	j = json_object_get(host, host_keys[REQUESTS]);
	j = member(v, host, REQUESTS, json_is_array(j), "an array");
	for (size_t i = 0; i < json_array_size(j) && v->d->errors <= FOREIGN_ERRORS; i++)
		read_request(v, i, json_array_get(j, i));
}

/* docker inspect prints an array, of one for one container. */
static void read_container(struct inspected *v, json_t *root)
{
	struct fault f = {.arena = v->d->arena};
	json_t *one = json_array_size(root) == 1 ? json_array_get(root, 0) : root;
	json_t *host = json_object_get(one, "HostConfig");
	if (json_array_size(root) > 1)
		fault_set(&f, "docker inspect NAME prints one", "%zu containers", json_array_size(root));
	else if (!json_is_object(host))
		fault_set(&f, "give what docker inspect CONTAINER prints", "this is no container: it has no HostConfig");
	if (f.error) {
		foreign_fail(v->d, (struct span){.file = v->out->file}, NULL, &f);
		return;
	}
	const char *name = json_string_value(json_object_get(one, "Name"));
	name = foreign_name(f.arena, name && *name == '/' ? name + 1 : name);
	v->out->name = name ? name : v->out->name;
	read_host(v, host);
}

/* The whole configuration, where crictl inspect (info.runtimeSpec) or ctr container info
 * (Spec) print it; NULL: there is none. */
static json_t *config_in(json_t *root)
{
	json_t *one = json_array_size(root) == 1 ? json_array_get(root, 0) : root;
	json_t *config = json_object_get(json_object_get(one, "info"), "runtimeSpec");
	config = config ? config : json_object_get(one, "Spec");
	return json_is_object(config) && !json_object_get(one, "HostConfig") ? config : NULL;
}

static int read_config(struct diags *d, json_t *root, json_t *config, struct foreign *out)
{
	const char *file = out->file;
	json_t *one = json_array_size(root) == 1 ? json_array_get(root, 0) : root;
	json_t *about = json_object_get(json_object_get(one, "status"), "metadata");
	const char *name = foreign_name(d->arena, json_string_value(json_object_get(about, "name")));
	foreign_start(d, FOREIGN_OCI, file, out);
	if (oci_read_json(d, config, out))
		return -1;
	out->name = name ? name : out->name;
	return 0;
}

static void place_config(struct arena *a, struct foreign *out, const char *text, size_t len)
{
	const char *const crictl[] = {"info", "runtimeSpec", "linux", "resources", "devices", NULL};
	const char *const ctr[] = {"Spec", "linux", "resources", "devices", NULL};
	json_place(a, out, text, len, &(struct json_array){ctr, false, false});
	json_place(a, out, text, len, &(struct json_array){crictl, false, false});
}

static void place_host(struct arena *a, struct foreign *out, const char *text, size_t len)
{
	for (int which = DEVICES; which <= REQUESTS; which++) {
		const char *const path[] = {"HostConfig", host_keys[which], NULL};
		json_place(a, out, text, len, &(struct json_array){path, which == RULES, which == REQUESTS});
	}
}

int foreign_inspect(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	struct inspected v = {.d = d, .out = out};
	json_error_t error;
	foreign_start(d, FOREIGN_INSPECT, file, out);
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error), *config;
	if (!root)
		return json_syntax_error(d, file, &error);
	if ((config = config_in(root))) {
		int rc = read_config(d, root, config, out);
		json_decref(root);
		if (rc == 0)
			place_config(d->arena, out, text, len);
		return rc;
	}
	read_container(&v, root);
	json_decref(root);
	if (d->errors)
		return -1;
	foreign_container(d->arena, out, v.said);
	place_host(d->arena, out, text, len);
	return 0;
}
