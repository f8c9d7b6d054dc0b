# Made by rucy-devguard import lxc from lxc-userns.conf: 1 entry.
policy "lxc-userns"
default :allow # line 4
