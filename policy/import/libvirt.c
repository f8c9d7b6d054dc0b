/*
 * libvirt.c - cgroup_device_acl of libvirt's qemu.conf: what every machine may use beside
 * what its own definition adds. The file is read whole, so that a key within another's
 * list is none. libvirt 11 gave a machine what the policy allows. Linear in the text.
 */
#include "policy/import/internal.h"

#include <string.h>

#define ACL "cgroup_device_acl"

struct conf {
	struct diags *d;
	struct foreign *out;
	const char *at, *end;
	int line;
	bool acl, controllers, devices; /* keys that were there; "devices" among the controllers */
};

static int fail(struct conf *c, int line, const char *hint, const char *error)
{
	struct fault f = {.arena = c->d->arena};
	fault_set(&f, hint, "%s", error);
	return foreign_fail(c->d, (struct span){.file = c->out->file, .line = line}, NULL, &f);
}

/* Passes over blanks and comments, and over line ends where a value may go on. */
static void blanks(struct conf *c, bool lines)
{
	while (c->at < c->end) {
		if (*c->at == '#')
			while (c->at < c->end && *c->at != '\n')
				c->at++;
		else if (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || (lines && *c->at == '\n'))
			c->line += *c->at++ == '\n';
		else
			return;
	}
}

/* "text", 'text' or three of them around several lines. */
static int string(struct conf *c, struct slice *out)
{
	char quote = *c->at;
	size_t n = c->end - c->at > 2 && quote == '"' && c->at[1] == quote && c->at[2] == quote ? 3 : 1;
	const char *begin = c->at += n;
	while (c->at < c->end && (*c->at != quote || (n == 3 && (c->end - c->at < 3 || c->at[1] != quote || c->at[2] != quote)))) {
		if (n == 1 && *c->at == '\n')
			break;
		c->line += *c->at++ == '\n';
	}
	if (c->at == c->end || *c->at != quote)
		return fail(c, c->line, "close it", "a quote is not closed");
	*out = (struct slice){begin, (size_t)(c->at - begin)};
	c->at += n;
	return 0;
}

static int device(struct conf *c, struct slice path, int line)
{
	struct fault f = {.arena = c->d->arena};
	struct slice letters = {"rw", 2};
	struct foreign_entry e = {.allow = true, .file = c->out->file, .place = (uint32_t)line};
	if (foreign_add_path(c->out, &f, path, letters, e) == 0)
		return 0;
	return foreign_fail(c->d, (struct span){.file = c->out->file, .line = line}, NULL, &f);
}

static int item(struct conf *c, struct slice key)
{
	struct slice text;
	int line = c->line;
	if (c->at == c->end || !strchr("\"'", *c->at))
		return fail(c, line, "an item is text in quotes: \"/dev/null\"", "the list has no text here");
	if (string(c, &text))
		return -1;
	if (slice_is(key, ACL))
		return device(c, text, line) && c->d->errors > FOREIGN_ERRORS ? -1 : 0;
	c->devices |= slice_is(key, "cgroup_controllers") && slice_is(text, "devices");
	return 0;
}

static int list(struct conf *c, struct slice key)
{
	int line = c->line;
	c->at++;
	for (;;) {
		blanks(c, true);
		if (c->at < c->end && *c->at == ']') {
			c->at++;
			return 0;
		}
		if (c->at == c->end)
			return fail(c, line, "close it with ]", "the list has no end");
		if (item(c, key))
			return -1;
		blanks(c, true);
		if (c->at < c->end && *c->at == ',')
			c->at++;
		else if (c->at < c->end && *c->at != ']')
			return fail(c, c->line, "write a comma between items", "the list goes on without a comma");
	}
}

static int check_key(struct conf *c, struct slice key)
{
	static const char *const ours[] = {ACL};
	struct fault f = {.arena = c->d->arena};
	bool again = slice_is(key, ACL) && c->acl;
	c->acl |= slice_is(key, ACL);
	c->controllers |= slice_is(key, "cgroup_controllers");
	if (again)
		return fail(c, c->line, "keep one of them", ACL " is there twice");
	if (slice_is(key, ACL) || !foreign_near(f.arena, key, ours, 1))
		return 0;
	fault_set(&f, "did you mean " ACL "?", "unknown key %s", text_quoted(f.arena, key));
	return foreign_fail(c->d, (struct span){.file = c->out->file, .line = c->line}, NULL, &f);
}

static bool is_key_byte(char c)
{
	return strchr("_-.", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct slice key_of(struct conf *c)
{
	struct slice key = {c->at, 0};
	while (c->at < c->end && *c->at && is_key_byte(*c->at))
		c->at++;
	key.n = (size_t)(c->at - key.s);
	blanks(c, false);
	return key;
}

/* A list, text in quotes, or a number up to the end of the line. */
static int value(struct conf *c, struct slice key)
{
	struct slice text;
	char first = c->at < c->end ? *c->at : '\n';
	if (first == '[')
		return list(c, key);
	if (slice_is(key, ACL))
		return fail(c, c->line, "write " ACL " = [ \"/dev/null\" ]", ACL " is no list");
	if (first == '"' || first == '\'')
		return string(c, &text);
	while (c->at < c->end && *c->at != '\n' && *c->at != '#')
		c->at++;
	return 0;
}

static int entry(struct conf *c)
{
	struct slice key = key_of(c);
	if (!key.n || c->at == c->end || *c->at != '=')
		return fail(c, c->line, "a line is KEY = VALUE, or a comment with #", "missing '='");
	check_key(c, key);
	c->at++;
	blanks(c, false);
	if (value(c, key))
		return -1;
	blanks(c, false);
	return c->at < c->end && *c->at != '\n' ? fail(c, c->line, "one key a line", "more text after the value") : 0;
}

int foreign_libvirt(struct diags *d, const char *file, const char *text, size_t len, struct foreign *out)
{
	enum { PTY = 136 };
	struct conf c = {.d = d, .out = out, .at = text, .end = text + len, .line = 1};
	foreign_start(d, FOREIGN_LIBVIRT, file, out);
	for (blanks(&c, true); c.at < c.end; blanks(&c, true))
		if (entry(&c))
			return -1;
	if (!c.acl && !d->errors)
		return fail(&c, 0, "libvirt then has a list of its own: take the # off the " ACL " that the file shows",
		            "there is no " ACL);
	if (d->errors)
		return -1;
	foreign_note(d->arena, out, "What a machine's definition adds is not in the policy: its disks, host devices, TPM and sound.");
	if (c.controllers && !c.devices)
		foreign_note(d->arena, out, "libvirt filters nothing here: cgroup_controllers does not name devices.");
	foreign_add(d->arena, out, (struct foreign_entry){.allow = true, .builtin = true, .types = DEV_CHAR,
	                                                  .access = ACC_READ | ACC_WRITE, .major = PTY, .minor = FOREIGN_ANY});
	return 0;
}
