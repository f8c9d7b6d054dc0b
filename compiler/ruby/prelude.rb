# Methods of mruby's library that are not Ruby's, written anew: see prelude.c.
# mruby has no Object#<=>, and nil is asked for its order when a table has no entry
module Kernel
  def <=>(other) = self == other ? 0 : nil
end
# identity (equal?) is asked by newer mrubies
module Comparable
  def ==(other)
    order = self <=> other
    order == 0
  end
# newer mrubies take a range, and are wrong about one that is open
  def clamp(min, max)
    raise ArgumentError, 'min argument must be smaller than max argument' if (min <=> max) > 0
    c = self <=> min
    if c == 0
      return self
    elsif c < 0
      return min
    end
    c = self <=> max
    if c > 0
      return max
    else
      return self
    end
  end
end
# mruby ignores the argument of these, and Integer#div rounds towards zero
class Integer
  def floor(digits = 0)
    return self if digits >= 0
    unit = 10 ** -digits
    self / unit * unit
  end
  def ceil(digits = 0)
    return self if digits >= 0
    unit = 10 ** -digits
    -(-self / unit * unit)
  end
  def truncate(digits = 0)
    return self if digits >= 0
    self < 0 ? ceil(digits) : floor(digits)
  end
  def round(digits = 0)
    return self if digits >= 0
    unit = 10 ** -digits
    self < 0 ? -((unit / 2 - self) / unit * unit) : (unit / 2 + self) / unit * unit
  end
  def div(other) = other.is_a?(Float) ? (self / other).floor : self / other
  def infinite? = nil
end
class Range
  def frozen? = true
  alias __each each
  def each(&block)
    return to_enum(:each) unless block
    __each(&block)
    self
  end
end
# `size` and `succ` refuse what is not ASCII: differences.c
class String
  alias __each_char each_char
  alias __upto upto
  alias __sub sub
  alias __gsub gsub
  alias __change_sub sub!
  alias __change_gsub gsub!
# newer mrubies take several
  def prepend(other)
    self[0, 0] = other
    self
  end
  def each_char(&block)
    size
    __each_char(&block)
  end
  def upto(last, exclusive = false, &block)
    succ
    __upto(last, exclusive, &block)
  end
  def sub(*args, &block)
    size
    __sub(*args, &block)
  end
  def gsub(*args, &block)
    size
    __gsub(*args, &block)
  end
  def sub!(*args, &block)
    size
    __change_sub(*args, &block)
  end
  def gsub!(*args, &block)
    size
    __change_gsub(*args, &block)
  end
end
class Array
# what is gone is given back, not what was asked for
  def delete(key, &block)
    gone = nil
    none = true
    while i = index(key)
      gone = self[i]
      delete_at(i)
      none = false
    end
    none && block ? block.call(key) : gone
  end
# mruby says [...] of an array that stands in two places
  def inspect = '[' + map { |x| x.inspect }.join(', ') + ']'
  def to_s = inspect
end
class Hash
  def inspect
    pairs = []
    each { |k, v| pairs << k.inspect + '=>' + v.inspect }
    '{' + pairs.join(', ') + '}'
  end
  def to_s = inspect
# mruby 3.1 takes one hash, newer ones do it in C
  def merge(*others, &block) = dup.merge!(*others, &block)
  def merge!(*others, &block)
    others.each do |other|
      raise TypeError, "Hash required (#{other.class} given)" unless Hash === other
      other.each_key { |k| self[k] = block && key?(k) ? block.call(k, self[k], other[k]) : other[k] }
    end
    self
  end
  alias update merge!
  def compact
    made = {}
    each_key { |k| made[k] = self[k] unless self[k].nil? }
    made
  end
  def compact!
    kept = compact
    return nil if kept.size == size
    replace(kept)
  end
  def to_h(&block)
    return self unless block
    made = {}
    each do |k, v|
      pair = block.call(k, v)
      raise TypeError, 'wrong element type (expected array)' unless pair.is_a?(Array)
      raise ArgumentError, 'element has wrong array length' if pair.size != 2
      made[pair[0]] = pair[1]
    end
    made
  end
