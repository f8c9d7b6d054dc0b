/*
 * yaml.h - a strict part of YAML as a tree: one document of text, lists and
 * mappings, nothing that is shared, typed by a tag or made by a directive.
 * Private to policy/.
 */
#ifndef DEVGUARD_POLICY_YAML_H
#define DEVGUARD_POLICY_YAML_H

#include "policy/text.h"
#include "policy/diag.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct span at;
	struct slice text;       /* YAML_TEXT: without NUL bytes, NUL-terminated */
	bool plain;              /* YAML_TEXT: written without quotes */
	struct yaml_node *items; /* YAML_LIST: its items; YAML_MAP: the values */
	struct yaml_node *keys;  /* YAML_MAP: text, no two alike */
	size_t n;
};

/* A text being read, and where its messages go. */
struct yaml {
	struct arena *arena;
	struct diags *diags;
	const char *file;
	const char *text;
	size_t len;
	const char *begin;   /* hints: what such a file starts with, */
	const char *shorten; /* and how one has less in it */
};

/* Reads the one document. 0 with *root, or -1 with diagnostics: each has line,
 * column (in bytes) and source line. */
int yaml_read(struct yaml *y, struct yaml_node *root);
/* Adds an error with the source line; always -1. */
int yaml_fail(const struct yaml *y, struct span at, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The text of a line, cut where it is very long; NULL when there is none. */
const char *yaml_line(struct arena *a, const char *text, size_t len, int line);
/* The value of a key; NULL: there is none, or no mapping. */
const struct yaml_node *yaml_value(const struct yaml_node *map, const char *key);
/* "a list", "text", ... */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
