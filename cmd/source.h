/* source.h - what has a meaning and is no file: programs that the kernel has. */
#ifndef DEVGUARD_CMD_SOURCE_H
#define DEVGUARD_CMD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmd;

/* prog:ID, cgroup:CGROUP or effective:CGROUP. */
bool source_is_kernels(const char *source);
/* The numbers of its programs. STATUS_OK or a status with diagnostics: also when there are none. */
int source_programs(struct cmd *c, const char *source, uint32_t **ids, size_t *n);
/* The programs, for decoding (policy/dump.h): one; those of the cgroup itself; those that decide for its
 * processes, all of which must allow. STATUS_OK or a status with diagnostics. */
int source_read(struct cmd *c, const char *source, void **bytes, size_t *len);

#endif
