/*
 * record_raw.c - a raw program in a record: what the root process needs to load it, to read its maps and to know its
 * lines.
 */
#include "cmd/room/record_parts.h"
#include "policy/raw_record.h"

#include <ctype.h>
#include <string.h>

struct raw_head {
	uint32_t section, name, license, function, file;
	int32_t line;
	uint32_t acts, reserved;
	uint32_t nmaps, nfields, nprints, nasked; /* how many of each follow, in this order */
};
struct map_part { uint32_t name, kind, entries, nkey, nvalue, file; int32_t line; };
struct field_part { uint32_t name, offset, size, is_signed; };
struct print_part { uint32_t text; int32_t line; };
struct asked_part { uint32_t name; int32_t line; int64_t lo, hi; };

/* ---- writing ------------------------------------------------------------------------------------ */

struct prints { struct arena *arena; struct print_part *list; size_t n, cap; };

static void find_prints(struct prints *to, const struct step *s, struct texts *t)
{
	for (; s; s = s->next) {
		if (s->kind == STEP_PRINT)
			*ARENA_PUSH(to->arena, to->list, to->n, to->cap) = (struct print_part){part_text(t, s->text), s->at.line};
		find_prints(to, s->yes, t);
		find_prints(to, s->no, t);
	}
}

static void put_fields(struct field_part **at, const struct raw_record *r, struct texts *t)
{
	for (size_t i = 0; i < r->n; i++)
		*(*at)++ = (struct field_part){part_text(t, r->fields[i].name), r->fields[i].offset, r->fields[i].size, r->fields[i].is_signed};
}

struct block put_raw(struct arena *a, const struct raw *raw, struct texts *t)
{
	if (!raw)
		return (struct block){0};
	struct raw_head h = {.section = raw->section, .name = part_text(t, raw->section_name), .license = part_text(t, raw->license),
	                     .function = part_text(t, raw->function), .file = part_file(t, raw->at.file), .line = raw->at.line, .acts = raw->steps != NULL,
	                     .nmaps = (uint32_t)raw->nmaps, .nasked = (uint32_t)raw->nasked};
	struct prints prints = {.arena = a};
	find_prints(&prints, raw->steps, t);
	h.nprints = (uint32_t)prints.n;
	for (size_t i = 0; i < raw->nmaps; i++)
		h.nfields += (uint32_t)(raw->maps[i].key.n + raw->maps[i].value.n);
	size_t maps = h.nmaps * sizeof(struct map_part), fields = h.nfields * sizeof(struct field_part),
	       lines = h.nprints * sizeof(struct print_part), len = sizeof h + maps + fields + lines + h.nasked * sizeof(struct asked_part);
	char *all = arena_alloc(a, len);
	struct map_part *map = arena_alloc(a, maps);
	struct field_part *field = arena_alloc(a, fields), *at = field;
	struct asked_part *asked = arena_alloc(a, h.nasked * sizeof *asked);
	for (size_t i = 0; i < raw->nmaps; i++) {
		const struct raw_map *m = &raw->maps[i];
		map[i] = (struct map_part){part_text(t, m->name), m->kind, m->entries, (uint32_t)m->key.n, (uint32_t)m->value.n,
		                           part_file(t, m->at.file), m->at.line};
		put_fields(&at, &m->key, t);
		put_fields(&at, &m->value, t);
	}
	for (size_t i = 0; i < raw->nasked; i++) {
		const struct raw_value *v = &raw->values[raw->asked[i]];
		asked[i] = (struct asked_part){.name = part_text(t, v->name), .line = v->line, .lo = v->lo, .hi = v->hi};
	}
	const struct block blocks[] = {{&h, sizeof h}, {map, maps}, {field, fields}, {prints.list, lines}, {asked, h.nasked * sizeof *asked}};
	size_t done = 0;
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		if (blocks[i].len)
			memcpy(all + done, blocks[i].data, blocks[i].len);
		done += blocks[i].len;
	}
	return (struct block){all, len};
}

/* ---- reading ------------------------------------------------------------------------------------- */

static bool is_plain(const char *s, size_t most, const char *more)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
			return false;
	return n && n <= most;
}

/* The fields of a record, laid out anew: they must lie where C puts them. */
static void get_record(struct reader *r, const struct field_part **at, size_t n, struct raw_record *to)
{
	for (size_t i = 0; i < n && !r->bad; i++, (*at)++) {
		struct raw_field f = {.size = (uint8_t)(*at)->size, .is_signed = (*at)->is_signed};
		part_must(r, (*at)->size == 1 || (*at)->size == 2 || (*at)->size == 4 || (*at)->size == 8 || (*at)->size == COMM_SIZE);
		part_must(r, (*at)->is_signed <= 1);
		part_must(r, !r->bad && raw_record_add(r->arena, to, part_some_text(r, (*at)->name), f) == RAW_ADDED && to->fields[i].offset == (*at)->offset);
	}
}

