/*
 * proof.c - the policy that was written, compiled and proven as any other, is asked about every request that was
 * recorded: it must allow each that was let pass, and none that was only denied. And it is compared with what filters now, over all requests.
 */
#include "cmd/compare.h"
#include "cmd/learn/learn.h"
#include "policy/asked.h"
#include "policy/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int learned_compile(struct learning *l, const char *text, size_t len, const char *file, struct unit *out)
{
	struct cmd *c = l->cmd;
	const struct load depth = {.depth = LOAD_IMAGE, .keep = true};
	int fd = memfd_create("policy", MFD_CLOEXEC);
	int error = fd < 0 ? errno : write_whole(fd, text, len);
	if (!error && lseek(fd, 0, SEEK_SET) < 0)
		error = errno;
	if (error) {
		if (fd >= 0)
			close(fd);
		diag_fail(&c->diags, NULL, "cannot compile what was learned: %s", strerror(error));
		return STATUS_FAILED;
	}
	return unit_load_fd(c, &c->settings, fd, file, &depth, out);
}

/* ---- asked -------------------------------------------------------------------------------------- */

static struct request request_of_learned(struct learning *l, const struct learned_request *r, bool as_recorded)
{
	struct request q = {.type = r->type, .access = r->access, .major = r->major, .minor = r->minor};
	if (r->uid >= 0) {
		q.fact[IN_UID] = r->uid;
		q.known |= INPUT(IN_UID);
	}
	if (l->by & LEARN_BY_EXE && (r->exe || !as_recorded)) {
		q.who.exe = r->exe;
		q.fact[IN_EXE] = r->exe ? path_value(r->exe, strlen(r->exe)) : 0;
		q.known |= INPUT(IN_EXE);
	}
	q.text = request_words(l->cmd->arena, &q);
	return q;
}

int learned_ask(struct learning *l, const struct unit *u, enum learn_ask which, bool (*one)(void *self, size_t i, const struct verdict *v), void *self)
{
	struct request_record asked[ASK_MOST];
	struct verdict_pair said[ASK_MOST];
	size_t of[ASK_MOST], n = 0;
	for (size_t i = 0; i <= l->all.n; i++) {
		bool last = i == l->all.n;
		if (!last && learned_passed(&l->all.list[i]) == (which == ASK_DENIED))
			continue;
		if (!last) {
			struct request q = request_of_learned(l, &l->all.list[i], which == ASK_AS_RECORDED);
			asked[n] = request_record(&q);
			of[n++] = i;
		}
		if (n < ASK_MOST && !last)
			continue;
		int status = n ? unit_ask(l->cmd, u, asked, n, said) : STATUS_OK;
		for (size_t k = 0; k < n && !status; k++)
			if (!one(self, of[k], &said[k].diagram))
				status = STATUS_FAILED;
		if (status)
			return status;
		n = 0;
	}
	return STATUS_OK;
}

struct asking_all { struct learning *l; struct proof *proof; };

static bool must_allow(void *self, size_t i, const struct verdict *v)
{
	struct asking_all *x = self;
	struct cmd *c = x->l->cmd;
	struct decision d;
	x->proof->asked++;
	if (v->status == VERDICT_OK && verdict_decision(c, x->proof->unit.policy, v, &d) && d.allow)
		return true;
	diag_fail(&c->diags, "please report it, with the recording: the policy was not written",
	          "what was learned does not allow what was recorded: %s", request_of_learned(x->l, &x->l->all.list[i], false).text);
	return false;
}

/* Was each of its accesses let pass, at another time, or of a program that is not known? Rules are about one access at a
 * time, and what a program that is not known asked for is allowed to all. */
static bool in_parts(const struct learned *l, const struct learned_request *r)
{
	int letters = 0;
	bool any = false;
	for (size_t i = 0; i < l->n; i++) {
		const struct learned_request *x = &l->list[i];
		if (x->type != r->type || x->major != r->major || x->minor != r->minor || x->uid != r->uid || !learned_passed(x) ||
		    (x->exe && !learned_same_exe(x->exe, r->exe)))
			continue;
		letters |= x->access;
		any = true;
	}
	return any && !(r->access & ~letters);
}

static bool must_deny(void *self, size_t i, const struct verdict *v)
{
	struct asking_all *x = self;
	struct cmd *c = x->l->cmd;
	const struct learned_request *r = &x->l->all.list[i];
	const char *words = request_of_learned(x->l, r, false).text;
	struct decision d;
	if (v->status == VERDICT_OK && verdict_decision(c, x->proof->unit.policy, v, &d) && !d.allow)
		return true;
	if (v->status == VERDICT_OK && in_parts(&x->l->all, r)) {
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, "rules are about one access at a time; look at its rule",
		         "it was denied while it was recorded, and is allowed now, as each of its accesses was let pass%s: %s",
		         r->exe ? ", of this program or of one that is not known" : "", words);
		return true;
	}
	diag_fail(&c->diags, "please report it, with the recording: the policy was not written",
	          "what was learned allows what was only denied: %s", words);
	return false;
}

int learned_prove(struct learning *l, const char *text, size_t len, const char *file, struct proof *out)
{
	struct cmd *c = l->cmd;
	struct asking_all x = {l, out};
	*out = (struct proof){0};
	int status = learned_compile(l, text, len, file, &out->unit);
	if (!status)
		status = learned_ask(l, &out->unit, ASK_PASSED, must_allow, &x);
	if (!status)
		status = learned_ask(l, &out->unit, ASK_DENIED, must_deny, &x);
	if (status || !l->has_before)
		return status;
	if (unit_compare(c, &l->before, &out->unit, false, &out->than))
		diag_add(&c->diags, DIAG_WARNING, (struct span){.file = NULL}, NULL, "it cannot be compared with %s", l->before_words);
	else
		out->compared = true;
	return STATUS_OK;
}
