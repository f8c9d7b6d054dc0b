/*
 * test_raw_prove.c - the proof of raw programs: what the emitter writes for steps made up is proven, and does in every
 * world what the steps say; a program that does something else is refused.
 */
#include "tests/unit/random_raw.h"

#include <inttypes.h>
#include <linux/bpf.h>

/* ---- the same in a world ----------------------------------------------------------------------------- */

/* NULL: instructions and steps do the same. */
static const char *differs(const struct raw_world *w, const struct image *image)
{
	struct raw_world a = world_copy(w), b = world_copy(w);
	struct raw_log steps = {.arena = w->arena}, insns = {.arena = w->arena};
	const char *why = "it has too many steps";
	if (raw_walk(&a, &steps) || raw_run(&b, image, &insns, &why))
		return why;
	return raw_log_difference(w->policy->raw, &steps, &insns);
}

static void show(const struct building *b)
{
	raw_dump(stderr, b->ts, b->raw);
	emit_asm(stderr, b->policy, &b->image);
}

/* ---- programs made up ----------------------------------------------------------------------------------- */

enum { PROGRAMS = 2000, WORLDS = 6 };

/* SEED= tries other programs. */
static struct rng numbers(uint64_t seed)
{
	const char *given = getenv("SEED");
	return (struct rng){seed + (given ? strtoull(given, NULL, 10) * 0x9e3779b97f4a7c15ull : 0)};
}

static void programs_are_proven(void **state)
{
	struct rng g = numbers(0x1357924680);
	size_t proven = 0, tried = 0;
	(void)state;
	for (; proven < PROGRAMS; tried++) {
		struct arena *a = arena_new();
		struct building *b = random_raw(a, &g);
		struct rng worlds = g;
		if (compile_policy(b->policy, &b->d, &b->pd, &b->image)) {
			if (!strstr(b->d.items[0].text, "bytes of stack")) {
				show(b);
				fail_msg("program %zu: %s", tried, b->d.items[0].text);
			}
			arena_free(a);
			continue;
		}
		proven++;
		if (b->raw->steps && raw_verify(b->policy, &b->d, &b->image)) {
			show(b);
			fail_msg("program %zu, line %d: %s", tried, b->d.items[0].at.line, b->d.items[0].text);
		}
		for (int i = 0; i < WORLDS; i++) {
			struct raw_world w = random_world(a, &worlds, b->policy);
			const char *why = differs(&w, &b->image);
			if (why) {
				show(b);
				fail_msg("program %zu, world %d: %s", tried, i, why);
			}
		}
		arena_free(a);
	}
	assert_true(tried < 2 * PROGRAMS);
}

/* ---- damaged programs --------------------------------------------------------------------------------------- */

enum { DAMAGED_PROGRAMS = 8, DAMAGED_WORLDS = 60, FEW_WORLDS = 10, SHORT = 150 };

struct damage {
	struct building *b;
	struct arena *arena;           /* of the worlds */
	struct raw_world worlds[DAMAGED_WORLDS];
	struct image image;
	struct bpf_insn *insns;
	size_t refused, harmless, needless; /* needless: refused, and it did the same in all worlds */
};

static bool accepted(struct damage *m)
{
	struct diags quiet;
	diags_init(&quiet, m->b->arena);
	return raw_verify(m->b->policy, &quiet, &m->image) == 0;
}

/* Does it do something else in one of the worlds? */
static const char *tells(struct damage *m, int worlds)
{
	const char *why = NULL;
	struct arena *scratch = arena_new();
	for (int i = 0; i < worlds && !why; i++) {
		struct raw_world w = m->worlds[i];
		w.arena = scratch;
		why = differs(&w, &m->image);
		why = why ? arena_strdup(m->arena, why) : NULL;
	}
	arena_free(scratch);
	return why;
}

static void try_damage(struct damage *m, size_t i, struct bpf_insn is)
{
	struct bpf_insn was = m->insns[i];
	if (!memcmp(&was, &is, sizeof is))
		return;
	m->insns[i] = is;
	if (accepted(m)) {
		const char *why = tells(m, DAMAGED_WORLDS);
		if (why) {
			show(m->b);
			emit_asm(stderr, m->b->policy, &m->image);
			fail_msg("instruction %zu (%02x %d %d %d %d): %s", i, is.code, is.dst_reg, is.src_reg, is.off, is.imm, why);
		}
		m->harmless++;
	} else {
		m->refused++;
		m->needless += m->refused % 16 == 0 && !tells(m, FEW_WORLDS);
	}
	m->insns[i] = was;
}

