/* identity.h - which file an open one is, as programs in the kernel see it. */
#ifndef DEVGUARD_CGROUP_IDENTITY_H
#define DEVGUARD_CGROUP_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/image.h"

struct arena;
struct diags;

/* A file's inode. What stat(2) says is another thing on overlayfs and btrfs. */
struct identity {
	uint64_t inode;
	uint32_t device;     /* i_sb->s_dev, as the kernel has it */
	uint32_t generation; /* 0: the file system has none */
	uint32_t owner;      /* in the kernel's own numbers */
	uint32_t mode;
	uint32_t system;     /* the magic number of its file system; statfs(2) may tell that of one below it */
	uint64_t volume;     /* the subvolume of btrfs; 0: it is on none, or */
	bool untold;         /* this kernel does not tell programs which */
};
/* What a program looks for in devguard_who. */
struct who_key identity_key(const struct identity *id);
/* The identities of n files that this process opened, of each descriptor. Asked by a program that goes over the open
 * files: 0, or -1 with a diagnostic. */
int identities_of(struct arena *a, struct diags *d, const int *fds, size_t n, struct identity *out);

#endif
