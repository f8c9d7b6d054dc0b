/*
 * json.h - what the readers of JSON share. Private to policy/.
 */
#ifndef DEVGUARD_POLICY_IMPORT_JSON_H
#define DEVGUARD_POLICY_IMPORT_JSON_H

#include "policy/import/internal.h"

#include <jansson.h>

/* ---- import/oci.c ------------------------------------------------------- */

/* "a string", "an array", ... */
const char *json_type_text(const json_t *j);
/* Adds the error of a text that is no JSON; always -1. */
int json_syntax_error(struct diags *d, const char *file, const json_error_t *e);
/* linux.resources.devices of a config that is part of another text; `out` has been started. 0 or -1. */
int oci_read_json(struct diags *d, json_t *root, struct foreign *out);

/* ---- import/json_lines.c -------------------------------------------------------- */

/* An array of entries: the keys on the way to it, NULL at the end, from the object that the text is, or the
 * first of an array; and of which entries. */
struct json_array { const char *const *path; bool in_rules, in_requests; };
/* Gives these entries of the list their lines in the text, which jansson has read. Linear in the text. */
void json_place(struct arena *a, struct foreign *out, const char *text, size_t len, const struct json_array *of);

#endif
