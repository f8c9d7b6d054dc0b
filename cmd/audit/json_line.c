/*
 * json_line.c - a record as one JSON object on a line.
 *
 * Written as it goes: a tree for each record would take longer than all the rest, and
 * what is slow here is lost in the kernel. Only text that needs escapes asks jansson.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

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
