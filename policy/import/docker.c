/*
 * docker.c - values of docker's --device-cgroup-rule, and what the other
 * ways to give a container devices have in common.
 */
#include "policy/import/internal.h"
#include "policy/host.h"

#include <string.h>

int foreign_docker(struct diags *d, const char *const *rules, size_t n, struct foreign *out)
{
	static const char option[] = "--device-cgroup-rule=";
	foreign_start(d, FOREIGN_DOCKER, NULL, out);
	for (size_t i = 0; i < n && d->errors <= FOREIGN_ERRORS; i++) {
		struct fault f = {.arena = d->arena}, numbered = f;
		struct foreign_entry e = {.allow = true, .place = (uint32_t)i + 1};
		const char *text = rules[i];
		size_t len = strlen(option);
		if (!strncmp(text, option, len))
			text += len;
		if (foreign_rule(&f, trimmed((struct slice){text, strlen(text)}), false, &e) == 0) {
			foreign_add(d->arena, out, e);
			continue;
		}
		fault_set(&numbered, f.hint, "rule %zu: %s", i + 1, f.error);
		foreign_fail(d, (struct span){0}, NULL, &numbered);
	}
	foreign_add_runtime(d->arena, out);
	foreign_compare(d->arena, out);
	return d->errors ? -1 : 0;
}

/* ---- inspect and compose ------------------------------------------------------------------ */

int foreign_host_device(struct foreign *out, struct fault *f, struct slice path, struct slice letters,
                        struct foreign_entry e)
{
	int type, access;
	int64_t major, minor;
	if (text_check(f, path.s, path.n) || foreign_path_check(f, path) || (access = read_access(f, letters)) < 0)
		return -1;
	const char *name = arena_strndup(f->arena, path.s, path.n);
	if (device_at(f, &host_dev, path, &type, &major, &minor)) {
		if (!foreign_path_absent(f->arena, path))
			return -1;
		foreign_skip_fault(out, e.file, (int)e.place, f,
		                   arena_printf(f->arena, "%s %.*s", name, (int)letters.n, letters.s));
		return 0;
	}
	e.allow = true, e.path = name;
	e.types = (uint8_t)type, e.access = (uint8_t)access;
	e.major = (int32_t)major, e.minor = (int32_t)minor;
	foreign_add(f->arena, out, e);
	return 0;
}

void foreign_privileged(struct foreign *out)
{
	out->open = "the container is privileged: its runtime filters nothing";
}

void foreign_container(struct arena *a, struct foreign *out, bool said)
{
	if (!said) {
		out->silent = "nothing in it is about devices: no privileged, devices or rules for them";
		out->silent_hint = "the container then has the devices every container has, and no others: say so with an "
				   "empty list of devices, or give --empty-is-allow";
	}
	if (out->open) {
		out->n = 0;
		out->default_allow = true;
	}
	foreign_add_runtime(a, out);
	foreign_compare(a, out);
}
