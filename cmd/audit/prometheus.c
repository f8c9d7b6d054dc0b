/*
 * prometheus.c - counts in the text exposition format: HELP and TYPE once a
 * metric, then its series. Rows differ in their labels, so that no series is
 * there twice.
 */
#include "cmd/audit/audit.h"
#include "cgroup/cgroup.h"

#include <string.h>

/* A label's value: backslash, quote and newline are escaped as the format says,
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

static void put_label(FILE *out, const char *name, const char *value)
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
	put_label(out, "policy", st->at->name);
}

static void head(FILE *out, const char *metric, const char *type, const char *help)
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
	put_label(out, "device", path ? path : "");
	put_label(out, "access", access_text(k->decided & ACC_ALL, buf));
	put_label(out, "requested", access_text(k->requested & ACC_ALL, buf));
	put_label(out, "verdict", verdict_word(k->verdict, k->flags));
	put_label(out, "error", k->flags & EVENT_ERROR ? "true" : "false");
	fprintf(out, ",rule=\"%u\"", k->rule);
	put_label(out, "label", name && name->label[0] ? name->label : k->rule ? "" : "default");
	put_label(out, "file", name ? name->file : "");
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
	put_label(out, label, value);
	put_count(out, count);
}

static void put_info(FILE *out, const struct stats *st)
{
	const struct attached *at = st->at;
	put_series(out, "policy_info", st);
	put_label(out, "audit", audit_word(at->audit));
	put_label(out, "mode", mode_word(at->mode));
	fprintf(out, ",generation=\"%u\",program=\"%u\",digest=\"%016llx\"", at->generation, at->id,
	        (unsigned long long)at->digest);
	put_label(out, "version", at->tool);
	put_count(out, 1);
}

void prometheus_print(FILE *out, struct device_names *devices, const struct stats *list, size_t n)
{
	head(out, "policy_info", "gauge", "A policy that reports: how it is attached.");
	for (size_t i = 0; i < n; i++)
		put_info(out, &list[i]);
	head(out, "decisions_total", "counter",
	     "Decisions of a policy by device, access, rule and user.");
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < list[i].n; j++)
			put_row(out, devices, &list[i], &list[i].rows[j]);
	head(out, "verdicts_total", "counter", "All decisions of a policy that it reports.");
	for (size_t i = 0; i < n; i++) {
		put_result(out, &list[i], "verdicts_total", "verdict", "deny", list[i].totals.denied);
		put_result(out, &list[i], "verdicts_total", "verdict", "allow", list[i].totals.allowed);
	}
	head(out, "records_total", "counter",
	     "What became of the record of a decision: written, joined to an earlier one, or lost.");
	for (size_t i = 0; i < n; i++) {
		const struct totals *t = &list[i].totals;
		put_result(out, &list[i], "records_total", "result", "submitted", t->submitted);
		put_result(out, &list[i], "records_total", "result", "folded", t->folded);
		put_result(out, &list[i], "records_total", "result", "dropped", t->dropped);
	}
	head(out, "untallied_decisions_total", "counter",
	     "Decisions that are in no series of decisions_total: there were too many others.");
	for (size_t i = 0; i < n; i++) {
		put_series(out, "untallied_decisions_total", &list[i]);
		put_count(out, list[i].totals.untallied);
	}
}
