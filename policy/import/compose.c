/*
 * compose.c - a service of a compose file: devices, device_cgroup_rules and
 * privileged. Paths are this host's.
 *
 * What compose would put together first (extends, anchors, ${VARIABLES}, several
 * files) is an error: docker compose config prints the whole. Linear in the text.
 */
#include "policy/import/engine.h"
#include "policy/yaml.h"

#include <string.h>

#define WHOLE "import what docker compose config prints"

struct composed {
	struct yaml y;
	struct foreign *out;
	bool said; /* a key about devices is there */
};

static int fail_at(const struct composed *v, const struct yaml_node *at, const struct fault *f)
{
	return yaml_fail(&v->y, at->at, f->hint, "%s", f->error);
}

static int expect_kind(const struct composed *v, const struct yaml_node *n, enum yaml_kind kind, const char *key)
{
	if (n->kind != kind)
		return yaml_fail(&v->y, n->at, "see the Compose file reference", "%s must be %s, not %s", key,
		                 yaml_kind_name(kind), yaml_kind_name(n->kind));
	if (kind == YAML_TEXT && memchr(n->text.s, '$', n->text.n))
		return yaml_fail(&v->y, n->at, WHOLE, "variables are not expanded: %s", text_quoted(v->y.arena, n->text));
	return 0;
}

/* ---- devices ------------------------------------------------------------------------ */

static int give(struct composed *v, const struct yaml_node *at, struct slice path, struct slice letters)
{
	static const char all[] = "rwm";
	struct fault f = {.arena = v->y.arena};
	struct foreign_entry e = {.allow = true, .file = v->y.file, .place = (uint32_t)at->at.line};
	letters = letters.s ? letters : (struct slice){all, strlen(all)};
	if (!letters.n)
		fault_set(&f, "write them: /dev/fuse:/dev/fuse:rw", "no letters: nothing is granted");
	return f.error || foreign_add_tree(v->out, &f, path, letters, e) ? fail_at(v, at, &f) : 0;
}

static int short_device(struct composed *v, const struct yaml_node *n)
{
	struct fault f = {.arena = v->y.arena};
	struct foreign_entry e = {.allow = true, .file = v->y.file, .place = (uint32_t)n->at.line};
	if (expect_kind(v, n, YAML_TEXT, "a device"))
		return -1;
	return engine_device(v->out, &f, n->text, e) ? fail_at(v, n, &f) : 0;
}

static int long_device(struct composed *v, const struct yaml_node *n)
{
	static const char *const keys[] = {"source", "target", "permissions"};
	const struct yaml_node *source = yaml_value(n, "source"), *permissions = yaml_value(n, "permissions");
	struct slice letters = {0};
	for (size_t i = 0; i < n->n; i++)
		if (!slice_is(n->keys[i].text, keys[0]) && !slice_is(n->keys[i].text, keys[1]) &&
		    !slice_is(n->keys[i].text, keys[2]))
			return yaml_fail(&v->y, n->keys[i].at, "keys are source, target and permissions", "unknown key %s",
			                 text_quoted(v->y.arena, n->keys[i].text));
	if (!source)
		return yaml_fail(&v->y, n->at, "write source: /dev/fuse", "source is missing");
	if (expect_kind(v, source, YAML_TEXT, "source") ||
	    (permissions && expect_kind(v, permissions, YAML_TEXT, "permissions")))
		return -1;
	if (permissions)
		letters = permissions->text;
	return give(v, source, source->text, letters);
}

static int read_rule(struct composed *v, const struct yaml_node *n)
{
	struct fault f = {.arena = v->y.arena};
	struct foreign_entry e = {.allow = true, .file = v->y.file, .place = (uint32_t)n->at.line};
	if (expect_kind(v, n, YAML_TEXT, "a rule"))
		return -1;
	if (foreign_rule(&f, trimmed(n->text), false, &e))
		return fail_at(v, n, &f);
	foreign_add(f.arena, v->out, e);
	return 0;
}

/* ---- a service ------------------------------------------------------------------------ */

static const char *const service_keys[] = {"privileged", "devices", "device_cgroup_rules"};
enum { SERVICE_KEYS = sizeof service_keys / sizeof *service_keys };

static int read_privileged(struct composed *v, const struct yaml_node *n)
{
	bool yes = n->kind == YAML_TEXT && slice_is(n->text, "true");
	if (expect_kind(v, n, YAML_TEXT, "privileged"))
		return -1;
	if (!yes && !slice_is(n->text, "false"))
		return yaml_fail(&v->y, n->at, "write true or false", "privileged must be true or false");
	if (yes)
		foreign_privileged(v->out);
	return 0;
}

static int read_list(struct composed *v, const struct yaml_node *n, const char *key, bool rules)
{
	int rc = expect_kind(v, n, YAML_LIST, key);
	for (size_t i = 0; rc == 0 && i < n->n && v->y.diags->errors <= FOREIGN_ERRORS; i++) {
		const struct yaml_node *item = &n->items[i];
		if (rules)
			read_rule(v, item);
		else if (item->kind == YAML_MAP)
			long_device(v, item);
		else
			short_device(v, item);
	}
	return rc;
}

static void found_elsewhere(const struct composed *v, const struct yaml_node *key)
{
	diag_add(v->y.diags, DIAG_WARNING, key->at, "name them: allow \"char-nvidia rw\"",
	         "%s: the devices that another program finds are not in the policy", key->text.s);
}

