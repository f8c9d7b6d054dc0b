/*
 * fixture.c - the table of harnesses, and one run: an arena with a budget, which ends the
 * run as it ends a child of the room, and the freeing of what such an end leaves behind.
 */
#include "tests/fuzz/fuzz.h"
#include "policy/budget.h"
#include "policy/host.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 96 << 20 };

const struct harness fuzz_harnesses[] = {
	{"policy", fuzz_policy, TEXT | FREES},
	{"object", fuzz_object, BYTES},
	{"section", fuzz_section, BYTES},
	{"lines", fuzz_lines, BYTES},
	{"record", fuzz_record, BYTES},
	{"message", fuzz_message, BYTES},
	{"question", fuzz_question, BYTES},
	{"verdict", fuzz_verdict, BYTES},
	{"state", fuzz_state, BYTES},
	{"oci", fuzz_oci, TEXT},
	{"docker", fuzz_docker, TEXT},
	{"inspect", fuzz_inspect, TEXT},
	{"compose", fuzz_compose, TEXT},
	{"quadlet", fuzz_quadlet, TEXT},
	{"cdi", fuzz_cdi, TEXT},
	{"command", fuzz_command, TEXT},
	{"systemd", fuzz_systemd, TEXT},
	{"lxc", fuzz_lxc, TEXT},
	{"proxmox", fuzz_proxmox, TEXT},
	{"libvirt", fuzz_libvirt, TEXT},
	{"slurm", fuzz_slurm, TEXT},
	{"v1", fuzz_v1, TEXT},
	{"manifest", fuzz_manifest, BYTES},
	{"cases", fuzz_cases, TEXT},
	{"request", fuzz_request, TEXT},
	{"device", fuzz_device, TEXT},
	{"groups", fuzz_groups, TEXT},
	{"options", fuzz_options, TEXT},
};
const size_t fuzz_nharnesses = sizeof fuzz_harnesses / sizeof *fuzz_harnesses;

const struct harness *fuzz_harness(const char *name)
{
	for (size_t i = 0; i < fuzz_nharnesses; i++)
		if (!strcmp(fuzz_harnesses[i].name, name))
			return &fuzz_harnesses[i];
	return NULL;
}

void fuzz_must(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void fuzz_refused(const struct fuzz *f)
{
	static const char *const blames[] = {"this is a bug of the compiler: please report it with the policy",
	                                     "report it with the policy"};
	for (size_t i = 0; i < f->diags.n; i++) {
		const struct diag *d = &f->diags.items[i];
		for (size_t k = 0; k < sizeof blames / sizeof *blames; k++)
			MUST(!d->hint || strcmp(d->hint, blames[k]));
	}
	MUST(f->diags.errors);
}

/* ---- allocations of a run, beside its arena ------------------------------------------------ */

/* The sanitizers call these for every allocation, where they are linked in. */
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                              void (*)(const volatile void *)) __attribute__((weak));
void __lsan_ignore_object(const void *) __attribute__((weak));

enum { SLOTS = 1 << 20, SLOTS_FULL = SLOTS / 4 * 3 };
static struct slot { const void *at; uint32_t run; } slots[SLOTS]; /* open addressing */
static uint32_t run_number;
static size_t nslots; /* used in this run, also those given back */
static bool tracking;

