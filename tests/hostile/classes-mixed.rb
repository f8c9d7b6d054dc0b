allow :null
class String
  def ==(other) = other.missing(self)
  def hash = nil
end
class Array
  def to_s = self
  def each = self
end
class Symbol
  def to_proc = nil
end
{"a" => 1}.key?("b").missing
