class DeviceRequest
  alias q major
end
allow { |c| c.q == 1 }
