class DeviceRequest
  alias which major
end
allow { |ctx| ctx.which == 1 }
