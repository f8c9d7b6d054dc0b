/*
 * prometheus.c - counts in the text exposition format: HELP and TYPE once a
 * metric, then its series. Rows differ in their labels, so that no series is
 * there twice.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <string.h>

/* Backslash, quote and newline are escaped as the format says,
 * after other control bytes and invalid UTF-8 became \xNN. */
static void put_value(FILE *out, const char *text, size_t len)
{
	char safe[4 * 1024];
	text_escape(safe, sizeof safe, text, len);
	for (const char *s = safe; *s; s++) {
		if (*s == '\\' || *s == '"')
			putc('\\', out);
		putc(*s, out);
	}
}

void prometheus_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, ",%s=\"", name);
	put_value(out, value, strlen(value));
	putc('"', out);
}

/* `metric{cgroup="...",policy="..."`: more labels and the brace follow. */
static void put_series(FILE *out, const char *metric, const struct stats *st)
{
	fprintf(out, "rucy_devguard_%s{cgroup=\"", metric);
	put_value(out, st->cgroup, strlen(st->cgroup));
	putc('"', out);
	prometheus_label(out, "policy", st->at->name);
}

void prometheus_head(FILE *out, const char *metric, const char *type, const char *help)
{
	fprintf(out, "# HELP rucy_devguard_%s %s\n# TYPE rucy_devguard_%s %s\n", metric, help, metric,
	        type);
}

static void put_count(FILE *out, uint64_t count)
{
	fprintf(out, "} %llu\n", (unsigned long long)count);
}

static void put_row(FILE *out, struct device_names *devices, const struct stats *st,
                    const struct stats_row *row)
{
	char buf[24];
	const struct tally_key *k = &row->key;
	const struct rule_name *name = row->name;
	const char *path = device_path(devices, k->type, k->major, k->minor);
	put_series(out, "decisions_total", st);
	fprintf(out, ",type=\"%s\",major=\"%u\",minor=\"%u\"", device_type(k->type), k->major,
	        k->minor);
	prometheus_label(out, "device", path ? path : "");
	prometheus_label(out, "access", access_text(k->decided & ACC_ALL, buf));
	prometheus_label(out, "requested", access_text(k->requested & ACC_ALL, buf));
	prometheus_label(out, "verdict", verdict_word(k->verdict, k->flags));
	prometheus_label(out, "error", k->flags & EVENT_ERROR ? "true" : "false");
	fprintf(out, ",rule=\"%u\"", k->rule);
	prometheus_label(out, "label", name && name->label[0] ? name->label : k->rule ? "" : "default");
	prometheus_label(out, "file", name ? name->file : "");
	if (name && name->line)
		fprintf(out, ",line=\"%u\"", name->line);
	else
		fputs(",line=\"\"", out);
	if (!name)
		fprintf(out, ",generation=\"%u\"", k->generation);
	fprintf(out, ",uid=\"%u\"", k->uid);
	put_count(out, row->count);
}

static void put_result(FILE *out, const struct stats *st, const char *metric, const char *label,
                       const char *value, uint64_t count)
{
	put_series(out, metric, st);
	prometheus_label(out, label, value);
	put_count(out, count);
}

static void put_info(FILE *out, const struct stats *st)
{
	const struct attached *at = st->at;
	put_series(out, "policy_info", st);
	prometheus_label(out, "audit", audit_word(at->audit));
	prometheus_label(out, "mode", mode_word(at->mode));
	fprintf(out, ",generation=\"%u\",program=\"%u\",digest=\"%016llx\"", at->generation, at->id,
	        (unsigned long long)at->digest);
	prometheus_label(out, "version", at->tool);
	put_count(out, 1);
}

void prometheus_granted(FILE *out, const char *cgroup, uint64_t count)
{
	prometheus_head(out, "opened_requests_total", "counter", "Requests in the cgroup and below that were denied and that a grant opened.");
	fputs("rucy_devguard_opened_requests_total{cgroup=\"", out);
	put_value(out, cgroup, strlen(cgroup));
	putc('"', out);
	put_count(out, count);
}

void prometheus_print(FILE *out, struct device_names *devices, const struct stats *list, size_t n)
{
	prometheus_head(out, "policy_info", "gauge", "A policy that reports: how it is attached.");
	for (size_t i = 0; i < n; i++)
		put_info(out, &list[i]);
	prometheus_head(out, "decisions_total", "counter",
	     "Decisions of a policy by device, access, rule and user.");
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < list[i].n; j++)
			put_row(out, devices, &list[i], &list[i].rows[j]);
	prometheus_head(out, "verdicts_total", "counter", "All decisions of a policy that it reports.");
	for (size_t i = 0; i < n; i++) {
		put_result(out, &list[i], "verdicts_total", "verdict", "deny", list[i].totals.denied);
		put_result(out, &list[i], "verdicts_total", "verdict", "allow", list[i].totals.allowed);
	}
	prometheus_head(out, "records_total", "counter",
	     "What became of the record of a decision: written, joined to an earlier one, or lost.");
	for (size_t i = 0; i < n; i++) {
		const struct totals *t = &list[i].totals;
		put_result(out, &list[i], "records_total", "result", "submitted", t->submitted);
		put_result(out, &list[i], "records_total", "result", "folded", t->folded);
		put_result(out, &list[i], "records_total", "result", "dropped", t->dropped);
	}
	prometheus_head(out, "untallied_decisions_total", "counter",
	     "Decisions that are in no series of decisions_total: there were too many others.");
	for (size_t i = 0; i < n; i++) {
		put_series(out, "untallied_decisions_total", &list[i]);
		put_count(out, list[i].totals.untallied);
	}
}
