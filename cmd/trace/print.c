/* print.c - a line that a program printed: for people, or one JSON object. All of it is others' and escaped. */
#include "cmd/trace/trace.h"

#include <string.h>
#include <time.h>

enum { SECOND = 1000000000, NAME_WIDTH = 24 };

static int64_t ns_of(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t tracing_wall(void)
{
	return ns_of(CLOCK_REALTIME) - ns_of(CLOCK_MONOTONIC);
}

/* "2026-01-31 23:59:59" by that form; "?" where there is no such time. */
static void stamp(char out[32], const char *form, struct tm *(*broken)(const time_t *, struct tm *), uint64_t ns)
{
	time_t t = (time_t)(ns / SECOND);
	struct tm tm;
	if (!broken(&t, &tm) || !strftime(out, 32, form, &tm))
		memcpy(out, "?", 2);
}

static void print_text(const struct trace_line *l, uint64_t ns)
{
	char when[32], who[4 * COMM_SIZE + 24] = "-";
	size_t n = 1;
	stamp(when, "%Y-%m-%d %H:%M:%S", localtime_r, ns);
	if (l->comm)
		n = text_escape(who, 4 * COMM_SIZE + 1, l->comm, strlen(l->comm));
	snprintf(who + n, sizeof who - n, "[%d]", (int)l->pid);
	printf("%s.%06u  %-*s  ", when, (unsigned)(ns % SECOND / 1000), NAME_WIDTH, who);
	put_bytes(stdout, l->text, l->len);
	putchar('\n');
}

static void put_json(const char *name, json_t *value)
{
	printf(",\"%s\":", name);
	json_dumpf(value, stdout, JSON_ENCODE_ANY);
	json_decref(value);
}

static void print_json(const struct tracing *t, const struct trace_line *l, uint64_t ns)
{
	char when[32];
	stamp(when, "%Y-%m-%dT%H:%M:%S", gmtime_r, ns);
	printf("{\"schema\":\"" JSON_SCHEMA "\",\"time\":\"%s.%09uZ\",\"ktime\":%llu", when, (unsigned)(ns % SECOND), (unsigned long long)l->ns);
	put_json("program", text_json(t->unit->policy->name));
	printf(",\"cpu\":%u,\"pid\":%d", l->cpu, (int)l->pid);
	put_json("comm", l->comm ? text_json(l->comm) : json_null());
	put_json("text", text_json(l->text));
	puts("}");
}

void tracing_print(const struct tracing *t, const struct trace_line *l, int64_t wall)
{
	uint64_t ns = l->ns + (uint64_t)wall;
	if (t->json)
		print_json(t, l, ns);
	else
		print_text(l, ns);
}
