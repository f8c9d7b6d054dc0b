/*
 * doctor.c - what this host can and cannot do, and how to fix it. Changes
 * nothing.
 */
#include "cgroup/cgroup.h"
#include "cmd/cmd.h"
#include "cmd/containers/installed.h"
#include "cmd/hosted/hosted.h"
#include "cmd/options.h"
#include "cmd/room/room.h"

static const struct option options[] = {OPTION_JSON, OPTION_HELP, {0}};
static const char *const state_names[] = {"OK", "WARN", "FAIL"};

static void print_check(const struct host_check *h)
{
	printf("%-4s  ", state_names[h->state]);
	put_text(stdout, h->what);
	if (h->found) {
		fputs(": ", stdout);
		put_text(stdout, h->found);
	}
	putchar('\n');
	if (h->fix) {
		fputs("      fix: ", stdout);
		put_text(stdout, h->fix);
		putchar('\n');
	}
}

static json_t *check_json(const struct host_check *h)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "state", state_names[h->state], "what",
	                 text_json(h->what), "found", text_json(h->found), "fix",
	                 text_json(h->fix));
}

/* Policies are compiled in a child that is locked in. */
static void check_room(struct cmd *c, struct host_check *h)
{
	struct room *r;
	struct diags before = c->diags;
	struct call call = {.kind = FRAME_JOB};
	*h = (struct host_check){.what = "locked room for policies"};
	diags_init(&c->diags, c->arena);
	if (room_open(c, &c->settings, work_nothing, &r) || room_call(r, NULL, &call, NULL)) {
		h->state = HOST_FAIL;
		h->found = c->diags.n ? c->diags.items[0].text : "no answer";
		h->fix = c->diags.n ? c->diags.items[0].hint : NULL;
	} else {
		h->found = room_layers(c->arena, room_kept_uid(r));
		room_close(r);
	}
	c->diags = before;
}

static void show(struct cmd *c, const struct host_check *h, json_t *checks)
{
	if (c->json.on)
		json_array_append_new(checks, check_json(h));
	else
		print_check(h);
}

static int doctor(struct cmd *c, int argc, char **argv)
{
	struct host_check *list, *hosts, *hooks, room;
	size_t n, nhosts, nhooks;
	if (options_next(c, argc, argv) != OPT_END)
		return c->status;
	if (optind < argc)
		return usage_error(c, NULL, "doctor takes no operands");
	host_checks(c->arena, &list, &n);
	int status = STATUS_OK;
	json_t *checks = json_array();
	for (size_t i = 0; i < n; i++) {
		if (list[i].state == HOST_FAIL)
			status = STATUS_FAILED;
		show(c, &list[i], checks);
	}
	check_room(c, &room);
	show(c, &room, checks);
	if (room.state == HOST_FAIL)
		status = STATUS_FAILED;
	hosted_checks(c, &hosts, &nhosts);
	for (size_t i = 0; i < nhosts; i++) {
		if (hosts[i].state == HOST_FAIL)
			status = STATUS_FAILED;
		show(c, &hosts[i], checks);
	}
	hook_checks(c, &hooks, &nhooks);
	for (size_t i = 0; i < nhooks; i++) {
		if (hooks[i].state == HOST_FAIL)
			status = STATUS_FAILED;
		show(c, &hooks[i], checks);
	}
	if (c->json.on)
		json_object_set(c->json.out, "checks", checks);
	json_decref(checks);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "Tell what this host can and cannot do, and how to fix it",
	.help = "Exit status 1 when something needed is missing. Nothing is changed.\n\n",
	.shorts = ":h",
	.longs = options,
	.json = true,
	.main = doctor,
	.usage = "",
	.example = PROGRAM " doctor",
};
