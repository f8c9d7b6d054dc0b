# Made by rucy-devguard import v1 from v1-web.list: 6 entries.
policy "v1-web"
default :deny

allow "c 1:3,5 rwm" # line 1 and line 2
allow "b *:* m" # line 3
allow "c 136:* rw" # line 4
allow "b 8:0 rw" # line 5 and line 6
