/*
 * hosted.c - a host program with grants and watchers, as commands leave them, for scripts: linked with everything except cmd/.
 *
 *	hosted grant CGROUP c|b MAJOR MINOR|* LETTERS [SECONDS [REASON]]   SECONDS 0: without an end
 *	hosted watch CGROUP|/              a watcher that stays
 *	hosted permit CGROUP               lets everything pass there; says `ready`, ends with stdin
 *	hosted other                       one with the maps and the header of a host program, and other instructions
 *	hosted end                         takes all of it off
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/hostprog.h"
#include "compiler/compiler.h"
#include "policy/access.h"

struct job {
	struct arena *arena;
	struct diags d;
	struct hostprog *hp;
	struct cgroup *cg;
};

static int said(struct job *j)
{
	for (size_t i = 0; i < j->d.n; i++)
		fprintf(stderr, "%s\n", j->d.items[i].text);
	return 1;
}

/* NULL stays: everywhere. */
static int open_cgroup(struct job *j, const char *path)
{
	return strcmp(path, "/") ? cgroup_open(j->arena, &j->d, path, &j->cg) : 0;
}

static uint64_t real_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int give(struct job *j, int argc, char **argv)
{
	struct host_grant g = {.time = real_ns(), .user = "tester"}, *list;
	size_t n;
	if (argc < 5)
		return 64;
	if (cgroup_open(j->arena, &j->d, argv[0], &j->cg) || hostprog_need(j->arena, &j->d, HOSTPROG_GRANTS, hostprog_make, &j->hp) ||
	    grants_read(j->arena, &j->d, j->hp, &list, &n))
		return said(j);
	g.key = (struct grant_key){.cgroup = j->cg->id, .type = argv[1][0] == 'b' ? DEV_BLOCK : DEV_CHAR, .major = (uint32_t)atoi(argv[2]),
	                           .minor = argv[3][0] == '*' ? GRANT_ANY_MINOR : (uint32_t)atoi(argv[3])};
	g.access = (uint32_t)access_parse(argv[4]);
	g.id = grant_next_id(j->hp, list, n, 1);
	g.seconds = argc > 5 ? (uint64_t)atoi(argv[5]) : 0;
	g.until = g.seconds ? boot_ns() + g.seconds * 1000000000 : 0;
	snprintf(g.reason, sizeof g.reason, "%s", argc > 6 ? argv[6] : "");
	snprintf(g.path, sizeof g.path, "%s", j->cg->path[strlen(j->cg->mount)] ? j->cg->path + strlen(j->cg->mount) : "/");
	if (grant_put(j->arena, &j->d, j->hp, &g, 1))
		return said(j);
	printf("%llu\n", (unsigned long long)g.id);
	return 0;
}

static int watch(struct job *j, const char *path, bool permit)
{
	struct watcher *w;
	char c;
	uint32_t parts = HOSTPROG_OBSERVE | (permit ? HOSTPROG_PERMIT : 0), flags = permit ? WATCHER_PERMIT : WATCHER_PINNED;
	if (open_cgroup(j, path) || hostprog_need(j->arena, &j->d, parts, hostprog_make, &j->hp) ||
	    watcher_new(j->arena, &j->d, j->hp, j->cg, flags, 0, &w) || (permit && watcher_permit(&j->d, w, 3600ull * 1000000000)))
		return said(j);
	hostprog_unlock(j->hp);
	if (!permit) {
		watcher_close(w);
		return 0;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

/* It lets everything pass. */
static void make_other(struct arena *a, uint32_t parts, uint32_t features, struct image *out)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_set_retval},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	(void)a, (void)parts, (void)features;
	*out = (struct image){.insns = insns, .ninsns = sizeof insns / sizeof *insns};
}

static int other(struct job *j)
{
	return hostprog_need(j->arena, &j->d, HOSTPROG_GRANTS, make_other, &j->hp) ? said(j) : 0;
}

static int end(struct job *j)
{
	struct host_watcher watchers[HOSTPROG_WATCHERS];
	struct host_grant *list;
	struct watcher *w;
	size_t n;
	if (hostprog_change(j->arena, &j->d, &j->hp))
		return said(j);
	if (!j->hp)
		return 0;
	hostprog_sweep(j->arena, j->hp);
	if (grants_read(j->arena, &j->d, j->hp, &list, &n))
		return said(j);
	for (size_t i = 0; i < n; i++)
		grant_remove(&j->d, j->hp, &list[i].key, 1);
	while (!watchers_read(&j->d, j->hp, watchers)) {
		int k = 0;
		while (k < HOSTPROG_WATCHERS && !(watchers[k].flags & WATCHER_PINNED))
			k++;
		if (k == HOSTPROG_WATCHERS)
			break;
		struct cgroup cg = {.id = watchers[k].cgroup};
		if (watcher_pinned(j->arena, &j->d, j->hp, watchers[k].flags & WATCHER_EVERYWHERE ? NULL : &cg, &w) || !w)
			return said(j);
		watcher_end(w);
	}
	return hostprog_settle(j->arena, &j->d, j->hp, hostprog_make) ? said(j) : 0;
}

int main(int argc, char **argv)
{
	struct job j = {.arena = arena_new()};
	diags_init(&j.d, j.arena);
	const char *what = argc > 1 ? argv[1] : "";
	int status = !strcmp(what, "grant")                 ? give(&j, argc - 2, argv + 2)
	             : !strcmp(what, "watch") && argc == 3  ? watch(&j, argv[2], false)
	             : !strcmp(what, "permit") && argc == 3 ? watch(&j, argv[2], true)
	             : !strcmp(what, "other")               ? other(&j)
	             : !strcmp(what, "end")                 ? end(&j)
	                                                    : 64;
	hostprog_close(j.hp);
	cgroup_close(j.cg);
	arena_free(j.arena);
	return status;
}
