/*
 * code.c - the files of a policy as bytecode: kept with the policy where it has handlers, and read again where they
 * run.
 *
 * Bytecode is mruby's own format. Another release may understand it in another way, so its release stands before
 * it. The parameters that were set when it was compiled are kept too: the user half sees the same values.
 */
#include "compiler/ruby/code.h"

#include <string.h>

#define MAGIC "dguser1"
#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)
#define RELEASE TEXT(MRUBY_RELEASE_MAJOR) "." TEXT(MRUBY_RELEASE_MINOR)

struct code_head {
	char magic[8], release[8]; /* of mruby */
	uint32_t nfiles, nparams;  /* struct code_param[nparams], then each file: struct code_file and its bytes */
};
struct code_param {
	char name[64];
	int64_t value;
};
struct code_file {
	uint32_t nname, nfile, ncode; /* name: 0 is that of the policy, which has none */
};

/* ---- kept ------------------------------------------------------------------------------- */

static void keep_params(FILE *out, const struct said *said)
{
	for (size_t i = 0; i < said->nsettings; i++) {
		struct code_param p = {.value = said->settings[i].value};
		strncpy(p.name, said->settings[i].name, sizeof p.name - 1);
		fwrite(&p, sizeof p, 1, out);
	}
}

static bool keep_file(struct interpreter *rb, FILE *out, const struct source *s)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	if (mrb_dump_irep(rb->mrb, s->irep, MRB_DUMP_DEBUG_INFO, &bytes, &n) != MRB_DUMP_OK)
		return false;
	struct code_file f = {.nname = s->name ? (uint32_t)strlen(s->name) : 0, .nfile = (uint32_t)strlen(s->file),
	                      .ncode = (uint32_t)n};
	fwrite(&f, sizeof f, 1, out);
	fwrite(s->name ? s->name : "", 1, f.nname, out);
	fwrite(s->file, 1, f.nfile, out);
	fwrite(bytes, 1, n, out);
	mrb_free(rb->mrb, bytes);
	return true;
}

int code_keep(struct interpreter *rb, const struct said *said)
{
	struct code_head head = {.magic = MAGIC, .release = RELEASE, .nfiles = (uint32_t)rb->nsources,
	                         .nparams = (uint32_t)said->nsettings};
	struct arena_stream s;
	FILE *out = arena_stream(rb->arena, &s);
	bool done = true;
	fwrite(&head, sizeof head, 1, out);
	keep_params(out, said);
	for (size_t i = 0; i < rb->nsources && done; i++)
		done = keep_file(rb, out, rb->sources[i]);
	const char *text = arena_text(rb->arena, &s);
	if (!done)
		return ruby_refuse(rb, 0, "write the user half in a simpler way", "its handlers cannot be kept as bytecode");
	said->policy->handlers.data = text;
	said->policy->handlers.len = s.len;
	return 0;
}

/* ---- read -------------------------------------------------------------------------------- */

/* So many bytes at *at, which moves on; NULL: there are not. */
static const unsigned char *take(const unsigned char **at, size_t *left, size_t n)
{
	const unsigned char *p = *at;
	if (n > *left)
		return NULL;
	*at += n;
	*left -= n;
	return p;
}

static bool read_params(struct arena *a, const unsigned char **at, size_t *left, size_t n, struct code *out)
{
	const unsigned char *bytes = n <= *left / sizeof(struct code_param) ? take(at, left, n * sizeof(struct code_param)) : NULL;
	if (!bytes)
		return false;
	out->params = arena_alloc(a, (n + 1) * sizeof *out->params);
	for (size_t i = 0; i < n; i++) {
		struct code_param p;
		memcpy(&p, bytes + i * sizeof p, sizeof p);
		out->params[i] = (struct param_setting){.name = arena_strndup(a, p.name, strnlen(p.name, sizeof p.name)), .value = p.value};
	}
	out->nparams = n;
	return true;
}

static bool read_file(struct arena *a, const unsigned char **at, size_t *left, struct code_piece *out)
{
	struct code_file f;
	const unsigned char *head = take(at, left, sizeof f);
	if (!head)
		return false;
	memcpy(&f, head, sizeof f);
	const unsigned char *name = take(at, left, f.nname), *file = take(at, left, f.nfile), *bytes = take(at, left, f.ncode);
	if (!name || !file || !bytes)
		return false;
	*out = (struct code_piece){.name = f.nname ? arena_strndup(a, (const char *)name, f.nname) : NULL,
	                           .file = arena_strndup(a, (const char *)file, f.nfile), .bytes = bytes, .n = f.ncode};
	return true;
}

int code_read(struct arena *a, struct diags *d, const char *file, const void *data, size_t len, struct code *out)
{
	static const char again[] = "compile the policy again with this version";
	struct code_head head;
	const unsigned char *at = data, *bytes = take(&at, &len, sizeof head);
	*out = (struct code){0};
	if (bytes)
		memcpy(&head, bytes, sizeof head);
	if (!bytes || memcmp(head.magic, MAGIC, sizeof head.magic))
		return diag_fail(d, again, "%s: its handlers are in no form that this version reads", file);
	if (strncmp(head.release, RELEASE, sizeof head.release))
		return diag_fail(d, again, "%s: its handlers are bytecode of mruby %.8s, and this is mruby " RELEASE, file, head.release);
	bool whole = read_params(a, &at, &len, head.nparams, out) && head.nfiles && head.nfiles <= len / sizeof(struct code_file);
	if (whole) {
		out->pieces = arena_alloc(a, head.nfiles * sizeof *out->pieces);
		for (out->npieces = 0; whole && out->npieces < head.nfiles; out->npieces++)
			whole = read_file(a, &at, &len, &out->pieces[out->npieces]);
	}
	return whole ? 0 : diag_fail(d, again, "%s: its handlers are cut off", file);
}

struct RProc *code_proc(struct interpreter *rb)
{
	mrb_irep *irep = mrb_read_irep_buf(rb->mrb, rb->source->text, rb->source->len);
	if (!irep) {
		ruby_refuse(rb, 0, "compile the policy again with this version", "its handlers are no bytecode that mruby reads");
		return NULL;
	}
	struct RProc *proc = mrb_proc_new(rb->mrb, irep);
	mrb_irep_decref(rb->mrb, irep);
	return proc;
}
