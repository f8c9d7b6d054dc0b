/* utf8.h - which characters may be shown as they are, in every text that the tool writes. */
#ifndef DEVGUARD_POLICY_UTF8_H
#define DEVGUARD_POLICY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s, of which n bytes are left, when it may be shown; 0: it must be
 * escaped, being a control, invisible, invalid UTF-8, or something that turns text or ends a
 * line. */
size_t utf8_shown(const char *s, size_t n);
/* Bytes of the character at s and its code point; 0: it is invalid. */
size_t utf8_code(const char *s, size_t n, uint32_t *code);
/* Does the character change the direction of the text around it? */
bool utf8_turns(uint32_t code);

#endif
