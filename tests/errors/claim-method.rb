default :allow
def disks(major)
  never "b #{major}:*", label: "no disk #{major}"
end
policy "methods" do
  disks 8
end
