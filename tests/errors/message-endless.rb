allow :null
class Deep < StandardError
  def message = message
end
raise Deep.new
