/* source.h - a SOURCE by its words: what has a meaning, and is no policy. */
#ifndef DEVGUARD_CMD_SOURCE_H
#define DEVGUARD_CMD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct cmd;
struct foreign_wish;
struct hosted_here;

/* What a word of the command line is. A policy that is called like another source is named by its path:
 * ./oci:x. */
enum source_kind { SOURCE_POLICY, SOURCE_PROGRAMS, SOURCE_LIST };
enum source_kind source_kind(const char *source);
/* A list of another tool: how it is read. */
void source_list(struct arena *a, const char *source, struct foreign_wish *out);
/* The file that is read, "-" for stdin; NULL: none is. */
const char *source_file(struct arena *a, const char *source);
/* Where there is no policy of that name: what was probably meant, or NULL. */
const char *source_hint(struct arena *a, const char *source);


/* prog:ID, cgroup:CGROUP or effective:CGROUP. */
bool source_is_kernels(const char *source);
/* Its programs, in the order in which the kernel asks them. */
struct source_programs {
	uint32_t *ids;
	size_t n;
	const struct hosted_here *host; /* the host program among them, where it decides; NULL: there is none */
};
/* STATUS_OK or a status with diagnostics: also when there is none that decides. */
int source_programs(struct cmd *c, const char *source, struct source_programs *out);
/* What program_dump() knows of this kernel. */
struct functions;
struct functions *source_functions(struct cmd *c);
/* The programs, for decoding (policy/dump.h): one; those of the cgroup itself; those that decide for its
 * processes, all of which must allow, and what a host program opens there. STATUS_OK or a status with
 * diagnostics. */
int source_read(struct cmd *c, const char *source, void **bytes, size_t *len);

#endif
