/* kernel_types.h - the kernel's own types: where a field is in one of its structs. */
#ifndef DEVGUARD_CGROUP_KERNEL_TYPES_H
#define DEVGUARD_CGROUP_KERNEL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_types;

/* The types of the running kernel, or NULL with errno, ENOENT: it has none that can be read. */
struct kernel_types *kernel_types_open(void);
void kernel_types_close(struct kernel_types *types);

/* A function by its name: the number of its type, or negative. */
int kernel_function(const struct kernel_types *types, const char *name);

struct kernel_field { uint32_t offset, size; /* in bytes */ };
/* A field of a struct by its name, as "f_inode" or "i_uid.val"; also in structs without a name within it. One whose name
 * begins with btrfs_ may be of that module, when it is loaded (since Linux 5.11). */
bool kernel_field(struct kernel_types *all, const char *type, const char *path, struct kernel_field *out);

#endif
