# Made by rucy-devguard import systemd from systemd-auto.service: 0 entries.
# DevicePolicy=auto without DeviceAllow= denies nothing.
policy "systemd-auto"
default :allow
