/* names.h - devices by name, for the readers in policy/ (text.h): 0, or -1 with the fault set. */
#ifndef DEVGUARD_POLICY_NAMES_H
#define DEVGUARD_POLICY_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct fault;
struct host;
struct pattern;
struct slice;

/* The symbol of that name, whether this host has it or not, or NULL. */
const char *device_known(struct arena *a, struct slice name);
/* The numbers of a symbol ("c 1:3" of null), or NULL with the fault set. *here: the host told them. */
const char *device_symbol(struct fault *f, const struct host *h, struct slice name, bool *here);
/* The device node at a path, as the host says. */
int device_at(struct fault *f, const struct host *h, struct slice path, int *type, int64_t *major,
              int64_t *minor);
/* The devices of a group ("char-pts", "block-*") in the text of /proc/devices. */
int device_group(struct fault *f, struct slice name, const char *listing, struct pattern *out);
/* device_group() as the host says. */
int device_group_here(struct fault *f, const struct host *h, struct slice name, struct pattern *out);

#endif
