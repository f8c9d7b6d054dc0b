/*
 * lists.c - device lists of other tools: what is read of them is a policy, and the Ruby made
 * of it compiles to the same.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "policy/host.h"
#include "policy/import/import.h"

typedef int read_list(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out);

enum { ENTRIES = 24 }; /* of so many the Ruby is compiled */

static bool allows(const struct policy *p, const struct policy_diagram *pd, const struct request *r)
{
	struct decision d;
	int missing;
	MUST(!policy_decide(p, pd, r, &d, &missing));
	return d.allow;
}

/* Around what an entry is about. */
static void same_near(const struct policy *const p[2], const struct policy_diagram pd[2], const struct foreign_entry *e)
{
	for (int bits = 0; bits < 1 << 6; bits++) {
		struct request r = {.type = bits & 1 ? DEV_CHAR : DEV_BLOCK, .major = e->major + (bits >> 1 & 1),
		                    .minor = e->minor + (bits >> 2 & 1), .access = bits >> 3};
		if (r.major >= 0 && r.major <= MAJOR_MAX && r.minor >= 0 && r.minor <= MINOR_MAX)
			MUST(allows(p[0], &pd[0], &r) == allows(p[1], &pd[1], &r));
	}
}

static void compare(struct fuzz *f, const struct foreign *list, const char *text, struct policy *made)
{
	struct ruby *ruby;
	struct policy *compiled;
	struct policy_diagram pd[2];
	MUST(!ruby_compile(f->arena, &f->diags, &host_dev, "fuzz.rb", text, strlen(text), NULL, 0, &ruby, &compiled));
	const struct policy *const both[2] = {made, compiled};
	MUST(made->nrules == compiled->nrules);
	MUST(!policy_diagram_any(made, &f->diags, &pd[0]) && !policy_diagram_any(compiled, &f->diags, &pd[1]));
	for (size_t i = 0; i < list->n; i++)
		same_near(both, pd, &list->entries[i]);
	ruby_close(ruby);
}

static char *ruby_of(struct fuzz *f, const struct foreign *list)
{
	char *text = NULL;
	size_t len = 0;
	f->stream = open_memstream(&text, &len);
	MUST(f->stream);
	foreign_ruby(f->stream, f->arena, list);
	MUST(!fclose(f->stream));
	f->stream = NULL;
	char *kept = arena_strndup(f->arena, text, len);
	free(text);
	return kept;
}

/* What `import` and the hook do with a list that was read. */
static void list_read(struct fuzz *f, int failed, struct foreign *list)
{
	struct policy *made;
	if (failed || foreign_settle(&f->diags, list, true, true)) {
		fuzz_refused(f);
		return;
	}
	char *text = ruby_of(f, list);
	if (foreign_policy(f->arena, &f->diags, list, &made))
		fuzz_refused(f);
	else if (list->n <= ENTRIES)
		compare(f, list, text, made);
}

#define LIST(format)                                                                               \
	void fuzz_##format(struct fuzz *f, const unsigned char *data, size_t len)                  \
	{                                                                                          \
		struct foreign list = {0};                                                         \
		int failed = foreign_##format(&f->diags, "fuzz.list", (const char *)data, len, &list); \
		list_read(f, failed, &list);                                                       \
	}
LIST(oci)
LIST(inspect)
LIST(lxc)
LIST(proxmox)
LIST(quadlet)
LIST(libvirt)
LIST(slurm)
LIST(v1)

void fuzz_compose(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct foreign list = {0};
	int failed = foreign_compose(&f->diags, "fuzz.yaml", (const char *)data, len, NULL, &list);
	list_read(f, failed, &list);
}

void fuzz_cdi(struct fuzz *f, const unsigned char *data, size_t len)
{
	const char *const names[] = {"0", "vendor.example/gpu=1"};
	struct foreign list = {0};
	int failed = foreign_cdi(&f->diags, "fuzz.yaml", (const char *)data, len, names, len % 3, &list);
	list_read(f, failed, &list);
}

/* A saved command line of docker. */
void fuzz_command(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct foreign list = {0};
	int failed = foreign_docker_file(&f->diags, "fuzz.sh", (const char *)data, len, &list);
	list_read(f, failed, &list);
}

void fuzz_systemd(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct foreign list = {0};
	const char *unit = len % 2 ? "fuzz@a-b.service" : NULL;
	int failed = foreign_systemd(&f->diags, "fuzz.list", (const char *)data, len, unit, &list);
	list_read(f, failed, &list);
}

/* A rule a line. */
void fuzz_docker(struct fuzz *f, const unsigned char *data, size_t len)
{
	enum { RULES = 32 };
	const char *rules[RULES];
	struct foreign list = {0};
	size_t n = 0;
	char *text = arena_strndup(f->arena, (const char *)data, len), *rest = text, *line;
	while (n < RULES && (line = strsep(&rest, "\n")))
		rules[n++] = line;
	int failed = foreign_docker(&f->diags, rules, n, &list);
	list_read(f, failed, &list);
}
