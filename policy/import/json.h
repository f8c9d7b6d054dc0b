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

#endif
