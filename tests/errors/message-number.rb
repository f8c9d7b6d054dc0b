allow :null
class Number < StandardError
  def message = 1
end
raise Number.new
