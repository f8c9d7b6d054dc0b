allow :null
class Large < StandardError
  def message
    s = "x"
    loop { s = s + s }
  end
end
raise Large.new
