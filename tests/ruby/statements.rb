# A policy's block runs; whoever is asked to allow or deny makes the rule; words are Ruby's as variables.
policy "statements" do
  allow = "c 1:3"
  deny "c 1:4", label: allow
  allow allow
  device = "c 1:5"
  allow device, label: device
  device << "0"
  device.replace("c 1:6")
  self.allow "c 1:7"
  send(:allow, "c 1:9")
  [:allow, :deny].each_with_index { |verb, i| __send__(verb, "c 2:#{i}") }
  method_of_rules = -> { allow "c 2:2" }
  method_of_rules.()
  [3, 4].each do |n|
    next if n == 4
    allow "c 2:#{n}"
  end
  begin
    allow "c 2:5"
  ensure
    allow "c 2:6"
  end
end

class Maker
  alias permit allow
  def make = permit("c 3:1")
  def self.make = allow("c 3:2")
end
Maker.new.make
Maker.make
Fiber.new { allow "c 3:3" }.resume
keep = lambda { |n| return n + 1 }
define_singleton_method(:next_to) { |n| return n + 1 }
allow "c 3:#{keep.call(3)}", "c 3:#{next_to(4)}"
condition = proc { |ctx| return ctx.minor == 6 }
allow "c 3:*", &condition
# symbols made of texts, in the file and in a block
PREFIX = "x"
BY_NAME = { :x1 => 1, :"#{PREFIX}3" => 10 }
allow("c 4:*") { |ctx| BY_NAME[:"x#{1 + 2}"] == ctx.minor || (:"#{PREFIX}1" == :x1 && ctx.minor == 11) }
allow("c 4:12") { |ctx| %w[null zero].map { |w| :"k_#{w}" }.include?(:k_zero) && ctx.minor == 12 }
