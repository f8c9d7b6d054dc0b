allow "c *:*"

class Helper
  def make
  end

  def default(
    x
  )
    x
  end
end