static struct slot *slot_of(const void *p)
{
	size_t i = (size_t)((uintptr_t)p / 16 * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SLOTS;
	while (slots[i].run == run_number && slots[i].at != p)
		i = (i + 1) % SLOTS;
	return &slots[i];
}

static void allocated(const volatile void *p, size_t size)
{
	(void)size;
	if (!tracking)
		return;
	struct slot *s = slot_of((const void *)p);
	if (s->run != run_number && ++nslots > SLOTS_FULL) {
		tracking = false;
		return;
	}
	*s = (struct slot){(const void *)p, run_number};
}

/* The slot stays used: what lies behind it must be found. */
static void freed(const volatile void *p)
{
	struct slot *s = tracking && p ? slot_of((const void *)p) : NULL;
	if (s && s->run == run_number)
		s->at = s; /* no block */
}

static void track(void)
{
	static bool installed;
	if (!installed && __sanitizer_install_malloc_and_free_hooks)
		__sanitizer_install_malloc_and_free_hooks(allocated, freed);
	installed = true;
	run_number++;
	nslots = 0;
	tracking = __sanitizer_install_malloc_and_free_hooks;
}

/* After a run that was ended: frees what is left, or lets it be. */
static void clear(bool frees)
{
	bool all = tracking;
	tracking = false;
	if (!all && __sanitizer_install_malloc_and_free_hooks)
		_Exit(0); /* more than can be followed: the fuzzer starts anew */
	for (size_t i = 0; i < SLOTS && nslots; i++) {
		if (slots[i].run != run_number || slots[i].at == &slots[i])
			continue;
		if (frees)
			free((void *)slots[i].at);
		else if (__lsan_ignore_object)
			__lsan_ignore_object(slots[i].at);
	}
}

/* ---- one run --------------------------------------------------------------------------------- */

static jmp_buf end;

static void over(struct budget *b)
{
	(void)b;
	longjmp(end, 1);
}

/* Exactly as large as it is, so that reading behind it is seen. */
static unsigned char *copy_of(const struct harness *h, const unsigned char *data, size_t len)
{
	bool text = h->flags & TEXT;
	unsigned char *copy = malloc(len + text + !len);
	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	if (text)
		copy[len] = 0;
	return copy;
}

void fuzz_one(const struct harness *h, const unsigned char *data, size_t len)
{
	static struct fuzz f;
	static struct budget budget;
	static unsigned char *copy;
	FILE *const kept = stderr; /* the compiler catches what mruby says on it */
	if (h->flags & TEXT && len && memchr(data, 0, len))
		return;
	budget = (struct budget){.limit = MEMORY, .over = over};
	copy = copy_of(h, data, len);
	f = (struct fuzz){.arena = arena_new()};
	if (!f.arena)
		abort();
	track();
	if (setjmp(end)) {
		if (f.stream)
			fclose(f.stream);
		if (stderr != kept)
			fclose(stderr);
		stderr = kept;
		arena_free(f.arena);
		free(copy);
		clear(h->flags & FREES);
		return;
	}
	arena_catch(f.arena, &end);
	arena_charge(f.arena, &budget);
	diags_init(&f.diags, f.arena);
	h->run(&f, copy, len);
	tracking = false;
	arena_free(f.arena);
	free(copy);
}

/* ---- a host ------------------------------------------------------------------------------------ */

#include <errno.h>
#include <sys/stat.h>

static void device(const struct host *h, struct arena *a, const char *path, struct host_device *out)
{
	size_t n = strlen(path);
	(void)h;
	*out = (struct host_device){.error = strncmp(path, "/dev/", 5) ? EXDEV : n % 3 ? 0 : ENOENT};
	if (out->error == ENOENT)
		out->near = arena_strdup(a, "/dev/null");
	if (out->error)
		return;
	out->mode = n % 5 == 4 ? S_IFDIR : n % 2 ? S_IFCHR : S_IFBLK;
	out->major = (unsigned char)path[n - 1];
	out->minor = (unsigned char)path[n / 2];
}

static int groups(const struct host *h, struct arena *a, const char **listing)
{
	(void)h;
	*listing = arena_strdup(a, "Character devices:\n  1 mem\n  4 tty\n136 pts\n195 nvidia\n\n"
	                           "Block devices:\n  8 sd\n 65 sd\n253 device-mapper\n");
	return 0;
}

static int group(const struct host *h, struct arena *a, const char *name, uint32_t *gid, const char **near)
{
	size_t n = strlen(name);
	(void)h;
	*gid = (uint32_t)n;
	*near = n % 2 ? arena_strdup(a, "video") : NULL;
	return n % 3 ? 0 : ENOENT;
}

static int matches(const struct host *h, struct arena *a, const char *pattern, const char **listing)
{
	size_t n = strlen(pattern);
	(void)h;
	*listing = arena_strdup(a, n % 3 ? "c 188:0 /dev/ttyUSB0\nb 8:16 /dev/sdb\n" : "");
	return n % 5 ? 0 : ENOENT;
}

const struct host fuzz_host = {.device = device, .groups = groups, .group = group, .matches = matches};
