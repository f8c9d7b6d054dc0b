/*
 * hook_options.c - the options of oci-hook, which install-hook takes too and writes into the hook:
 * one table, one check, and the argument list that is read again.
 */
#include "cmd/containers/hook.h"

#include <string.h>

#include "policy/rules.h"

int hook_option(struct cmd *c, int opt, struct hook_options *o)
{
	static const char *const answers[] = {"refuse", "allow"};
	static const char *const rootless[] = {[ROOTLESS_SKIP] = "skip", [ROOTLESS_REFUSE] = "refuse"};
	int word;
	switch (opt) {
	case OPT_POLICY: o->policy = optarg; break;
	case OPT_CONFIG: o->config = optarg; break;
	case OPT_SPEC: o->from_spec = true; break;
	case OPT_ON_ERROR:
		if ((word = option_word(c, "--on-error", optarg, answers, 2)) < 0)
			return c->status;
		o->let_start = word;
		break;
	case OPT_ROOTLESS:
		if ((word = option_word(c, "--rootless", optarg, rootless, 2)) < 0)
			return c->status;
		o->rootless = word;
		o->rootless_given = true;
	}
	return STATUS_OK;
}

bool hook_options_given(const struct cmd *c, const struct hook_options *o)
{
	const struct settings *s = &c->settings;
	return o->policy || o->config || o->from_spec || o->let_start || o->rootless_given || s->nparams || s->mode || s->audit || s->ring ||
	       s->limits_given;
}

int hook_options_check(struct cmd *c, const struct hook_options *o)
{
	if (!!o->policy + !!o->config + o->from_spec > 1)
		return usage_error(c, NULL, "--policy, --config and --policy-from-spec exclude each other");
	if (c->settings.nparams && o->from_spec)
		return usage_error(c, NULL, "--param does not go with --policy-from-spec");
	if (c->settings.nparams && !o->policy)
		return usage_error(c, "write params: in the manifest", "--param does not go with a manifest");
	return STATUS_OK;
}

const char *hook_manifest(const struct hook_options *o)
{
	return o->config ? o->config : MANIFEST;
}

static void push(json_t *args, const char *option, const char *value)
{
	json_array_append_new(args, json_string(option));
	if (value)
		json_array_append_new(args, json_string(value));
}

json_t *hook_arguments(struct cmd *c, const struct hook_options *o)
{
	const struct settings *s = &c->settings;
	json_t *args = json_pack("[s, s]", PROGRAM, HOOK_VERB);
	if (o->policy)
		push(args, "--policy", o->policy);
	if (o->config)
		push(args, "--config", o->config);
	if (o->from_spec)
		push(args, "--policy-from-spec", NULL);
	for (size_t i = 0; i < s->nparams; i++)
		push(args, "--param",
		     arena_printf(c->arena, "%s=%lld", s->params[i].name, (long long)s->params[i].value));
	if (s->mode)
		push(args, "--mode", mode_words[s->mode - 1]);
	if (s->audit)
		push(args, "--audit", audit_words[s->audit - 1]);
	if (s->limits_given)
		push(args, "--limit", s->limits_given);
	if (s->ring)
		push(args, "--ring", arena_printf(c->arena, "%u", s->ring));
	if (o->let_start)
		push(args, "--on-error", "allow");
	if (o->rootless_given)
		push(args, "--rootless", o->rootless == ROOTLESS_SKIP ? "skip" : "refuse");
	return args;
}