/* driver: cdi, device_ids: ["vendor.com/gpu=0"] are names; others are found by their driver. */
static void read_reserved(struct composed *v, const struct yaml_node *key, const struct yaml_node *device)
{
	const struct yaml_node *driver = yaml_value(device, "driver"), *ids = yaml_value(device, "device_ids");
	if (!driver || driver->kind != YAML_TEXT || !slice_is(driver->text, "cdi")) {
		found_elsewhere(v, key);
		return;
	}
	if (!ids) {
		yaml_fail(&v->y, device->at, "write device_ids: [\"vendor.com/gpu=0\"]", "driver: cdi without device_ids");
		return;
	}
	if (expect_kind(v, ids, YAML_LIST, "device_ids"))
		return;
	v->said = true;
	for (size_t i = 0; i < ids->n; i++) {
		const struct yaml_node *id = &ids->items[i];
		if (!expect_kind(v, id, YAML_TEXT, "a device") && !foreign_is_cdi(id->text))
			yaml_fail(&v->y, id->at, "a device of CDI is vendor.com/gpu=0", "%s is no name of a device",
			          text_quoted(v->y.arena, id->text));
		else
			short_device(v, id);
	}
}

/* deploy.resources.reservations.devices. */
static void read_deploy(struct composed *v, const struct yaml_node *key, const struct yaml_node *deploy)
{
	static const char *const path[] = {"resources", "reservations", "devices"};
	for (size_t i = 0; deploy && i < sizeof path / sizeof *path; i++)
		deploy = yaml_value(deploy, path[i]);
	if (!deploy || expect_kind(v, deploy, YAML_LIST, "devices"))
		return;
	for (size_t i = 0; i < deploy->n; i++)
		read_reserved(v, key, &deploy->items[i]);
}

static void read_key(struct composed *v, const struct yaml_node *key, const struct yaml_node *value)
{
	struct slice word = key->text;
	const char *near;
	for (size_t i = 0; i < SERVICE_KEYS; i++)
		v->said |= slice_is(word, service_keys[i]);
	if (slice_is(word, "privileged"))
		read_privileged(v, value);
	else if (slice_is(word, "devices") || slice_is(word, "device_cgroup_rules"))
		read_list(v, value, word.s, word.n != strlen("devices"));
	else if (slice_is(word, "extends") || slice_is(word, "<<"))
		yaml_fail(&v->y, key->at, WHOLE, "%s: what stands elsewhere is not read", word.s);
	else if (slice_is(word, "gpus"))
		found_elsewhere(v, key);
	else if (slice_is(word, "deploy"))
		read_deploy(v, key, value);
	else if ((near = foreign_near(v->y.arena, word, service_keys, SERVICE_KEYS)))
		yaml_fail(&v->y, key->at, arena_printf(v->y.arena, "did you mean %s?", near), "unknown key %s",
		          text_quoted(v->y.arena, word));
}

/* The service of that name, or the only one. */
static const struct yaml_node *choose(struct composed *v, const struct yaml_node *root, const char *service)
{
	enum { NAMES_SHOWN = 12 };
	const struct yaml_node *services = yaml_value(root, "services"), *found = NULL;
	struct fault f = {.arena = v->y.arena};
	char *names = "";
	if (!services || services->kind != YAML_MAP || !services->n)
		fault_set(&f, "give a compose file", "there are no services");
	for (size_t i = 0; !f.error && i < services->n; i++) {
		if (i < NAMES_SHOWN)
			names = arena_printf(f.arena, "%s%s%s", names, i ? ", " : "", text_safe(f.arena, services->keys[i].text.s,
			                                                                       services->keys[i].text.n, 64));
		else if (i == NAMES_SHOWN)
			names = arena_printf(f.arena, "%s ...", names);
		if (service ? !slice_is(services->keys[i].text, service) : services->n > 1)
			continue;
		found = &services->items[i];
		v->out->name = foreign_name(f.arena, services->keys[i].text.s);
	}
	if (!f.error && !found)
		fault_set(&f, arena_printf(f.arena, "--service NAME, one of: %s", names),
		          service ? "there is no such service" : "there are several services");
	if (f.error)
		yaml_fail(&v->y, (struct span){.file = v->y.file}, f.hint, "%s", f.error);
	return found;
}

int foreign_compose(struct diags *d, const char *file, const char *text, size_t len, const char *service,
                    struct foreign *out)
{
	struct composed v = {.y = {.arena = d->arena, .diags = d, .file = file, .text = text, .len = len,
	                            .begin = "services:", .shorten = "leave out the other services"},
	                      .out = out};
	struct yaml_node root;
	foreign_start(d, FOREIGN_COMPOSE, file, out);
	if (yaml_read(&v.y, &root))
		return -1;
	const struct yaml_node *found = choose(&v, &root, service);
	if (!found || expect_kind(&v, found, YAML_MAP, "a service"))
		return -1;
	if (yaml_value(&root, "include"))
		yaml_fail(&v.y, (struct span){.file = file}, WHOLE, "include: other files are not read");
	for (size_t i = 0; i < found->n; i++)
		read_key(&v, &found->keys[i], &found->items[i]);
	if (d->errors)
		return -1;
	foreign_container(d->arena, out, v.said);
	return 0;
}
