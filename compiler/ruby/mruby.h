/*
 * mruby.h - the interpreter's headers, and all that is known of its versions: where 3.1
 * (Debian 12) and 3.3 (Debian 13) differ. No other file asks for a version; the Makefile
 * refuses those that are not here.
 */
#ifndef DEVGUARD_COMPILER_RUBY_MRUBY_H
#define DEVGUARD_COMPILER_RUBY_MRUBY_H

#include <mruby/version.h>

#define MRUBY_AT_LEAST(major, minor) \
	(MRUBY_RELEASE_MAJOR > (major) || (MRUBY_RELEASE_MAJOR == (major) && MRUBY_RELEASE_MINOR >= (minor)))

/* What the library was built with changes the layout of mrb_state, and no header says it:
 * make_prelude.c looks whether this is right. */
#if MRUBY_AT_LEAST(3, 2)
#define MRB_USE_DEBUG_HOOK
#define MRB_USE_BIGINT
#endif

#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/compile.h>
#include <mruby/dump.h>
#include <mruby/error.h>
#include <mruby/hash.h>
#include <mruby/irep.h>
#include <mruby/debug.h> /* needs irep.h in 3.1 */
#include <mruby/opcode.h>
#include <mruby/proc.h>
#include <mruby/range.h>
#include <mruby/string.h>
#include <mruby/variable.h>

/* Some of what 3.1 declares beside the rest has a header of its own since. OP_SPLAT: `*list`
 * where a list is needed, as an array of its own. */
#if MRUBY_AT_LEAST(3, 2)
#include <mruby/internal.h>
#define OP_SPLAT OP_ARYSPLAT
#else
#define OP_SPLAT OP_ARYDUP
#endif

/* bigint.c: an exponent. */
#if MRUBY_AT_LEAST(3, 3)
typedef mrb_value mruby_exponent;
#else
typedef mrb_int mruby_exponent;
#endif

/* Methods that 3.1 has not, by class: a policy's library is 3.1's. Those that the library
 * itself needs stay; dialect.c refuses them in a policy. */
#if MRUBY_AT_LEAST(3, 2)
#define MRUBY_NEWER_METHODS(X)                                                                     \
	X("Class", "attached_object") X("Class", "subclasses") X("Enumerable", "sum")              \
	X("Enumerator", "size") X("Fiber", "inspect") X("Fiber", "to_s") X("Float", "hash")        \
	X("Integer", "ceildiv") X("Integer", "digits") X("Integer", "hash") X("Integer", "pow")    \
	X("Module", "undefined_instance_methods")                                                  \
	X("Proc", "==") X("Proc", "eql?") X("Proc", "hash") X("Range", "overlap?")                 \
	X("String", "+@") X("String", "-@") X("String", "byterindex") X("String", "bytesplice")    \
	X("String", "valid_encoding?")
#else
#define MRUBY_NEWER_METHODS(X)
#endif

/* The code of a method. Since 3.3 `alias` makes a proc without code, which names the
 * method it stands for and has that one's proc above it. */
static inline const struct RProc *mruby_code(const struct RProc *p)
{
#ifdef MRB_PROC_ALIAS_P
	while (MRB_PROC_ALIAS_P(p))
		p = p->upper;
#endif
	return p;
}

/* What dispatch finds, and in which class. */
static inline mrb_method_t mruby_method(mrb_state *mrb, struct RClass **class, mrb_sym name)
{
	mrb_method_t m = mrb_method_search_vm(mrb, class, name);
	if (!MRB_METHOD_UNDEF_P(m) && MRB_METHOD_PROC_P(m))
		MRB_METHOD_FROM_PROC(m, (struct RProc *)(uintptr_t)mruby_code(MRB_METHOD_PROC(m)));
	return m;
}

#endif
