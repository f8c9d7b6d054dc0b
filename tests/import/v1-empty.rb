# Made by rucy-devguard import v1 from v1-empty.list: 0 entries.
policy "v1-empty"
default :deny
