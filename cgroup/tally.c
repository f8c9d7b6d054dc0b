/*
 * tally.c - the counts kept in the kernel, read and cleared. They go on counting
 * meanwhile: what is read is true of some moment during the call, each count alone.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int cannot(struct diags *d, const char *what, int error)
{
	return diag_fail(d, error_hint(d->arena, -error, error == -ENOENT ? "is /sys mounted? It tells how many CPUs there are" : "see the kernel log"),
	                 "cannot %s the counts: %s", what, strerror(-error));
}

/* One for each CPU this machine may have; to be freed, NULL with -errno in *error. */
static struct totals *totals_new(int *ncpus, int *error)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL); /* it would print to stderr */
	*ncpus = libbpf_num_possible_cpus();
	libbpf_set_print(before);
	*error = *ncpus < 0 ? *ncpus : -ENOMEM;
	return *ncpus < 0 ? NULL : calloc((size_t)*ncpus, sizeof(struct totals));
}

int audit_totals(struct diags *d, struct audit *au, struct totals *out)
{
	uint32_t zero = 0;
	int ncpus, error;
	*out = (struct totals){0};
	struct totals *each = totals_new(&ncpus, &error);
	if (each)
		error = bpf_map_lookup_elem(au->maps.fd[REPORT_TOTALS], &zero, each);
	for (int i = 0; !error && i < ncpus; i++) {
		out->denied += each[i].denied;
		out->allowed += each[i].allowed;
		out->submitted += each[i].submitted;
		out->folded += each[i].folded;
		out->dropped += each[i].dropped;
		out->untallied += each[i].untallied;
	}
	free(each);
	return error ? cannot(d, "read", error) : 0;
}

struct found {
	struct arena *arena;
	struct tally_entry *list;
	size_t n, cap;
};

static void add_tally(void *arg, const void *key, const void *value)
{
	struct found *f = arg;
	struct tally_entry *t = ARENA_PUSH(f->arena, f->list, f->n, f->cap);
	memcpy(&t->key, key, sizeof t->key);
	memcpy(&t->tally, value, sizeof t->tally);
}

/* Equal counts in the order of their keys, so that the same counts give the same list. */
static int by_count(const void *a, const void *b)
{
	const struct tally_entry *x = a, *y = b;
	if (x->tally.count != y->tally.count)
		return x->tally.count < y->tally.count ? 1 : -1;
	return memcmp(&x->key, &y->key, sizeof x->key);
}

int audit_tallies(struct arena *a, struct diags *d, struct audit *au, struct tally_entry **list,
                  size_t *n)
{
	struct found f = {.arena = a};
	int error = map_each(au->maps.fd[REPORT_TALLY], REPORT_TALLY, false, add_tally, &f);
	*list = f.list;
	*n = error ? 0 : f.n;
	if (error)
		return cannot(d, "read", error);
	if (f.n)
		qsort(f.list, f.n, sizeof *f.list, by_count);
	return 0;
}

uint64_t audit_tally(const struct audit *au, const struct tally_key *key)
{
	struct tally tally;
	return bpf_map_lookup_elem(au->maps.fd[REPORT_TALLY], key, &tally) ? 0 : tally.count;
}

static void forget(void *arg, const void *key, const void *value)
{
	(void)arg;
	(void)key;
	(void)value;
}

int audit_clear(struct diags *d, struct audit *au)
{
	uint32_t zero = 0;
	int ncpus, error;
	struct totals *none = totals_new(&ncpus, &error);
	if (none)
		error = bpf_map_update_elem(au->maps.fd[REPORT_TOTALS], &zero, none, BPF_ANY);
	free(none);
	if (!error)
		error = map_each(au->maps.fd[REPORT_TALLY], REPORT_TALLY, true, forget, NULL);
	return error ? cannot(d, "clear", error) : 0;
}
