/* author.c - whose hand a program of others shows, in words and as JSON. */
#include "cmd/output.h"
#include "cgroup/cgroup.h"

#include <string.h>

const char *author_text(struct arena *a, const struct author *who)
{
	return who->name ? arena_printf(a, "as %s writes them", who->name) : "by an author that is not known";
}

const char *author_words(struct arena *a, const struct author *who)
{
	if (who->unreadable)
		return arena_printf(a, "its instructions cannot be read: %s", strerror(who->unreadable));
	if (!who->name)
		return author_text(a, who);
	return arena_printf(a, "%s: %zu %s, else %s", author_text(a, who), who->rules, who->rules == 1 ? "rule" : "rules",
	                    who->otherwise ? "allowed" : "denied");
}

void author_json(json_t *o, const struct author *who)
{
	json_object_set_new(o, "author", who->name ? json_string(who->name) : json_null());
	json_object_set_new(o, "rules", who->name ? json_integer((json_int_t)who->rules) : json_null());
	json_object_set_new(o, "otherwise", who->name ? json_string(who->otherwise ? "allow" : "deny") : json_null());
}
