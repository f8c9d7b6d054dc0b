allow :null
[Proc, Range, Exception, String, Array, Hash, Class, Module, Enumerator, Integer, Float, Symbol].each do |c|
  begin
    c.allocate.call
  rescue Exception
  end
end