/* Each bit, and in each field something that another instruction has. */
static void damage_all(struct damage *m, struct rng *g)
{
	for (size_t i = 0; i < m->image.steps; i++) {
		struct bpf_insn was = m->insns[i], is;
		for (int bit = 0; bit < 64; bit++) {
			is = was;
			((unsigned char *)&is)[bit / 8] ^= (unsigned char)(1u << bit % 8);
			try_damage(m, i, is);
		}
		for (int k = 0; k < 12; k++) {
			struct bpf_insn other = m->insns[below(g, (uint32_t)m->image.steps)];
			is = was;
			switch (k % 6) {
			case 0: is.code = other.code; break;
			case 1: is.dst_reg = below(g, 10); break;
			case 2: is.src_reg = below(g, 11); break;
			case 3: is.off = other.off; break;
			case 4: is.imm = other.imm; break;
			default: is = other;
			}
			try_damage(m, i, is);
		}
	}
}

static void damaged_programs_are_refused(void **state)
{
	struct rng g = numbers(0x1234567);
	size_t refused = 0, harmless = 0, needless = 0;
	(void)state;
	for (int tried = 0; tried < DAMAGED_PROGRAMS;) {
		struct arena *a = arena_new();
		struct damage m = {.b = random_raw(a, &g), .arena = a};
		if (!compile_policy(m.b->policy, &m.b->d, &m.b->pd, &m.b->image) && m.b->raw->steps && m.b->image.steps < SHORT) {
			m.image = m.b->image;
			m.insns = arena_alloc(a, m.image.ninsns * sizeof *m.insns);
			memcpy(m.insns, m.b->image.insns, m.image.ninsns * sizeof *m.insns);
			m.image.insns = m.insns;
			for (int i = 0; i < DAMAGED_WORLDS; i++)
				m.worlds[i] = random_world(a, &g, m.b->policy);
			damage_all(&m, &g);
			refused += m.refused;
			harmless += m.harmless;
			needless += m.needless;
			tried++;
		}
		arena_free(a);
	}
	print_message("%zu refused, of them about %zu needlessly; %zu taken: they do the same\n", refused, 16 * needless, harmless);
	assert_true(refused > 4 * harmless);
}

/* ---- other steps ----------------------------------------------------------------------------------------------- */

/* The steps of a program are changed after it was compiled: its instructions do what the steps were, and are refused
 * where some world shows the difference. */

struct links { struct step **list[64]; size_t n; };

static void find_links(struct links *l, struct step **at)
{
	for (; *at && l->n < COUNT(l->list); at = &(*at)->next) {
		l->list[l->n++] = at;
		if ((*at)->kind == STEP_IF) {
			find_links(l, &(*at)->yes);
			find_links(l, &(*at)->no);
		}
	}
}

static bool has_effect(const struct step *s)
{
	return s->kind == STEP_PRINT || (s->kind >= STEP_SET && s->kind <= STEP_OUT);
}

/* False: nothing was changed. */
static bool change(struct building *b, struct rng *g, struct step **at)
{
	struct step *s = *at, *copy = arena_alloc(b->arena, sizeof *copy), *next = s->next;
	const struct raw_map *map = s->map < b->raw->nmaps ? &b->raw->maps[s->map] : NULL;
	*copy = *s;
	switch (below(g, 8)) {
	case 0: /* two change places */
		if (!next || !has_effect(s) || !has_effect(next))
			return false;
		s->next = next->next;
		next->next = s;
		*at = next;
		return true;
	case 1: /* left out */
		*at = next;
		return has_effect(s);
	case 2: /* twice */
		s->next = copy;
		return has_effect(s);
	case 3: /* before its condition */
		if (s->kind != STEP_IF || !s->yes || !has_effect(s->yes))
			return false;
		*at = s->yes;
		s->yes = s->yes->next;
		(*at)->next = s;
		return true;
	case 4: /* another map */
		for (uint32_t i = 0; map && s->kind != STEP_PRINT && has_effect(s) && i + 1 < b->raw->nmaps; i++)
			if (i != s->map && b->raw->maps[i].kind == map->kind && b->raw->maps[i].key.n == map->key.n &&
			    b->raw->maps[i].value.size == map->value.size) {
				s->map = i;
				return true;
			}
		return false;
	case 5: /* the other side */
		if (s->kind != STEP_IF)
			return false;
		s->condition = term_not(b->ts, s->condition);
		return true;
	case 6: /* another number */
		if (!s->nargs || s->args[0].is_comm)
			return false;
		s->args[0].t = term_op(b->ts, TERM_ADD, s->args[0].t, term_const(b->ts, 1));
		return true;
	default: /* the last byte of a text */
		if (s->kind != STEP_PRINT || !s->ntext || s->text[s->ntext - 1] != 's')
			return false;
		s->text = arena_printf(b->arena, "%.*sd", (int)s->ntext - 1, s->text);
		return true;
	}
}