static void get_maps(struct reader *r, const struct raw_head *h, const struct map_part *parts, const struct field_part *fields,
                     struct raw *raw)
{
	uint64_t used = 0;
	part_must(r, h->nmaps <= RAW_MAPS_MAX);
	raw->nmaps = raw->maps_cap = r->bad ? 0 : h->nmaps;
	raw->maps = arena_alloc(r->arena, (raw->nmaps + 1) * sizeof *raw->maps);
	memset(raw->maps, 0, (raw->nmaps + 1) * sizeof *raw->maps);
	for (size_t i = 0; i < raw->nmaps && !r->bad; i++) {
		const struct map_part *k = &parts[i];
		struct raw_map *m = &raw->maps[i];
		part_must(r, k->kind < RAW_MAP_KINDS && k->nkey <= RAW_ARGS && k->nvalue <= RAW_ARGS && k->nkey + k->nvalue <= h->nfields - used);
		*m = (struct raw_map){.name = part_some_text(r, k->name), .kind = (enum raw_map_kind)k->kind, .entries = k->entries,
		                      .at = part_place(r, k->file, k->line, 0)};
		part_must(r, is_plain(m->name, 15, "_") && m->entries && m->entries <= 256 << 20);
		used += k->nkey + k->nvalue;
		get_record(r, &fields, k->nkey, &m->key);
		get_record(r, &fields, k->nvalue, &m->value);
	}
	part_must(r, used == h->nfields);
}

static void get_prints(struct reader *r, const struct print_part *parts, size_t n, struct raw *raw)
{
	for (size_t i = n; i-- > 0 && !r->bad;) {
		struct step *s = arena_alloc(r->arena, sizeof *s);
		*s = (struct step){.kind = STEP_PRINT, .text = part_some_text(r, parts[i].text), .at = {.line = parts[i].line}, .next = raw->steps};
		s->ntext = strlen(s->text);
		raw->steps = s;
	}
}

static void get_asked(struct reader *r, const struct asked_part *parts, size_t n, struct raw *raw)
{
	part_must(r, n <= INPUT_MAX - IN_PARAM_0);
	raw->nasked = raw->nvalues = r->bad ? 0 : n;
	raw->values = arena_alloc(r->arena, (raw->nasked + 1) * sizeof *raw->values);
	raw->asked = arena_alloc(r->arena, (raw->nasked + 1) * sizeof *raw->asked);
	for (uint32_t i = 0; i < raw->nasked; i++) {
		part_must(r, parts[i].lo <= parts[i].hi && parts[i].line >= 0);
		raw->values[i] = (struct raw_value){.name = part_some_text(r, parts[i].name), .line = parts[i].line, .lo = parts[i].lo, .hi = parts[i].hi};
		raw->asked[i] = i;
	}
}

struct raw *get_raw(struct reader *r, const void *data, size_t len)
{
	struct reader in = *r;
	if (!len || r->bad)
		return NULL;
	in.at = data;
	in.end = in.at + len;
	const struct raw_head *h = part_take(&in, 1, sizeof *h);
	const struct map_part *maps = part_take(&in, h ? h->nmaps : 0, sizeof *maps);
	const struct field_part *fields = part_take(&in, h ? h->nfields : 0, sizeof *fields);
	const struct print_part *prints = part_take(&in, h ? h->nprints : 0, sizeof *prints);
	const struct asked_part *asked = part_take(&in, h ? h->nasked : 0, sizeof *asked);
	part_must(r, !in.bad && in.at == in.end && h->section < RAW_SECTIONS && h->acts <= 1);
	if (r->bad)
		return NULL;
	struct raw *raw = arena_alloc(r->arena, sizeof *raw);
	*raw = (struct raw){.section = (enum raw_section)h->section, .section_name = part_some_text(&in, h->name),
	                    .license = part_some_text(&in, h->license), .function = part_some_text(&in, h->function), .acts = h->acts,
	                    .at = part_place(&in, h->file, h->line, 0)};
	part_must(&in, is_plain(raw->section_name, 127, "_./"));
	get_maps(&in, h, maps, fields, raw);
	get_prints(&in, prints, h->nprints, raw);
	get_asked(&in, asked, h->nasked, raw);
	part_must(r, !in.bad);
	return raw;
}
