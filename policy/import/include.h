/* include.h - the files that lxc.include names. Private to policy/. */
#ifndef DEVGUARD_POLICY_IMPORT_INCLUDE_H
#define DEVGUARD_POLICY_IMPORT_INCLUDE_H

#include "policy/text.h"

#include <sys/types.h>

enum { INCLUDE_DEPTH_MAX = 16, INCLUDES_MAX = 1024 };

/* The files being read, each within the one before. */
struct includes {
	struct { dev_t dev; ino_t ino; } file[INCLUDE_DEPTH_MAX];
	int depth, total;
};

/* Notes that the file is read when depth grows; false when it already is, or too deep. */
bool include_enter(struct includes *open, const char *path);
/* A file, or those of a directory in their order. 0 or -1. */
int include_files(struct fault *f, struct slice value, const char ***files, size_t *n);
/* Enters the file and gives its text. 0 or -1. */
int include_read(struct includes *open, struct fault *f, const char *path, struct slice *out);

#endif
