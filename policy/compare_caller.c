/*
 * compare_caller.c - is a function of facts true of any caller?
 *
 * Each fact has its range, and facts are taken as independent of each other: only the two halves of comm
 * belong together (callers.c puts into the function what else is known). A way through the diagram asks for each fact at most once, so it stands for callers when
 * each of its intervals has a value. Linear in the diagram.
 */
#include "policy/callers.h"
#include "policy/compare_internal.h"

int64_t fact_within(enum input in, int64_t lo, int64_t hi)
{
	int64_t likely = input_is_task(in) ? caller_likely(in, 0) : in == IN_UID || in == IN_GID ? 0 : in == IN_PID || in == IN_TID ? 4242 : in == IN_UPTIME ? 600 : 1;
	if (lo <= likely && likely <= hi)
		return likely;
	return lo;
}

static void cut(enum input in, int64_t *lo, int64_t *hi)
{
	int64_t least, most;
	input_range(in, &least, &most);
	*lo = *lo < least ? least : *lo;
	*hi = *hi > most ? most : *hi;
}

static bool look(struct search *s, node n, bool choose);

/* The first half of comm, when its edge leads to a question about the second, or not. */
static bool look_at_comm(struct search *s, node to, const int64_t lo[2], const int64_t hi[2], bool choose)
{
	int64_t word[2];
	if (!look(s, to, false) || !comm_within(lo, hi, word))
		return false;
	if (choose) {
		look(s, to, true);
		s->fact[IN_COMM_0] = word[0];
		s->fact[IN_COMM_1] = word[1];
	}
	return true;
}

static bool look_at_second(struct search *s, node n, int64_t lo0, int64_t hi0, bool choose)
{
	struct switch_node sw = node_switch(s->dg, n);
	for (uint32_t i = 0; i < sw.n; i++) {
		int64_t lo[2] = {lo0, switch_edge_lo(s->dg, &sw, i)}, hi[2] = {hi0, sw.edges[i].hi};
		if (look_at_comm(s, sw.edges[i].to, lo, hi, choose))
			return true;
	}
	return false;
}

static bool asks_second(const struct search *s, node n)
{
	return !(n & TERMINAL_BIT) && node_switch(s->dg, n).var == IN_COMM_1;
}

static bool look_at_edge(struct search *s, const struct switch_node *sw, uint32_t i, bool choose)
{
	int64_t lo = switch_edge_lo(s->dg, sw, i), hi = sw->edges[i].hi;
	node to = sw->edges[i].to;
	if (sw->var == IN_COMM_0 && asks_second(s, to))
		return look_at_second(s, to, lo, hi, choose);
	if (sw->var == IN_COMM_0)
		return look_at_comm(s, to, (int64_t[]){lo, INT64_MIN}, (int64_t[]){hi, INT64_MAX}, choose);
	cut((enum input)sw->var, &lo, &hi);
	if (lo > hi || !look(s, to, choose))
		return false;
	if (choose)
		s->fact[sw->var] = fact_within((enum input)sw->var, lo, hi);
	return true;
}

static bool look(struct search *s, node n, bool choose)
{
	if (n & TERMINAL_BIT)
		return n == NODE_TRUE;
	if (s->callers[n] && (!choose || s->callers[n] == 1 + NEVER))
		return s->callers[n] == 1 + ALWAYS;
	struct switch_node sw = node_switch(s->dg, n);
	bool found = false;
	if (sw.var == IN_COMM_1)
		found = look_at_second(s, n, INT64_MIN, INT64_MAX, choose);
	for (uint32_t i = 0; i < sw.n && !found && sw.var != IN_COMM_1; i++)
		found = look_at_edge(s, &sw, i, choose);
	s->callers[n] = 1 + (found ? ALWAYS : NEVER);
	return found;
}

bool caller_exists(struct search *s, node n)
{
	return look(s, n, false);
}

void caller_choose(struct search *s, node n)
{
	look(s, n, true);
}
