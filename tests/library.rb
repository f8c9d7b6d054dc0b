# Every method of a class of the library (the one of the number `class`) and of the class itself, called
# with odd values, odd blocks and half-made receivers. What raises is rescued. Run by library.c.
CLASS = param :class, 0
FROM = param :from, 0
CALLS = param :calls, 60
$state = param :seed, 1 # globals: one of the receivers is self, which can be frozen
$blocks = 0

def chance(n)
  $state = ($state * 1103515245 + 12345) & 0x7fffffff
  ($state >> 8) % n
end

def classes
  seen = {}
  todo = [Object]
  while (c = todo.shift)
    next if seen[c]
    seen[c] = true
    next if c == Module || c == Class
    c.every_constant.sort_by { |x| x.to_s }.each { |x| todo << c.const_get(x) if c.const_get(x).is_a?(Module) }
  end
  seen.keys
end

Member = Struct.new(:a, :b)
class Odd
  def to_s = 1
  def inspect = nil
  def ==(other) = raise("odd")
  def hash = "odd"
  def <=>(other) = nil
  def to_ary = self
  def to_str = self
  def to_proc = self
  def coerce(other) = [self, self]
  def call(*) = self
  def each
    yield 1
    yield self
  end
end
LOOP = []
LOOP << LOOP
RING = {}
RING[RING] = RING
def half(c) = Class.new(c) { def initialize(*) = nil }

ODD = [
  -> { nil }, -> { true }, -> { 0 }, -> { -1 }, -> { 3 }, -> { 2**62 }, -> { -(2**62) }, -> { 70_000 }, -> { "" }, -> { "a" * 100 },
  -> { "\xff\x00" }, -> { "%d%s%*d" }, -> { :sym }, -> { :each }, -> { [] }, -> { [1, 2, 3] }, -> { [[1, 2], [3, 4]] }, -> { LOOP }, -> { {} },
  -> { { a: 1, 2 => "x" } }, -> { RING }, -> { proc { |x| x } }, -> { ->(x) { x } }, -> { :to_s.to_proc }, -> { Object }, -> { Class }, -> { String }, -> { Kernel },
  -> { Object.new }, -> { Odd.new }, -> { 1..3 }, -> { 1.. }, -> { "a".."c" }, -> { 0.0 / 0 }, -> { 1.0 / 0 }, -> { 1.5 }, -> { Member.new(1, 2) },
  -> { StandardError.new("x") }, -> { [1, 2].each }, -> { Fiber.new { |x| Fiber.yield x } }, -> { Class.new }, -> { Module.new }, -> { Object.new.singleton_class },
  -> { self }, -> { Enumerator.new { |y| y << 1 } }, -> { half(Proc).new { 1 } }, -> { half(Range).new }, -> { half(Fiber).new }, -> { half(String).new },
  -> { half(Exception).new }, -> { half(Enumerator).new }, -> { half(Member).new }, -> { half(Hash).new }, -> { half(Array).new }
]

def any
  ODD[chance(ODD.size)].call
rescue Exception
  nil
end

# A block is called a hundred times at most, so that every loop ends.
def given(*args)
  raise "enough" if ($blocks += 1) > 100
  case chance(4)
  when 0 then args.first
  when 1 then args.last
  when 2 then any
  end
end

def receivers(c)
  list = ODD.select { |x| x.call.is_a?(c) rescue false }
  list + [-> { c.new }, -> { c.new(any) }, -> { c.new(any, any) }, -> { half(c).new }, -> { Class.new(c).new(any) }]
end

def call(receiver, name)
  $blocks = 0
  value = receiver.call
  args = []
  chance(4).times { args << any }
  result = chance(3) == 0 ? value.__send__(name, *args) : value.__send__(name, *args) { |*a| given(*a) }
  [result, value].each do |x|
    case chance(6)
    when 0 then x.inspect
    when 1 then x.to_s
    when 2 then x.hash
    when 3 then x.dup.inspect
    when 4 then x.call
    else x == value
    end
  end
rescue Exception => e
  e.message rescue nil
end

c = classes[CLASS]
ended c ? 1 : 2
raise "there is no such class" unless c
of = receivers(c)
endless = [:loop, :cycle, :allocate, :object_id, :__id__, :fib, :ended, :calling]
made = [-> { c }, -> { Class.new(c) }]
own = c.every_singleton_method(false) + [:new, :include, :extend, :prepend, :instance_eval, :class_eval, :const_get, :const_set, :inspect, :ancestors,
                                         :superclass, :instance_methods, :initialize, :initialize_copy, :freeze]
todo = (c.every_instance_method(false) - endless).map { |name| [of, name] } + (own - endless).map { |name| [made, name] }
todo.each_with_index do |x, number|
  next if number < FROM
  calling number
  CALLS.times { call(x[0][chance(x[0].size)], x[1]) }
end
ended 0
