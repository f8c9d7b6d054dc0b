allow :null
DeviceRequest.new.major
