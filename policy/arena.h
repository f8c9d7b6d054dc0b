/*
 * arena.h - one allocation region a compilation.
 *
 * Objects belong to the arena they were made in and live until arena_free(). Allocation
 * never returns NULL: when memory runs out the arena jumps to the handler set by
 * arena_catch().
 */
#ifndef DEVGUARD_POLICY_ARENA_H
#define DEVGUARD_POLICY_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct budget;

struct arena;

/* A new, empty arena, or NULL when there is no memory for it. */
struct arena *arena_new(void);
/* Frees the arena and everything made in it. NULL is allowed. */
void arena_free(struct arena *a);
/* Where allocation failure jumps to (longjmp with 1). */
void arena_catch(struct arena *a, jmp_buf *handler);
/* What is allocated counts against a budget (budget.h); NULL: against none. */
void arena_charge(struct arena *a, struct budget *b);
/* The budget that the arena counts against, or NULL. */
struct budget *arena_budget(const struct arena *a);
/* Goes there: for allocations beside the arena that failed. */
_Noreturn void arena_fail(struct arena *a);
/* `size` bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* Bytes the arena holds, its scratch arenas among them. */
size_t arena_size(const struct arena *a);
/* A new arena for what one stage needs: failure of its allocations is its parent's.
 * It is freed by the stage, or at the latest with its parent. */
struct arena *arena_scratch(struct arena *parent);
/* Gives back a block that is no longer needed, when it is large enough to matter. */
void arena_release(struct arena *a, void *block, size_t size);
/* Grows a block made by arena_alloc from old_size to new_size bytes; the new
 * part is zeroed. The block may move; the old one stays readable. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size);
/* The same, but the old block is given back: nothing may point into it any more. */
void *arena_move(struct arena *a, void *old, size_t old_size, size_t new_size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
/* A stream whose text becomes the arena's: what is written when there is no memory fails
 * as any allocation of the arena does, at the latest in arena_text(). */
struct arena_stream { FILE *out; char *text; size_t len, cap; bool failed; };
FILE *arena_stream(struct arena *a, struct arena_stream *s);
/* Closes it. The text, and its length in s->len. */
char *arena_text(struct arena *a, struct arena_stream *s);
/* Makes room for one more element in a growing array kept as (ptr, n, cap). */
#define ARENA_PUSH(a, ptr, n, cap) ARENA_PUSH_BY(arena_grow, a, ptr, n, cap)
/* The same for an array that may be very long and that nothing points into. */
#define ARENA_APPEND(a, ptr, n, cap) ARENA_PUSH_BY(arena_move, a, ptr, n, cap)
#define ARENA_PUSH_BY(grow, a, ptr, n, cap)                                                        \
	((n) < (cap) ? (ptr) + (n)++                                                               \
	             : ((ptr) = grow((a), (ptr), (size_t)(cap) * sizeof *(ptr),                    \
	                             ((cap) ? 2 * (size_t)(cap) : 8) * sizeof *(ptr)),             \
	                (cap) = (cap) ? 2 * (cap) : 8, (ptr) + (n)++))

#endif
