# Made by rucy-devguard import systemd from systemd-auto.service: 0 entries.
# EVERY DEVICE IS ALLOWED: DevicePolicy=auto without DeviceAllow= denies nothing.
policy "systemd-auto"
default :allow
