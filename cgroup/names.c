/*
 * names.c - the rules' names in the kernel, so that whoever reads records needs no
 * policy file. No instruction uses the map; it is bound to the programs that share
 * it and goes with the last of them.
 */
#include "cgroup/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

int names_new(uint32_t entries)
{
	const struct report_kind *k = &report_kinds[REPORT_NAMES];
	struct bpf_map_create_opts opts = {.sz = sizeof opts, .map_flags = k->flags};
	return bpf_map_create(k->type, k->name, k->key_size, k->value_size, entries, &opts);
}

struct copy {
	int to, error;
};

static void copy_name(void *arg, const void *key, const void *value)
{
	struct copy *c = arg;
	if (!c->error)
		c->error = bpf_map_update_elem(c->to, key, value, BPF_ANY);
}

uint32_t names_entries(size_t n)
{
	size_t entries = n * NAME_GENERATIONS;
	return entries < NAME_LEAST ? NAME_LEAST : entries > NAME_ENTRIES ? NAME_ENTRIES : (uint32_t)entries;
}

int names_for(size_t n, int from)
{
	uint32_t entries = names_entries(n), have = from < 0 ? 0 : map_entries(from);
	if (have >= entries)
		return from;
	struct copy c = {.to = names_new(entries + have < NAME_ENTRIES ? entries + have : NAME_ENTRIES)};
	if (c.to < 0 || from < 0)
		return c.to;
	int error = map_each(from, REPORT_NAMES, false, copy_name, &c);
	if (!error && !c.error)
		return c.to;
	close(c.to);
	return error ? error : c.error;
}

/* ---- which may go ------------------------------------------------------------------- */

struct sweep {
	struct arena *arena;
	uint32_t generation; /* the new one */
	uint32_t *keep;      /* generations that tallies have */
	size_t nkeep, keep_cap;
	uint64_t *keys; /* to be deleted */
	size_t n, cap;
};

static bool kept(const struct sweep *s, uint32_t generation)
{
	for (size_t i = s->nkeep; i-- > 0;)
		if (s->keep[i] == generation)
			return true;
	return false;
}

static void keep_tally(void *arg, const void *key, const void *value)
{
	struct sweep *s = arg;
	struct tally_key k;
	(void)value;
	memcpy(&k, key, sizeof k);
	if (!kept(s, k.generation))
		*ARENA_PUSH(s->arena, s->keep, s->nkeep, s->keep_cap) = k.generation;
}

/* Names under the new generation are of a load that was never attached. */
static void mark_name(void *arg, const void *key, const void *value)
{
	struct sweep *s = arg;
	uint64_t k;
	(void)value;
	memcpy(&k, key, sizeof k);
	uint32_t generation = (uint32_t)(k >> 32);
	if (generation == s->generation || !kept(s, generation))
		*ARENA_PUSH(s->arena, s->keys, s->n, s->cap) = k;
}

/* Deletes the names of all generations but the last and those that tallies have;
 * `all`: of these too. 0 or -errno. */
static int sweep_names(struct arena *a, int names, int tally, uint32_t generation, bool all)
{
	struct sweep s = {.arena = a, .generation = generation};
	int error = 0;
	if (!all) {
		*ARENA_PUSH(a, s.keep, s.nkeep, s.keep_cap) = generation - 1;
		error = tally >= 0 ? map_each(tally, REPORT_TALLY, false, keep_tally, &s) : 0;
	}
	if (!error)
		error = map_each(names, REPORT_NAMES, false, mark_name, &s);
	for (size_t i = 0; !error && i < s.n; i++) {
		error = bpf_map_delete_elem(names, &s.keys[i]);
		error = error == -ENOENT ? 0 : error;
	}
	return error;
}

/* ---- new ones ------------------------------------------------------------------------- */

static bool is_full(int error)
{
	return error == -E2BIG || error == -ENOMEM;
}

/* From rule *i on, as far as they fit. 0 or -errno. */
static int put_from(int names, uint32_t generation, const struct rule_name *rules, size_t n,
                    size_t *i)
{
	for (; *i < n; ++*i) {
		uint64_t key = NAME_KEY(generation, *i);
		int error = bpf_map_update_elem(names, &key, &rules[*i], BPF_ANY);
		if (error)
			return error;
	}
	return 0;
}

int names_put(struct arena *a, struct diags *d, const char *name, int names, int tally,
              uint32_t generation, const struct rule_name *rules, size_t n)
{
	size_t i = 0;
	int error = sweep_names(a, names, tally, generation, false);
	if (!error)
		error = put_from(names, generation, rules, n, &i);
	/* what was before must then do without: the rules in force come first */
	if (is_full(error) && !sweep_names(a, names, tally, generation, true)) {
		i = 0;
		error = put_from(names, generation, rules, n, &i);
	}
	if (is_full(error)) {
		diag_add(d, DIAG_WARNING, (struct span){0},
		         "their records still have their numbers: `rucy-devguard check` lists the rules",
		         "the names of %zu of the %zu rules of '%s' have no room in the kernel", n - i, n,
		         name);
		return 0;
	}
	if (error)
		return diag_fail(d, "see `rucy-devguard doctor` and the kernel log",
		                 "cannot keep the names of the rules of '%s' in the kernel: %s", name,
		                 strerror(-error));
	return 0;
}

bool audit_rule(struct audit *au, uint32_t generation, uint32_t rule, struct rule_name *out)
{
	uint64_t key = NAME_KEY(generation, rule);
	int fd = au->maps.fd[REPORT_NAMES];
	*out = (struct rule_name){0};
	if (fd < 0 || bpf_map_lookup_elem(fd, &key, out))
		return false;
	out->file[sizeof out->file - 1] = '\0';
	out->label[sizeof out->label - 1] = '\0';
	return true;
}
