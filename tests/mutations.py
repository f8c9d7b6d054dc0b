"""mutations.py - the one-line changes that tests/mutants makes to a C file: each a small fault as
a person makes it. A change is (file, line, where it starts, old text, new text)."""
import re
from collections import namedtuple

Mutation = namedtuple("Mutation", "file line start old new")

# What is no code, as blanks of the same length.
NO_CODE = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)
DIRECTIVE = re.compile(r"^[ \t]*\#(?:[^\n\\]|\\.)*(?:\\\n(?:[^\n\\]|\\.)*)*", re.M)


def only_code(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    return DIRECTIVE.sub(blank, NO_CODE.sub(blank, text))


EXCHANGED = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "&": "|", "|": "&", "<<": ">>", ">>": "<<", "+=": "-=", "-=": "+=",
    "|=": "&=", "&=": "|=",
}
# The code is formatted: an operator between two operands has blanks around it.
OPERATOR = re.compile(r"(?<=[\w)\]] )(<<|>>|[<>=!]=|&&|\|\||[-+|&]=|[-+<>&|])(?= \S)")
STEP = re.compile(r"\+\+|--")
NUMBER = re.compile(r"(?<!return -)(?<![\w.\[])(0|[1-9]\d*)(?![\w.]|\s*\])") # not how large an array is
RETURN = re.compile(r"\breturn (-1|0|1|true|false|NULL);")
RETURNED = {"-1": "0", "0": "-1", "1": "0", "true": "false", "false": "true", "NULL": None}
NOT = re.compile(r"(?<=[(\s])!(?=[\w(])")
CONDITION = re.compile(r"\b(?:if|while) \(")
STATEMENT = re.compile(
    r"^\t+((?:break|continue|(?!return\b|goto\b|else\b|do\b|case\b|default\b)[A-Za-z_*(][^;{}\n]*"
    r"(?:\([^;{}\n]*\)|=[^;{}\n]*|\+\+|--));)[ \t]*$", re.M)
DECLARED = re.compile(r"^(?:const |struct |enum |static |unsigned |size_t |u?int\w* |char |bool |[a-z_]\w* \*?\w+(?: =|;|,|\[))")


def closing(code, opening):
    depth = 0
    for i in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if not depth:
            return i
    return -1


def statements(code):
    """A statement alone on its line, whose line before ends a statement or opens a block or a condition."""
    for match in STATEMENT.finditer(code):
        before = code[:match.start()].rstrip()
        if before[-1:] in tuple(";{})") and not DECLARED.match(match.group(1)) and \
                match.group(1).count("(") == match.group(1).count(")"):
            yield match.start(1), match.group(1), ";"


def conditions(code):
    """The condition of an if or while that ends on its line."""
    for match in CONDITION.finditer(code):
        first, last = match.end() - 1, closing(code, match.end() - 1)
        if last > 0 and "\n" not in code[first:last]:
            yield first, code[first:last + 1], "(!" + code[first:last + 1] + ")"


def changes(code):
    for match in OPERATOR.finditer(code):
        yield match.start(), match.group(), EXCHANGED[match.group()]
    for match in STEP.finditer(code):
        yield match.start(), match.group(), "--" if match.group() == "++" else "++"
    for match in NUMBER.finditer(code):
        n = int(match.group())
        yield match.start(), match.group(), str(n + 1)
        if n:
            yield match.start(), match.group(), str(n - 1)
    for match in RETURN.finditer(code):
        if RETURNED[match.group(1)] is not None:
            yield match.start(1), match.group(1), RETURNED[match.group(1)]
    for match in NOT.finditer(code):
        yield match.start(), "!", ""
    yield from conditions(code)
    yield from statements(code)


def mutations_of(file, text):
    code = only_code(text)
    for start, old, new in changes(code):
        old = text[start:start + len(old)]  # the strings in it, which are blanks in the code
        if new.startswith("(!"):
            new = "(!" + old + ")"
        yield Mutation(file, text.count("\n", 0, start) + 1, start, old, new)


def mutated(text, mutation):
    return text[:mutation.start] + mutation.new + text[mutation.start + len(mutation.old):]


def shown(text, mutation):
    """The line before and after."""
    def line(of):
        begin = of.rfind("\n", 0, mutation.start) + 1
        return " ".join(of[begin:of.find("\n", mutation.start)].split())

    return line(text), line(mutated(text, mutation))
