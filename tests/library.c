/*
 * library.c - runs a Ruby file as a policy's file is run, but without the checks of the text:
 * library.rb rescues what it raises and asks what methods there are, which no policy may.
 * Linked with --wrap for the two functions below.
 *
 * library FILE CLASS FROM CALLS SEED: the messages on stdout. 0: all was called, 2: there is no
 * such class, 3: a call took the memory, or 4 the time, that there is: the last line says which;
 * 1: the file ended before.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/ruby/ruby.h"
#include "policy/host.h"
#include "policy/budget.h"

int __wrap_dialect_check(struct interpreter *rb, const struct RProc *proc);
int __wrap_dialect_check(struct interpreter *rb, const struct RProc *proc)
{
	(void)rb, (void)proc;
	return 0;
}

enum { SECONDS = 3 };

static int result = 1;
static int called;

/* `calling number`: of a method of the class. */
static mrb_value calling(mrb_state *mrb, mrb_value self)
{
	mrb_int number;
	mrb_get_args(mrb, "i", &number);
	called = (int)number;
	return self;
}

static _Noreturn void end(int status)
{
	printf("%d\n", called);
	fflush(stdout);
	_exit(status);
}

static void out_of_time(int sig)
{
	(void)sig;
	end(4);
}

static void over(struct budget *b)
{
	(void)b;
	end(3);
}

/* `ended 0`: how the file says that it is through. */
static mrb_value ended(mrb_state *mrb, mrb_value self)
{
	mrb_int status;
	mrb_get_args(mrb, "i", &status);
	result = (int)status;
	return self;
}

/* Before the questions about what there is are refused. */
void __real_seal_library(struct ruby *ruby);
void __wrap_seal_library(struct ruby *ruby);
void __wrap_seal_library(struct ruby *ruby)
{
	mrb_state *mrb = ruby->rb.mrb;
	mrb_define_alias(mrb, mrb->module_class, "every_instance_method", "instance_methods");
	mrb_define_alias(mrb, mrb->module_class, "every_constant", "constants");
	mrb_define_alias(mrb, mrb->kernel_module, "every_singleton_method", "singleton_methods");
	mrb_define_method(mrb, mrb->kernel_module, "ended", ended, MRB_ARGS_REQ(1));
	mrb_define_method(mrb, mrb->kernel_module, "calling", calling, MRB_ARGS_REQ(1));
	__real_seal_library(ruby);
}

int main(int argc, char **argv)
{
	static char text[64 << 10];
	FILE *in = argc == 6 ? fopen(argv[1], "r") : NULL;
	size_t n = in ? fread(text, 1, sizeof text - 1, in) : 0;
	struct arena *a = arena_new();
	struct diags d;
	struct ruby *ruby;
	struct policy *p;
	if (!n || !a)
		return 64;
	struct param_setting params[] = {{.name = "class", .value = atoi(argv[2])}, {.name = "from", .value = atoi(argv[3])},
	                                 {.name = "calls", .value = atoi(argv[4])}, {.name = "seed", .value = atoi(argv[5])}};
	struct progress progress;
	struct budget budget = {.limit = 256 << 20, .over = over, .progress = &progress};
	jmp_buf no_memory;
	if (setjmp(no_memory))
		end(3);
	signal(SIGALRM, out_of_time);
	alarm(SECONDS);
	arena_catch(a, &no_memory);
	arena_charge(a, &budget);
	diags_init(&d, a);
	ruby_compile(a, &d, &host_here, argv[1], text, n, params, 4, &ruby, &p);
	for (size_t i = 0; i < d.n; i++)
		printf("%s:%d: %s\n", d.items[i].at.file, d.items[i].at.line, d.items[i].text);
	arena_free(a);
	return result;
}
