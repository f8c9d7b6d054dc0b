# Objects made in the block, class variables, and the library's Enumerator.
class Device
	attr_reader :major, :minor
	attr_accessor :note
	@@highest = 200
	def initialize(major, minor: 0) = (@major, @minor = major, minor)
	def near?(other) = other.major == major && (other.minor - minor).abs <= 2
	def flip!
		@minor = -@minor if @minor > 3
		self
	end
	def low? = @major < @@highest
end
class Eq
	def initialize(x) = @x = x
	def ==(o) = o.x == @x
	def x = @x
end

deny(label: "reader") { |ctx| Device.new(ctx.major).major == 8 && ctx.minor == 100 }
deny(label: "method") { |ctx| Device.new(10, minor: 200).near?(ctx) }
deny(label: "write") { |ctx| d = Device.new(ctx.major, minor: ctx.minor); d.flip!; d.minor == -9 }
deny(label: "accessor") { |ctx| d = Device.new(1); d.note = ctx.minor; d.note == 101 && d.low? }
deny(label: "unset") { |ctx| Device.new(1).note.nil? && ctx.minor == 102 }
deny(label: "branch") { |ctx| d = Device.new(ctx.char? ? 1 : 2); d.note = 7 if ctx.read?; d.note == 7 && d.major == 1 && ctx.minor == 103 }
deny(label: "class variable") { |ctx| Device.new(ctx.major).low? && ctx.minor == 104 }
deny(label: "equality") { |ctx| Eq.new(ctx.major) == Eq.new(12) && ctx.minor == 105 }
deny(label: "identity") { |ctx| d = Device.new(1); d == d && d != Device.new(1) && ctx.minor == 106 }
deny(label: "each_with_index") { |ctx| [1, 8].each_with_index.any? { |a, i| a == ctx.major && i + 107 == ctx.minor } }
deny(label: "times") { |ctx| 3.times.any? { |i| i + 110 == ctx.minor } }
deny(label: "map.with_index") { |ctx| [5, 6].map.with_index { |x, i| x * i }.include?(ctx.minor - 114) }
deny(label: "each_slice") { |ctx| [1, 2, 3, 4].each_slice(2).any? { |a, b| a == ctx.major && b == ctx.minor - 120 } }
deny(label: "zip") { |ctx| [1, 8].zip([3, 5]).include?([ctx.major, ctx.minor - 130]) }
deny(label: "sort") { |ctx| [3, 1, 2].sort == [1, 2, ctx.major] && ctx.minor == 140 }
deny(label: "send") { |ctx| m = ctx.read? ? :char? : :block?; ctx.send(m) && ctx.minor == 141 }
deny(label: "raise") { |ctx| raise ArgumentError.new("no #{ctx.major}") if ctx.minor == 142; false }
deny(label: "value") { |ctx| {1 => 143}.value?(ctx.minor) }
deny(label: "compact") { |ctx| [nil, ctx.major].compact.first == 8 && ctx.minor == 144 }
deny(label: "class") { |ctx| Device.new(1).is_a?(Device) && Device.new(2).class == Device && ctx.minor == 145 }
deny(label: "kept lambda") { |ctx| d = Device.new(1); d.note = ->(x) { x + d.major }; d.note.call(ctx.major) == 7 && ctx.minor == 146 }
default :allow
