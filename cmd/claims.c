/*
 * claims.c - --claims FILE: claims of a file of their own, put to policies.
 *
 * The file is run once, in a child of its own. What it says goes, as bytes, to each judge, which proved the
 * policy before and knows of no interpreter.
 */
#include "cmd/cmd.h"
#include "cmd/unit.h"
#include "policy/claims.h"

#include <string.h>
#include <unistd.h>

int claims_open(struct cmd *c)
{
	for (size_t i = 0; i < c->claims.n; i++) {
		struct claims_file *f = &c->claims.list[i];
		struct bytes says;
		int status = f->says.data ? STATUS_OK : claims_run(c, f->name, &says);
		if (status == STATUS_FAILED && access(f->name, F_OK) && c->diags.n) /* a rule begins none */
			c->diags.items[c->diags.n - 1].hint = "name a file with claims, such as: never \"b *:*\", label: \"no raw disks\"";
		if (status)
			return status;
		if (f->says.data)
			continue;
		unsigned char *kept = arena_alloc(c->args, says.len);
		memcpy(kept, says.data, says.len);
		f->says = (struct bytes){kept, says.len};
	}
	return STATUS_OK;
}

/* What comes of one file. */
struct telling { struct cmd *c; struct claims_told told; };

static bool take_claim(void *self, enum frame_kind kind, const unsigned char *data, size_t len)
{
	struct telling *t = self;
	return kind == FRAME_CLAIM && claim_take(t->c->arena, &t->told, data, len);
}

/* A list has its own order, and a program no lines that somebody could write above. */
static void reword_hints(struct cmd *c, const struct unit *u, size_t first)
{
	bool list = u->instead && !strcmp(u->instead, "a list"), program = u->instead && strstr(u->instead, "of the kernel");
	for (size_t i = first; i < c->diags.n && (list || program); i++) {
		const char **hint = &c->diags.items[i].hint;
		if (!*hint || !strstr(*hint, ", or narrow "))
			continue;
		bool always = !strncmp(*hint, "allow", strlen("allow"));
		*hint = list     ? always ? "allow it in the list, or narrow the claim" : "deny it in the list, or narrow the claim"
		        : always ? "`" PROGRAM " why CGROUP REQUEST` says which program denies it, and what would have to change"
		                 : "apply a policy that denies it to the cgroup as well (all programs must allow), or narrow the claim";
	}
}

static int ask_one(struct cmd *c, const struct unit *u, const struct claims_file *f, struct claims_told *told)
{
	struct telling t = {.c = c};
	struct taker taker = {take_claim, &t, sizeof(struct claim_told)};
	struct call call = {.kind = FRAME_CLAIMS, .data = f->says.data, .len = f->says.len};
	size_t before = c->diags.n;
	int status = room_call(u->judge, f->name, &call, &taker);
	reword_hints(c, u, before);
	*told = t.told;
	bool holds = told->n > 0;
	for (size_t i = 0; i < told->n; i++)
		holds &= told->list[i].state == CLAIM_HOLDS;
	if (!status && !told->n)
		diag_fail(&c->diags, NULL, "the process that proves the policy did not answer");
	return status || holds ? status : STATUS_FAILED;
}

int claims_ask(struct cmd *c, const struct unit *u, struct claims_told *told)
{
	int status = STATUS_OK;
	for (size_t i = 0; i < c->claims.n; i++) {
		struct claims_told one;
		status = worse_status(status, ask_one(c, u, &c->claims.list[i], &one));
		if (told)
			told[i] = one;
		if (!one.n) /* nobody answers any more */
			break;
	}
	return status;
}

const char *claims_name(const struct cmd *c, size_t i)
{
	return c->claims.list[i].name;
}
