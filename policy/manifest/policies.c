/*
 * policies.c - finds a manifest's policies: files that only root can have written.
 */
#include "policy/manifest/internal.h"
#include "policy/trusted.h"

int manifest_policy_open(struct arena *a, struct diags *d, const struct manifest *m,
                         const char *name, struct span at, struct policy_file *out)
{
	static const char *const ends[] = {".rb", ".o"};
	const char *where = "";
	*out = (struct policy_file){.fd = -1};
	for (size_t i = 0; i < m->ndirectories; i++) {
		where = arena_printf(a, "%s%s%s", where, i ? ", " : "", m->directories[i].name);
		for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
			const char *why;
			out->path = arena_printf(a, "%s/%s%s", m->directories[i].name, name, ends[e]);
			int status = trusted_open(a, out->path, &out->fd, &why);
			if (!status)
				return 0;
			if (status == -2) {
				manifest_fail(m, d, at, "see what the host lacks", "policy %s: %s", name, why);
				return -2;
			}
			if (status < 0)
				return manifest_fail(
					m, d, at,
					"a policy and its directories must be root's, writable by "
					"root only, and no symbolic links",
					"policy %s is not trusted: %s", name, why);
		}
	}
	out->path = NULL;
	return manifest_fail(m, d, at, arena_printf(a, "put %s.rb or %s.o there", name, name),
	                     "there is no policy %s in %s", name, where);
}
