allow :null
class Long < StandardError
  def message = "long " * 2_000_000
end
raise Long.new
