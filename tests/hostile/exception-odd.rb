allow :null
class Odd < StandardError
  def initialize(*) = nil
  def backtrace = 1
  def exception(*) = self
end
e = Odd.new
e.set_backtrace(["exception-odd.rb:99999999999999999999: x"])
e.instance_variable_set(:@mesg, e)
raise e
