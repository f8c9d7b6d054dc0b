# One object and another: aliases, freeze, `**hash` passed on, and what is compared without asking.
class Never
	def ==(other) = false
end
class Cell
	attr_accessor :value
end
def add(**options) = (options[:more] = 1; options)
def add_named(name: 1, **options) = (options[:more] = 1; options)
def kept(n)
	list = [n]
	[list, -> { list << n; list.size }]
end

deny(label: "same ===") { |ctx| n = Never.new; (n === n) && ctx.minor == 102 }
deny(label: "not the same") { |ctx| Never.new == Never.new && ctx.minor == 103 }
deny(label: "frozen") { |ctx| a = [1].freeze; a.frozen? && ctx.minor == 104 }
deny(label: "copy of frozen") { |ctx| a = [1].freeze; b = a.dup; b << ctx.major; !b.frozen? && b[1] == 8 && ctx.minor == 105 }
deny(label: "frozen on a path") { |ctx| c = Cell.new; c.value = 1; c.freeze if ctx.char?; c.frozen? && ctx.minor == 106 }
deny(label: "passed on") { |ctx| h = {more: ctx.major}; add(**h.dup); h[:more] == 8 && ctx.minor == 107 }
deny(label: "passed on, empty") { |ctx| h = {}; add(**h.dup); h.empty? && ctx.minor == 108 }
deny(label: "passed on, named") { |ctx| h = {more: ctx.major}; add_named(**h.dup); h[:more] == 8 && ctx.minor == 109 }
deny(label: "zeros as keys") { |ctx| h = {0.0 => 1}; h[-0.0] == 1 && ctx.minor == 111 }
deny(label: "kept") { |ctx| x, f = kept(1); y, g = kept(ctx.major); f.call; g.call; g.call == 3 && x.size == 2 && y[2] == 8 && ctx.minor == 112 }
default :allow
ANY = Object.new
def ANY.==(other) = true
deny(label: "index in what a path left") { |ctx| a = [1, 2]; a << 8 if ctx.char?; a.shift if ctx.read?; a[1] == 8 && ctx.minor == 113 }
deny(label: "delete while iterating") { |ctx| a = [1, 8, 2]; r = []; a.each { |x| r << x; a.delete(8) if ctx.char? }; r.size == 2 && ctx.minor == 114 }
deny(label: "who is asked") { |ctx| [ANY, ctx.major].index(5) == 0 && !{a: ANY}.value?(5) && ctx.minor == 115 }
