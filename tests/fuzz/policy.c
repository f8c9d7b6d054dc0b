/* policy.c - policy text: run, lifted, compiled, and what was made of it read back. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "compiler/compiler.h"
#include "policy/claims.h"

/* The child that proves gets it as bytes, and makes the same program of it. */
static void sent(struct fuzz *f, struct policy *p, const struct image *image)
{
	struct bytes object;
	struct policy *again;
	struct image program;
	struct policy_diagram pd;
	uint64_t digest;
	MUST(!serial_keep(p, &f->diags));
	MUST(!serial_read(f->arena, &f->diags, "fuzz.rb", p->serial.data, p->serial.len, &again, &digest));
	MUST(!compile_policy(again, &f->diags, &pd, &program));
	MUST(program.ninsns == image->ninsns &&
	     !memcmp(program.insns, image->insns, image->ninsns * sizeof *image->insns));
	MUST(!object_write(again, &program, &f->diags, &object));
	MUST(!object_read(f->arena, &f->diags, "fuzz.o", object.data, object.len, &again, &program));
	MUST(!prove_image(again, &f->diags, &pd, &program));
}

/* Requests of every kind, with every fact. */
static const struct request requests[] = {
	{.type = DEV_CHAR, .major = 1, .minor = 3, .access = ACC_READ | ACC_WRITE},
	{.type = DEV_BLOCK, .major = 8, .minor = 0, .access = ACC_READ},
	{.type = DEV_CHAR, .major = 195, .minor = 2, .access = ACC_WRITE, .fact = {[IN_UID] = 1000, [IN_GID] = 3}},
	{.type = DEV_CHAR, .major = 10, .minor = 200, .access = ACC_MKNOD, .fact = {[IN_PID] = 7, [IN_UPTIME] = 59}},
	{.type = DEV_BLOCK, .major = 253, .minor = 1048575, .access = ACC_ALL, .fact = {[IN_UID] = UINT32_MAX}},
	{.type = DEV_CHAR, .major = 5, .minor = 1, .fact = {[IN_COMM_0] = 0x756d6571, [IN_TID] = 1}},
};

/* The engines agree, also on the rule: what mruby says is what the policy means. */
static void same_verdict(struct ruby *ruby, struct policy *p, const struct policy_diagram *pd,
                         const struct image *image, struct request r)
{
	struct decision said, d;
	struct simulated s;
	const char *why = NULL;
	int missing = -1;
	for (enum input in = IN_UID; in < IN_PARAM_0; in++)
		r.known |= INPUT(in);
	for (size_t i = 0; i < p->nparams; i++)
		r.fact[IN_PARAM_0 + i] = p->params[i].value;
	MUST(!ruby_decide(ruby, p, &r, &said, &missing));
	MUST(!policy_decide(p, pd, &r, &d, &missing));
	MUST(said.allow == d.allow && said.error == d.error && said.rule == d.rule);
	MUST(!simulate(p, image, &r, &s, &missing, &why) && s.allow == d.allow);
}

/* A claim that is false is broken by its counterexample, and one that holds by none of the requests. */
static void claims(struct fuzz *f, struct policy *p, const struct policy_diagram *pd)
{
	struct claim_answer *answers = arena_alloc(f->arena, p->nclaims * sizeof *answers);
	claims_prove(f->arena, p, pd, p->claims, p->nclaims, answers);
	for (size_t i = 0; i < p->nclaims; i++) {
		const struct claim *c = &p->claims[i];
		MUST(answers[i].state != CLAIM_UNKNOWN);
		claim_tell(&f->diags, p, c, &answers[i]);
		for (size_t k = 0; k < sizeof requests / sizeof *requests && answers[i].state == CLAIM_HOLDS; k++) {
			int64_t at[INPUT_MAX];
			int hits = 0, asked = 0, missing;
			struct request r = requests[k];
			struct decision d;
			for (size_t n = 0; n < p->nparams; n++)
				r.fact[IN_PARAM_0 + n] = p->params[n].value;
			memcpy(at, r.fact, sizeof at);
			at[IN_TYPE] = r.type, at[IN_REQUESTED] = r.access, at[IN_MAJOR] = r.major, at[IN_MINOR] = r.minor;
			for (int bit = ACC_MKNOD; bit <= ACC_WRITE; bit <<= 1) {
				at[IN_ACCESS] = bit;
				asked += (r.access & bit) != 0;
				hits += r.access & bit && term_eval(p->terms, c->what.match, at);
			}
			r.known = ~(input_set)0;
			MUST(!policy_decide(p, pd, &r, &d, &missing));
			MUST(c->always ? hits < asked || !asked || d.allow : !hits || !d.allow);
		}
	}
}

void fuzz_policy(struct fuzz *f, const unsigned char *data, size_t len)
{
	struct ruby *ruby;
	struct policy *p;
	struct policy_diagram pd;
	struct image image;
	if (ruby_compile(f->arena, &f->diags, &fuzz_host, "fuzz.rb", (const char *)data, len, NULL, 0, &ruby, &p)) {
		fuzz_refused(f);
		return;
	}
	if (compile_policy(p, &f->diags, &pd, &image))
		fuzz_refused(f);
	else {
		sent(f, p, &image);
		claims(f, p, &pd);
		for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
			same_verdict(ruby, p, &pd, &image, requests[i]);
	}
	ruby_close(ruby);
}
