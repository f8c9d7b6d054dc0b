/* ruby.c - a bundle with handlers: it has the interpreter that runs them. */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cmd.h"

#ifndef DEVGUARD_MRUBY_VERSION
#define DEVGUARD_MRUBY_VERSION "unknown"
#endif

static const struct verb *const verbs[] = {&guard_apply, &guard_watch, &verb_status, &guard_detach, &guard_explain};

int main(int argc, char **argv)
{
	return guard_main(verbs, sizeof verbs / sizeof *verbs, "mruby " DEVGUARD_MRUBY_VERSION ", ", argc, argv);
}
