/* plain.c - a bundle without handlers, and so without an interpreter. */
#include "cmd/bundle/guard/carried.h"
#include "cmd/cmd.h"

static const struct verb *const verbs[] = {&guard_apply, &verb_status, &guard_detach, &guard_explain};

int main(int argc, char **argv)
{
	return guard_main(verbs, sizeof verbs / sizeof *verbs, "", argc, argv);
}
