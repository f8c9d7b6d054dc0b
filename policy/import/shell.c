/*
 * shell.c - a saved command line as its words: quotes, backslashes, comments and lines that
 * go on. What a shell would expand is kept as it stands, and marked. Linear in the text.
 */
#include "policy/import/engine.h"

#include <string.h>

struct shell {
	struct engine *e;
	const char *at, *end;
	uint32_t line;
	char *word;          /* room for all of the text */
	size_t n;
	bool any, variable;  /* a word has begun */
	struct engine_word *words;
	size_t nwords, cap;
	struct fault fault;
};

static char next(struct shell *s)
{
	char c = *s->at++;
	s->line += c == '\n';
	return c;
}

static void put(struct shell *s, char c)
{
	s->word[s->n++] = c;
	s->any = true;
}

static void end_word(struct shell *s, uint32_t line)
{
	if (s->any)
		*ARENA_PUSH(s->fault.arena, s->words, s->nwords, s->cap) = (struct engine_word){
			arena_strndup(s->fault.arena, s->word, s->n), line, s->variable};
	s->n = 0;
	s->any = s->variable = false;
}

static int unclosed(struct shell *s, char what)
{
	return fault_set(&s->fault, "close it", "a %c is not closed", what);
}

/* From behind the opening one up to its end; $( ) may have others within. */
static int quoted(struct shell *s, char close)
{
	int depth = 1;
	while (s->at < s->end) {
		char c = next(s);
		if (close != '\'' && c == '\\' && s->at < s->end) {
			char escaped = next(s);
			if (escaped != '\n')
				put(s, escaped);
			continue;
		}
		s->variable |= close != '\'' && strchr("$`", c);
		depth += close == ')' && c == '(';
		if (c == close && !--depth)
			return 0;
		put(s, c);
	}
	return unclosed(s, close);
}

static int part(struct shell *s, char c)
{
	s->any = true;
	if (c == '\'' || c == '"')
		return quoted(s, c);
	if (c == '\\') {
		char escaped = s->at < s->end ? next(s) : '\n';
		if (escaped != '\n')
			put(s, escaped);
		return 0;
	}
	put(s, c);
	if (c != '$' && c != '`')
		return 0;
	s->variable = true;
	if (c == '`')
		return quoted(s, '`');
	return s->at < s->end && *s->at == '(' ? (next(s), quoted(s, ')')) : 0;
}

/* The words up to the end of one command; -1 with an error. */
static int one_command(struct shell *s)
{
	uint32_t line = s->line;
	s->nwords = 0;
	while (s->at < s->end) {
		if (!s->any)
			line = s->line;
		bool continues = s->end - s->at > 1 && s->at[0] == '\\' && s->at[1] == '\n';
		char c = next(s);
		if (continues) {
			next(s);
			continue;
		}
		if (c == '#' && !s->any) {
			while (s->at < s->end && *s->at != '\n')
				s->at++;
			continue;
		}
		if (strchr("\n;&|", c)) {
			end_word(s, line);
			if (s->nwords)
				return 0;
		} else if (strchr(" \t\r", c)) {
			end_word(s, line);
		} else if (part(s, c)) {
			return -1;
		}
	}
	end_word(s, line);
	return 0;
}

int shell_command(struct engine *e, const char *text, size_t len, struct engine_word **words, size_t *n)
{
	struct shell s = {.e = e, .at = text, .end = text + len, .line = 1, .word = arena_alloc(e->d->arena, len + 1),
	                  .fault = {.arena = e->d->arena}};
	*n = 0;
	while (s.at < s.end && !s.fault.error) {
		size_t skip = 0;
		struct engine_word here = {"", s.line, false};
		if (one_command(&s)) {
			engine_fail(e, &here, &s.fault);
			return -1;
		}
		while (skip < s.nwords && (!strcmp(s.words[skip].text, "sudo") || !strcmp(s.words[skip].text, "exec")))
			skip++;
		if (!engine_starts(s.words + skip, s.nwords - skip))
			continue;
		if (*n) {
			fault_set(&s.fault, "leave one of them", "a second command begins: the first is in line %u", (*words)->place);
			return engine_fail(e, &s.words[skip], &s.fault);
		}
		*words = s.words + skip, *n = s.nwords - skip;
		s.words = NULL, s.nwords = s.cap = 0;
	}
	if (*n)
		return 0;
	fault_set(&s.fault, "give a file with a command like docker run --device /dev/fuse IMAGE",
	          "there is no docker run, podman run or nerdctl run");
	return foreign_fail(e->d, (struct span){.file = e->file}, NULL, &s.fault);
}