# a block with one parameter is given the key; mruby gives it the pair
  def select(&block)
    return to_enum(:select) unless block
    made = {}
    each { |k, v| made[k] = v if block.call(k, v) }
    made
  end
  def reject(&block)
    return to_enum(:reject) unless block
    made = {}
    each { |k, v| made[k] = v unless block.call(k, v) }
    made
  end
  def select!(&block)
    return to_enum(:select!) unless block
    gone = []
    each { |k, v| gone << k unless block.call(k, v) }
    gone.each { |k| delete(k) }
    gone.empty? ? nil : self
  end
  def reject!(&block)
    return to_enum(:reject!) unless block
    gone = []
    each { |k, v| gone << k if block.call(k, v) }
    gone.each { |k| delete(k) }
    gone.empty? ? nil : self
  end
  def keep_if(&block)
    return to_enum(:keep_if) unless block
    select!(&block)
    self
  end
  def delete_if(&block)
    return to_enum(:delete_if) unless block
    reject!(&block)
    self
  end
# the value is asked, as in an Array
  def value?(other) = values.any? { |v| v == other }
  alias has_value? value?
  alias filter select
  alias filter! select!
end
class Struct
  include Enumerable
  def hash = to_a.hash
end
module Enumerable
  def each_slice(n, &block)
    raise ArgumentError, 'invalid slice size' if n <= 0
    return to_enum(:each_slice, n) unless block
    held = []
    each do |*v|
      held << v.__svalue
      if held.size == n
        block.call(held)
        held = []
      end
    end
    block.call(held) unless held.empty?
    self
  end
  def each_cons(n, &block)
    raise ArgumentError, 'invalid size' if n <= 0
    return to_enum(:each_cons, n) unless block
    held = []
    each do |*v|
      held.shift if held.size == n
      held << v.__svalue
      block.call(held.dup) if held.size == n
    end
    self
  end
# what is given two values at a time hands a block with one parameter both
  def find_all(&block)
    return to_enum(:find_all) unless block
    made = []
    each do |*v|
      x = v.__svalue
      made << x if block.call(x)
    end
    made
  end
  def reject(&block)
    return to_enum(:reject) unless block
    made = []
    each do |*v|
      x = v.__svalue
      made << x unless block.call(x)
    end
    made
  end
  def find(none = nil, &block)
    return to_enum(:find, none) unless block
    each do |*v|
      x = v.__svalue
      return x if block.call(x)
    end
    none && none.call
  end
  def partition(&block)
    return to_enum(:partition) unless block
    yes = []
    no = []
    each do |*v|
      x = v.__svalue
      (block.call(x) ? yes : no) << x
    end
    [yes, no]
  end
  def group_by(&block)
    return to_enum(:group_by) unless block
    made = {}
    each do |*v|
      x = v.__svalue
      (made[block.call(x)] ||= []) << x
    end
    made
  end
  def filter_map(&block)
    return to_enum(:filter_map) unless block
    made = []
    each do |*v|
      x = block.call(*v)
      made << x if x
    end
    made
  end
  def select(&block) = block ? find_all(&block) : to_enum(:select)
  alias filter select
  alias detect find
end
class Enumerator
  def drop_while(&block) = block ? to_a.drop_while(&block) : to_enum(:drop_while)
  def tally = to_a.tally
  def uniq(&block)
    return to_a.uniq unless block
    made = {}
    each do |*v|
      key = block.call(*v)
      made[key] = v.__svalue unless made.key?(key)
    end
    made.values
  end
  def to_h(&block)
    return to_a.to_h unless block
    pairs = []
    each { |*v| pairs << block.call(*v) }
    pairs.to_h
  end
end
