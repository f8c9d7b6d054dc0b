/*
 * task.h - functions of a program that read the calling task.
 *
 * Each fact of policy/facts.def that is read of the task, and each kind of question (policy/asked.h), has a reader: a small
 * BPF function in section .text of an object. A program calls it with arguments in r1 and r2; it returns the value, which is
 * never negative, or something negative: this kernel does not tell it. It uses at most READER_STACK bytes of stack.
 */
#ifndef DEVGUARD_COMPILER_TASK_TASK_H
#define DEVGUARD_COMPILER_TASK_TASK_H

#include <linux/bpf.h>
#include <stddef.h>

#include "policy/asked.h"
#include "policy/image.h"

enum { READER_STACK = 64 };

/* What a reader is given: nothing, unless said. */
enum reader {
#define TASK_FACT(id, number, name, lowest, highest, bits, kind) READER_##id,
#include "policy/facts.def"
	READER_GROUP,   /* r1: the gid */
	READER_CAPABLE, /* r1: the capability's number */
	READER_UNDER,   /* r1: how many parts its path has, r2: its path_value() */
	READERS
};
static inline enum reader reader_of_fact(enum input in)
{
	return (enum reader)(in - IN_EUID);
}
static inline enum reader reader_of_ask(enum ask_kind kind)
{
	return (enum reader)(READER_GROUP + (int)kind);
}
/* r1 of an ask's reader: its number; of ASK_UNDER the parts of its path. */
int64_t reader_argument(const struct ask *ask);

#endif