static void other_steps_are_refused(void **state)
{
	enum { CHANGED = 600, TRIES = 40 };
	struct rng g = numbers(0x77777777);
	size_t told = 0, same = 0, changed = 0;
	(void)state;
	for (size_t tried = 0; changed < CHANGED && tried < 100000; tried++) {
		struct arena *a = arena_new();
		struct building *b = random_raw(a, &g);
		struct links l = {.n = 0};
		const char *why = NULL;
		find_links(&l, &b->raw->steps);
		if (l.n && !compile_policy(b->policy, &b->d, &b->pd, &b->image) && change(b, &g, l.list[below(&g, (uint32_t)l.n)])) {
			changed++;
			bool taken = !raw_verify(b->policy, &b->d, &b->image);
			for (int i = 0; i < TRIES && !why; i++) {
				struct raw_world w = random_world(a, &g, b->policy);
				why = differs(&w, &b->image);
			}
			if (why && taken) {
				show(b);
				fail_msg("program %zu is proven for other steps: %s", tried, why);
			}
			told += why != NULL;
			same += taken;
		}
		arena_free(a);
	}
	print_message("%zu programs with other steps: %zu do something else in a world, %zu are proven\n", changed, told, same);
	assert_int_equal(changed, CHANGED);
	assert_true(told > CHANGED / 3 && same < CHANGED - told);
}

/* ---- one by one --------------------------------------------------------------------------------------------------- */

/* A program with a key that has a gap, a time that is used later, texts and a counter. */
static struct building *sample(struct arena *a)
{
	struct building *b = raw_begin(a, RAW_DEVICE, "cgroup/dev");
	raw_map(b, "U", RAW_TABLE, "a:1 b:8", "n:8", 16);
	uint32_t table = raw_map(b, "T", RAW_TABLE, "a:1 b:8", "n:8", 16), ring;
	ring = raw_map(b, "R", RAW_RING, "", "pid:4 comm:16 n:8", 4096);
	raw_lost(b);
	uint32_t v = raw_new_value(b, "time", 0, INT64_MAX);
	raw_put(b, STEP_TIME, 0)->value = v;
	struct step *s = raw_if(b, term_lt(b->ts, term_input(b->ts, IN_MAJOR), constant(b, 7)));
	struct step *add = raw_put(b, STEP_ADD, table);
	raw_arg(add, number(term_input(b->ts, IN_MINOR)));
	raw_arg(add, number(constant(b, 5)));
	add->operand = number(constant(b, 3));
	raw_else(b, s);
	raw_arg(raw_print(b, "major %d"), number(term_input(b->ts, IN_MAJOR)));
	raw_end(b);
	struct step *out = raw_put(b, STEP_OUT, ring);
	raw_arg(out, number(term_input(b->ts, IN_PID)));
	raw_arg(out, the_comm());
	raw_arg(out, number(raw_term(b, v)));
	if (compile_policy(b->policy, &b->d, &b->pd, &b->image))
		fail_msg("%s", b->d.items[0].text);
	return b;
}

/* One instruction of a kind does nothing, or another thing. */
static void refused_with(struct building *b, size_t at, struct bpf_insn is)
{
	size_t size = b->image.ninsns * sizeof is;
	struct bpf_insn *insns = memcpy(arena_alloc(b->arena, size), b->image.insns, size);
	struct image image = b->image;
	insns[at] = is;
	image.insns = insns;
	if (!raw_verify(b->policy, &b->d, &image)) {
		show(b);
		fail_msg("it is proven without instruction %zu", at);
	}
	assert_non_null(strstr(b->d.items[b->d.n - 1].text, "the program cannot be proven: instruction"));
	assert_true(b->d.items[b->d.n - 1].at.line > 0);
}

static bool sets(const struct bpf_insn *in)
{
	return BPF_CLASS(in->code) == BPF_ST || BPF_CLASS(in->code) == BPF_STX;
}

/* Whatever is stored is needed: gaps of keys, bytes of texts, values for later, numbers that are added. */
static void every_store_is_needed(void **state)
{
	const struct bpf_insn nothing = {.code = BPF_JMP | BPF_JA};
	struct building *b = sample(*state);
	const struct bpf_insn *in = b->image.insns;
	size_t stores = 0, calls = 0;
	for (size_t i = 0; i < b->image.steps; i++) {
		bool call = in[i].code == (BPF_JMP | BPF_CALL);
		struct bpf_insn other = in[i];
		calls += call;
		stores += sets(&in[i]);
		bool again = BPF_CLASS(in[i].code) == BPF_ST && !in[i].imm; /* it may be 0 there already */
		if ((sets(&in[i]) && !again) || (call && in[i].imm != BPF_FUNC_get_current_pid_tgid))
			refused_with(b, i, nothing);
		if (BPF_CLASS(in[i].code) == BPF_ST) {
			other.imm = ~other.imm;
			refused_with(b, i, other);
		}
	}
	assert_true(stores > 12 && calls == 10);
}

