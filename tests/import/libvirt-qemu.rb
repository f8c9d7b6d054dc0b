# Made by rucy-devguard import libvirt from libvirt-qemu.conf: 3 entries.
# What a machine's definition adds is not in the policy: its disks, host devices, TPM and sound.
# libvirt filters nothing here: cgroup_controllers does not name devices.
policy "libvirt-qemu"
default :deny

# Left out: these lines grant nothing here. Without the # a rule is for the next compile that finds its device.
# allow "/dev/no-such-device-at-all rw", missing: :skip # line 11: no such file: "/dev/no-such-device-at-all"

allow "c 1:3,7 rw" # line 9, /dev/null here and line 9, /dev/full here
allow "c 10:229 rw" # line 10, /dev/fuse here

# What libvirt allows every machine beside the list (not with --exact): its terminals.
allow "c 136:* rw", label: "every machine has it"
