/*
 * giver.c - who gives a grant: the user who logged in, whoever he is now; where nobody did, the one whom sudo names, or
 * who runs this. Only root can give one, so this is a note among people who trust each other, and no proof.
 */
#include "cmd/grant/grant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pwd.h>

/* The uid of the login session of this process; (uid_t)-1: there is none. */
static uid_t login_uid(void)
{
	FILE *f = fopen("/proc/self/loginuid", "re");
	unsigned uid = (unsigned)-1;
	if (f && fscanf(f, "%u", &uid) != 1)
		uid = (unsigned)-1;
	if (f)
		fclose(f);
	return (uid_t)uid;
}

/* /etc/passwd itself: no library that a static program could not load. */
static bool name_of(uid_t uid, char *out, size_t size)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry, *found = NULL;
	char text[1024];
	bool there = false;
	while (f && !there && !fgetpwent_r(f, &entry, text, sizeof text, &found) && found)
		there = found->pw_uid == uid && strlen(found->pw_name) < size;
	if (there)
		strcpy(out, found->pw_name);
	if (f)
		fclose(f);
	return there;
}

/* The user whom sudo names; its number must be one, too. */
static bool by_sudo(struct host_grant *g)
{
	const char *user = getenv("SUDO_USER"), *uid = getenv("SUDO_UID");
	char *end;
	unsigned long number = uid ? strtoul(uid, &end, 10) : 0;
	if (!user || !*user || strlen(user) >= sizeof g->user || !uid || !*uid || *end || number >= UINT32_MAX)
		return false;
	g->uid = (uint32_t)number;
	strcpy(g->user, user);
	return true;
}

void grant_giver(struct host_grant *g)
{
	uid_t login = login_uid();
	if (login == (uid_t)-1 && by_sudo(g))
		return;
	g->uid = login == (uid_t)-1 ? getuid() : login;
	if (!name_of(g->uid, g->user, sizeof g->user))
		snprintf(g->user, sizeof g->user, "uid %u", g->uid);
}
