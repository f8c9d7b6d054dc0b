/* questions.h - what a child of the room may ask, and how it is answered. */
#ifndef DEVGUARD_CMD_ROOM_QUESTIONS_H
#define DEVGUARD_CMD_ROOM_QUESTIONS_H

#include <limits.h>
#include <stdint.h>

#include "cmd/room/rooms.h"

enum question_kind { ASK_DEVICE, ASK_GROUPS, ASK_FILE, ASK_MATCHES, ASK_USERS, QUESTION_KINDS };

struct question { uint32_t kind; }; /* then the text */
enum { QUESTION_TEXT_MAX = PATH_MAX - 1, QUESTION_MAX = sizeof(struct question) + QUESTION_TEXT_MAX };

struct answer {
	int32_t error;    /* errno */
	uint32_t mode;    /* ASK_DEVICE: as of stat(2) */
	int64_t major, minor; /* ASK_USERS: the group's number, 0 */
	uint32_t has_text, reserved;
}; /* then the text: a near name, a listing, a file; on an error of ASK_MATCHES the path */

struct cmd;
/* Answers one, in arena text; what was asked and answered is kept in c->asking. False: it
 * is no question that a child of ours puts. */
bool question_answer(struct cmd *c, const unsigned char *data, size_t len, const unsigned char **answer,
                     size_t *n);

/* What a policy was told while it was compiled: is it true still? */
bool asked_still(struct cmd *c, const struct room_asked *list, size_t n);

#endif