/* A relocation names another map, or none. */
static void maps_are_told_apart(void **state)
{
	struct building *b = sample(*state);
	size_t n = b->image.nrelocs;
	struct image_reloc *relocs = memcpy(arena_alloc(b->arena, n * sizeof *relocs), b->image.relocs, n * sizeof *relocs);
	struct image image = b->image;
	image.relocs = relocs;
	assert_true(n > 3);
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 1; k < 4; k++) {
			uint32_t was = relocs[i].target;
			relocs[i].target = TARGET_RAW_MAP + (was - TARGET_RAW_MAP + k) % 4;
			assert_int_equal(raw_verify(b->policy, &b->d, &image), -1);
			relocs[i].target = was;
		}
	image.nrelocs--;
	assert_int_equal(raw_verify(b->policy, &b->d, &image), -1);
	assert_int_equal(raw_verify(b->policy, &b->d, &b->image), 0);
}

/* The verdict is the result's, and the steps end where the rest begins. */
static void verdicts_and_ends(void **state)
{
	struct building *b = sample(*state);
	struct image image = b->image;
	struct rule *rule = &b->policy->rules[0];
	rule->match = T_FALSE;
	assert_int_equal(raw_verify(b->policy, &b->d, &image), -1);
	assert_non_null(strstr(b->d.items[b->d.n - 1].text, "a verdict that is not the result"));
	rule->match = T_TRUE;
	for (image.steps = 0; image.steps < b->image.steps; image.steps++)
		if (!raw_verify(b->policy, &b->d, &image))
			fail_msg("the steps end before instruction %zu", image.steps);
	assert_int_equal(raw_verify(b->policy, &b->d, &image), 0);
	image.steps++;
	assert_int_equal(prove_image(b->policy, &b->d, &b->pd, &image), -1);
	assert_int_equal(prove_image(b->policy, &b->d, &b->pd, &b->image), 0);
}

/* ---- long programs ----------------------------------------------------------------------------------------------- */

/* Comparisons one below the other: each else has the next. */
static struct building *ladder(struct arena *a, int rungs)
{
	struct building *b = raw_begin(a, RAW_KPROBE, "kprobe/f");
	struct step **at = &b->raw->steps;
	for (int i = 0; i < rungs; i++) {
		struct step *s = *at = arena_alloc(a, sizeof *s), *print = arena_alloc(a, sizeof *print);
		*print = (struct step){.kind = STEP_PRINT, .at = {"raw.rb", 10 + i, 1}, .text = "x", .ntext = 1};
		*s = (struct step){.kind = STEP_IF, .at = print->at, .yes = print};
		s->condition = term_eq(b->ts, term_input(b->ts, IN_UID), constant(b, 3 * i));
		at = &s->no;
	}
	return b;
}

/* One IF behind the other, each of several comparisons that meet again. */
static struct building *row(struct arena *a, int n)
{
	struct building *b = raw_begin(a, RAW_KPROBE, "kprobe/f");
	for (int i = 0; i < n; i++) {
		term uid = term_input(b->ts, IN_UID), gid = term_input(b->ts, IN_GID);
		term x = term_or(b->ts, term_eq(b->ts, uid, constant(b, 3 * i)), term_eq(b->ts, gid, constant(b, 5 * i + 1)));
		term y = term_or(b->ts, term_lt(b->ts, uid, gid), term_eq(b->ts, gid, constant(b, 7 * i + 2)));
		struct step *s = raw_if(b, term_and(b->ts, x, y));
		raw_print(b, "yes");
		raw_else(b, s);
		raw_arg(raw_print(b, "no %u"), number(uid));
		raw_end(b);
	}
	return b;
}

/* They are proven within the work that a proof may take: it grows with their length, not with their ways. */
static void work_grows_with_length(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct arena *a = arena_new();
		struct building *b = kind ? row(a, 2000) : ladder(a, 2000);
		if (compile_policy(b->policy, &b->d, &b->pd, &b->image))
			fail_msg("%s", b->d.items[0].text);
		assert_true(b->image.ninsns > 16000);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_proven), cmocka_unit_test(damaged_programs_are_refused),
		cmocka_unit_test(other_steps_are_refused), ARENA_TEST(every_store_is_needed), ARENA_TEST(maps_are_told_apart),
		ARENA_TEST(verdicts_and_ends), cmocka_unit_test(work_grows_with_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
