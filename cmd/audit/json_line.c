/*
 * json_line.c - a record as one JSON object on a line.
 *
 * Written as it goes: a tree for each record would take longer than all the rest, and
 * what is slow here is lost in the kernel. Only text that needs escapes asks jansson.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"
#include "policy/asked.h"

#include <string.h>
#include <time.h>

void put_json_value(FILE *out, const char *text)
{
	const char *s = text;
	while (s && *s >= ' ' && *s <= '~' && *s != '"' && *s != '\\')
		s++;
	if (!s) {
		fputs("null", out);
	} else if (!*s) {
		fprintf(out, "\"%s\"", text);
	} else {
		json_t *escaped = text_json(text);
		json_dumpf(escaped, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		json_decref(escaped);
	}
}

void put_json_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	put_json_value(out, text);
}

void put_json_number(FILE *out, const char *name, uint64_t value, bool known)
{
	if (known)
		fprintf(out, ",\"%s\":%llu", name, (unsigned long long)value);
	else
		fprintf(out, ",\"%s\":null", name);
}

void put_json_flag(FILE *out, const char *name, bool value)
{
	fprintf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

void put_json_time(FILE *out, uint64_t ns)
{
	char stamp[32];
	time_t t = (time_t)(ns / NSEC);
	struct tm tm;
	fputs("{\"schema\":\"" JSON_SCHEMA "\"", out);
	if (gmtime_r(&t, &tm) && strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm))
		fprintf(out, ",\"time\":\"%s.%09uZ\"", stamp, (unsigned)(ns % NSEC));
	else
		fputs(",\"time\":null", out);
}

void put_json_caller(FILE *out, const char *cgroup, const struct record_caller *who)
{
	char comm[COMM_SIZE + 1] = "";
	if (who->comm)
		memcpy(comm, who->comm, strnlen(who->comm, COMM_SIZE));
	put_json_text(out, "cgroup", cgroup);
	put_json_number(out, "cgroup_id", who->cgroup_id, true);
	put_json_number(out, "pid", who->pid, who->pid_told);
	put_json_number(out, "tid", who->tid, who->pid_told);
	put_json_text(out, "comm", who->comm ? comm : NULL);
	put_json_number(out, "uid", who->uid, true);
	put_json_number(out, "gid", who->gid, true);
}

void put_json_device(FILE *out, struct device_names *devices, int type, uint32_t major, uint32_t minor)
{
	put_json_text(out, "type", device_type(type));
	put_json_number(out, "major", major, true);
	put_json_number(out, "minor", minor, true);
	put_json_text(out, "device", device_path(devices, type, major, minor));
}

/* ---- what is told of the task ------------------------------------------------------------------ */

/* A member of the object of facts. */
static void put_name(FILE *out, bool *some, const char *name)
{
	fprintf(out, "%s\"%s\":", *some ? "," : "", name);
	*some = true;
}

static void put_fact(FILE *out, const struct request *r, enum input in)
{
	int64_t v = r->fact[in];
	switch (input_kind(in)) {
	case FACT_FILE: put_json_value(out, v ? in == IN_EXE ? r->who.exe : r->who.parent_exe : NULL); break;
	case FACT_YES_NO: fputs(v ? "true" : "false", out); break;
	default:
		if (input_kind(in) == FACT_OR_NONE && v == ID_NONE)
			fputs("null", out);
		else
			fprintf(out, "%lld", (long long)v);
	}
}

static void put_facts(FILE *out, const struct request *r)
{
	bool some = false;
	fputs(",\"facts\":{", out);
	for (enum input in = IN_EUID; in < IN_ASK_0; in++)
		if (r->known & INPUT(in)) {
			put_name(out, &some, input_name(in));
			put_fact(out, r, in);
		}
	if (r->who.known & WHO_GROUPS) {
		put_name(out, &some, "groups");
		for (size_t i = 0; i < r->who.ngroups; i++)
			fprintf(out, "%s%u", i ? "," : "[", r->who.groups[i]);
		fputs(r->who.ngroups ? "]" : "[]", out);
	}
	if (r->who.known & WHO_CAPS) {
		bool any = false;
		put_name(out, &some, "caps");
		fputs("[", out);
		for (int i = 0; i < CAPABILITIES; i++)
			if (r->who.caps >> i & 1) {
				fprintf(out, "%s\"%s\"", any ? "," : "", capability_name(i));
				any = true;
			}
		fputs("]", out);
	}
	if (r->who.known & WHO_CGROUP) {
		put_name(out, &some, "cgroup");
		put_json_value(out, r->who.cgroup);
	}
	fputs("}", out);
}

void put_json_told(FILE *out, struct arena *a, const struct request *r, const char *untold)
{
	put_facts(out, r);
	put_json_text(out, "untold", untold);
	put_json_text(out, "request", request_words(a, r));
}
