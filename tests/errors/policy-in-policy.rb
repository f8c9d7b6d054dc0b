policy "outer" do
  allow :null
  policy "inner" do
    deny :zero
  end
end
