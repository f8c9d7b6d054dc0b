/*
 * cdi.c - a Container Device Interface specification, JSON or YAML: the device nodes that
 * a container gets with some of its devices, `vendor.com/gpu=0`.
 *
 * As CDI's library reads it: a node without type or major is looked up at its hostPath, else
 * at its path; without permissions it has all. Every specification is read strictly there,
 * so keys that are not known are errors here, where they are about nodes. Linear in the text.
 */
#include "policy/import/cdi.h"

#include <string.h>

static int fail_at(const struct cdi_spec *v, const struct yaml_node *at, const struct fault *f)
{
	return yaml_fail(&v->y, at->at, f->hint, "%s", f->error);
}

/* The value of that kind; NULL when it is not there, or with an error. */
static const struct yaml_node *member(const struct cdi_spec *v, const struct yaml_node *map, const char *key,
                                      enum yaml_kind kind)
{
	const struct yaml_node *n = yaml_value(map, key);
	if (!n || n->kind == kind)
		return n;
	yaml_fail(&v->y, n->at, "see the CDI specification", "%s must be %s, not %s", key, yaml_kind_name(kind),
	          yaml_kind_name(n->kind));
	return NULL;
}

static int check_keys(const struct cdi_spec *v, const struct yaml_node *map, const char *const *known, size_t n)
{
	int rc = 0;
	for (size_t i = 0; i < map->n; i++) {
		struct slice key = map->keys[i].text;
		bool found = false;
		for (size_t k = 0; k < n; k++)
			found |= slice_is(key, known[k]);
		if (found)
			continue;
		const char *near = foreign_near(v->y.arena, key, known, n);
		rc = yaml_fail(&v->y, map->keys[i].at, near_hint(v->y.arena, near, "see the CDI specification"), "unknown key %s",
		               text_quoted(v->y.arena, key));
	}
	return rc;
}
#define CHECK_KEYS(v, map, ...)                                                                    \
	check_keys(v, map, (const char *const[]){__VA_ARGS__},                                     \
	           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- nodes --------------------------------------------------------------------------- */

/* 1: the number is not there, or 0, which is looked up. */
static int number_of(const struct cdi_spec *v, const struct yaml_node *node, const char *key, int64_t max, int32_t *out)
{
	struct fault f = {.arena = v->y.arena};
	const struct yaml_node *n = member(v, node, key, YAML_TEXT);
	int64_t value = 0;
	if (n && read_number(&f, key, n->text, (uint64_t)max, &value))
		return fail_at(v, n, &f);
	*out = (int32_t)value;
	return value == 0;
}

/* By the host's node, which must be of the type that is given, if one is. */
static int looked_up(struct cdi_spec *v, struct fault *f, struct slice path, struct slice letters, const struct yaml_node *type,
                     struct foreign_entry e)
{
	size_t before = v->out->n;
	if (foreign_add_path(v->out, f, path, letters, e))
		return -1;
	bool made = v->out->n > before, typed = type && type->text.n;
	int wanted = typed && slice_is(type->text, "b") ? DEV_BLOCK : DEV_CHAR;
	if (!made || !typed || v->out->entries[before].types == wanted)
		return 0;
	return fault_set(f, "take the type out, or name the right path", "%s is of the other type here", text_quoted(f->arena, path));
}

static int grants_nothing(struct cdi_spec *v, struct fault *f, struct slice path, const struct foreign_entry *e, const char *with)
{
	fault_set(f, NULL, "no access is granted to a node with %s%s%s", with, e->via ? ", " : "", e->via ? e->via : "");
	foreign_skip_fault(v->out, e->file, (int)e->place, f, text_safe(f->arena, path.s, path.n, 200));
	return 0;
}

/* The keys are known, their kinds right. 0 or -1 with the fault. */
static int read_node(struct cdi_spec *v, struct fault *f, const struct yaml_node *node, struct foreign_entry e, bool lookup)
{
	const struct yaml_node *path = yaml_value(node, "path"), *host = yaml_value(node, "hostPath");
	const struct yaml_node *type = yaml_value(node, "type"), *permissions = yaml_value(node, "permissions");
	struct slice letters = permissions && permissions->text.n ? permissions->text : (struct slice){"rwm", 3};
	bool typed = type && type->text.n;
	int access;
	if (!path || !path->text.n)
		return fault_set(f, "write path: /dev/fuse", "the node has no path");
	host = host && host->text.n ? host : path;
	if (typed && (slice_is(type->text, "p") || slice_is(type->text, "u")))
		return grants_nothing(v, f, host->text, &e, "type u or p");
	if (typed && !slice_is(type->text, "c") && !slice_is(type->text, "b"))
		return fault_set(f, "types are b, c, u and p", "unknown device type %s", text_quoted(f->arena, type->text));
	if (slice_is(letters, "none"))
		return grants_nothing(v, f, host->text, &e, "permissions none");
	if (!typed || lookup)
		return looked_up(v, f, host->text, letters, type, e);
	if ((access = read_access(f, letters)) < 0)
		return -1;
	e.types = slice_is(type->text, "b") ? DEV_BLOCK : DEV_CHAR, e.access = (uint8_t)access;
	foreign_add(f->arena, v->out, e);
	return 0;
}

static void add_node(struct cdi_spec *v, const struct yaml_node *node)
{
	static const char *const texts[] = {"path", "hostPath", "type", "permissions"};
	struct fault f = {.arena = v->y.arena};
	struct foreign_entry e = v->entry;
	size_t errors = v->y.diags->errors;
	if (!v->name)
		e.file = v->y.file, e.place = (uint32_t)node->at.line;
	else
		e.via = arena_printf(f.arena, "%s of %s:%d", v->name, text_safe(f.arena, v->y.file, strlen(v->y.file), 200), node->at.line);
	if (node->kind != YAML_MAP) {
		fault_set(&f, "write path: /dev/fuse", "a device node must be a mapping");
		fail_at(v, node, &f);
		return;
	}
	CHECK_KEYS(v, node, "path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		member(v, node, texts[i], YAML_TEXT);
	bool lookup = number_of(v, node, "major", MAJOR_MAX, &e.major);
	number_of(v, node, "minor", MINOR_MAX, &e.minor);
	if (v->y.diags->errors == errors && read_node(v, &f, node, e, lookup))
		fail_at(v, node, &f);
}

static void add_edits(struct cdi_spec *v, const struct yaml_node *of)
{
	const struct yaml_node *edits = member(v, of, "containerEdits", YAML_MAP);
	if (!edits || CHECK_KEYS(v, edits, "env", "deviceNodes", "netDevices", "hooks", "mounts", "intelRdt", "additionalGids"))
		return;
	const struct yaml_node *nodes = member(v, edits, "deviceNodes", YAML_LIST);
	for (size_t i = 0; nodes && i < nodes->n && v->y.diags->errors <= FOREIGN_ERRORS; i++)
		add_node(v, &nodes->items[i]);
}

/* ---- devices ---------------------------------------------------------------------------- */

static bool is_called(const struct cdi_spec *v, struct slice name, const char *wanted)
{
	size_t n = v->kind.n;
	if (slice_is(name, wanted))
		return true;
	return !strncmp(wanted, v->kind.s, n) && wanted[n] == '=' && slice_is(name, wanted + n + 1);
}

const char *cdi_names(const struct cdi_spec *v)
{
	enum { SHOWN = 12 };
	const char *text = "";
	for (size_t i = 0; i < v->devices->n && i < SHOWN; i++) {
		const struct yaml_node *name = yaml_value(&v->devices->items[i], "name");
		if (name && name->kind == YAML_TEXT)
			text = arena_printf(v->y.arena, "%s%s%s=%s", text, *text ? ", " : "", text_safe(v->y.arena, v->kind.s, v->kind.n, 64),
			                    text_safe(v->y.arena, name->text.s, name->text.n, 64));
	}
	return v->devices->n > SHOWN ? arena_printf(v->y.arena, "%s ...", text) : text;
}

size_t cdi_count(const struct cdi_spec *v, const char *name)
{
	size_t found = 0;
	for (size_t i = 0; i < v->devices->n; i++) {
		const struct yaml_node *called = yaml_value(&v->devices->items[i], "name");
		found += called && called->kind == YAML_TEXT && is_called(v, called->text, name);
	}
	return found;
}

void cdi_give(struct cdi_spec *v, const char *wanted)
{
	for (size_t i = 0; i < v->devices->n && v->y.diags->errors <= FOREIGN_ERRORS; i++) {
		const struct yaml_node *device = &v->devices->items[i], *name;
		if (device->kind != YAML_MAP || !(name = member(v, device, "name", YAML_TEXT))) {
			yaml_fail(&v->y, device->at, "write name: 0", "a device has no name");
			continue;
		}
		if (wanted && !is_called(v, name->text, wanted))
			continue;
		if (!CHECK_KEYS(v, device, "name", "annotations", "containerEdits"))
			add_edits(v, device);
	}
}

void cdi_give_common(struct cdi_spec *v, const struct yaml_node *root)
{
	add_edits(v, root);
}

int cdi_open(struct cdi_spec *v, const struct yaml_node *root)
{
	size_t errors = v->y.diags->errors;
	const struct yaml_node *kind = member(v, root, "kind", YAML_TEXT);
	v->devices = member(v, root, "devices", YAML_LIST);
	if (v->y.diags->errors > errors)
		return -1;
	if (!kind || !v->devices || !v->devices->n)
		return yaml_fail(&v->y, (struct span){.file = v->y.file}, "give a file of /etc/cdi or /var/run/cdi",
		                 "this is no CDI specification: it has no %s", !kind ? "kind" : "devices");
	v->kind = kind->text;
	return CHECK_KEYS(v, root, "cdiVersion", "kind", "annotations", "devices", "containerEdits");
}

static void choose(struct cdi_spec *v, const char *const *wanted, size_t n)
{
	struct span at = {.file = v->y.file};
	if (!n && v->devices->n > 1)
		yaml_fail(&v->y, at, arena_printf(v->y.arena, "--device NAME, one of: %s", cdi_names(v)), "there are several devices");
	else if (!n)
		cdi_give(v, NULL);
	for (size_t i = 0; i < n; i++)
		if (cdi_count(v, wanted[i]))
			cdi_give(v, wanted[i]);
		else
			yaml_fail(&v->y, at, arena_printf(v->y.arena, "--device NAME, one of: %s", cdi_names(v)), "there is no device %s",
			          text_quoted(v->y.arena, (struct slice){wanted[i], strlen(wanted[i])}));
}

int foreign_cdi(struct diags *d, const char *file, const char *text, size_t len, const char *const *wanted, size_t n,
                struct foreign *out)
{
	struct cdi_spec v = {.y = {.arena = d->arena, .diags = d, .file = file, .text = text, .len = len,
	                           .begin = "cdiVersion: 0.6.0", .shorten = "leave out the devices that are not named"},
	                     .out = out,
	                     .entry = {.allow = true}};
	struct yaml_node root;
	foreign_start(d, FOREIGN_CDI, file, out);
	if (yaml_read(&v.y, &root) || cdi_open(&v, &root))
		return -1;
	choose(&v, wanted, n);
	cdi_give_common(&v, &root);
	if (d->errors)
		return -1;
	foreign_container(d->arena, out, true);
	return 0;
}
