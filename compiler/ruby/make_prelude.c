/*
 * make_prelude.c - a file of Ruby to bytecode, as an array in C of a name. A program of its own, run when the
 * tool is built, with the mruby that the tool is linked with: parsing the prelude took a
 * quarter of the time that a small policy takes.
 */
#include "compiler/ruby/mruby.h"

#include <stdio.h>

static int failed(const char *what)
{
	fprintf(stderr, "the prelude: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	FILE *in = argc > 1 ? fopen(argv[1], "r") : NULL;
	mrb_state *mrb = mrb_open_core(mrb_default_allocf, NULL);
	if (!in || !mrb)
		return failed("cannot be read");
	if (mrb->eException_class != mrb_class_get(mrb, "Exception"))
		return failed("libmruby was built with other settings than compiler/ruby/mruby.h says");
	mrbc_context *cx = mrbc_context_new(mrb);
	struct mrb_parser_state *parser = mrb_parse_file(mrb, in, cx);
	if (!parser || parser->nerr)
		return failed(parser && parser->error_buffer[0].message ? parser->error_buffer[0].message : "cannot be parsed");
	struct RProc *proc = mrb_generate_code(mrb, parser);
	uint8_t *bytes = NULL;
	size_t n = 0;
	if (!proc || mrb_dump_irep(mrb, proc->body.irep, 0, &bytes, &n) != MRB_DUMP_OK)
		return failed("cannot be compiled");
	printf("/* made by compiler/ruby/make_prelude.c when the tool is built */\nstatic const uint8_t %s[] = {",
	       argc > 2 ? argv[2] : "prelude");
	for (size_t i = 0; i < n; i++)
		printf("%s0x%02x,", i % 16 ? " " : "\n\t", bytes[i]);
	puts("\n};");
	return fflush(stdout) ? failed("cannot be written") : 0;
}
