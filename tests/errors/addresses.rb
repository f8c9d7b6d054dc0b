allow :null
class Thing
  def initialize = @a = 1
end
seen = [Thing.new, Class.new, Module.new, Class.new.new, proc { }, -> { }, [].each, Thing.new.singleton_class, Fiber.new { }, Struct.new(:a)]
seen << seen.dup << {Thing.new => Thing.new}
raise seen.map { |x| x.inspect }.join(" ") + " " + seen.first.to_s
