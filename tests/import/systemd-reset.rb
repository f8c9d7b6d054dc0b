# Made by rucy-devguard import systemd from systemd-reset.service: 0 entries.
# EVERY DEVICE IS ALLOWED: DevicePolicy=auto without DeviceAllow= denies nothing.
policy "systemd-reset"
default :allow
