# What handlers have beside a policy's library: maps of the kernel, and sums. See user_maps.c.
module Enumerable
  def sum(init = 0, &block)
    each do |*v|
      x = v.__svalue
      init = init + (block ? block.call(x) : x)
    end
    init
  end
end
# table, percpu, array and histogram: to_h reads the map, each method once. `[]`, `key?`, `delete`, `clear` are in C
class KernelMap
  include Enumerable
  %i[< <= > >= compact dig empty? except fetch_values filter flatten has_value? invert key keys length merge reject select
     size slice transform_keys transform_values value? values values_at].each do |name|
    define_method(name) { |*args, &block| to_h.__send__(name, *args, &block) }
  end
  def each(&block)
    return to_enum(:each) unless block
    to_h.each(&block)
    self
  end
  def each_pair(&block) = block ? each(&block) : to_enum(:each_pair)
  def each_key(&block)
    return to_enum(:each_key) unless block
    to_h.each_key(&block)
    self
  end
  def each_value(&block)
    return to_enum(:each_value) unless block
    to_h.each_value(&block)
    self
  end
# no value is nil
  def fetch(key, *other, &block)
    found = self[key]
    found.nil? ? {}.fetch(key, *other, &block) : found
  end
  def ==(other)
    return equal?(other) || to_h == other.to_h if other.respond_to?(:__read)
    Hash === other && to_h == other
  end
  def to_h(&block) = block ? __read.to_h(&block) : __read
  def inspect = to_h.inspect
  def to_s = inspect
  alias has_key? key?
  alias include? key?
  alias member? key?
end
class KernelTable < KernelMap
  alias store []=
end
class KernelPercpu < KernelMap
  def each_cpu(&block)
    return to_enum(:each_cpu) unless block
    __read_cpus.each(&block)
    self
  end
end
class KernelArray < KernelMap
  def print_linear(label = 'value') = __print_linear(label.to_s)
  alias print_linear_hist print_linear
end
class KernelHistogram < KernelMap
  def total = values.sum
  def print(label = 'value', strip_leading_zero: false) = __print(label.to_s, strip_leading_zero)
  alias print_log2_hist print
end
class KernelRing
  def inspect = "#<#{__name}>"
  def to_s = inspect
end
# what a ring's handler is given: a method for each field
class KernelRecord
  def inspect
    fields = to_h.map { |name, value| " #{name}=#{value.inspect}" }
    "#<#{__name}#{fields.join(',')}>"
  end
  def to_s = inspect
  def ==(other) = other.class == self.class && other.to_h == to_h
end
