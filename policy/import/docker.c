/* docker.c - values of docker's --device-cgroup-rule. */
#include "policy/import/internal.h"

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
