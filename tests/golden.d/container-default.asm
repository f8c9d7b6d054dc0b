; 11: allow "a *:* m", label: "make any node"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 > 1 goto L7
    2: if r2 <= 0 goto L50
    3: r2 = *(u16 *)(r1 +2)
    4: if r2 <= 1 goto L42
; 9: default :deny
    5: r0 = 0
    6: exit
; 11: allow "a *:* m", label: "make any node"
L7:
    7: if r2 > 2 goto L50
    8: r2 = *(u16 *)(r1 +2)
    9: if r2 > 7 goto L50
   10: if r2 <= 1 goto L42
; 13: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
   11: r2 = *(u32 *)(r1 +4)
   12: if r2 > 9 goto L33
   13: if r2 > 4 goto L28
   14: if r2 != 1 goto L50
   15: r2 = *(u32 *)(r1 +8)
   16: if r2 > 5 goto L24
   17: if r2 > 3 goto L21
   18: if r2 <= 2 goto L50
   19: r0 = 1
   20: exit
L21:
   21: if r2 <= 4 goto L50
   22: r0 = 1
   23: exit
L24:
   24: if r2 > 9 goto L50
   25: if r2 <= 6 goto L50
   26: r0 = 1
   27: exit
L28:
   28: if r2 > 5 goto L50
; 14: allow :tty, :console, :ptmx, :pts, access: "rw", label: "terminals"
   29: r2 = *(u32 *)(r1 +8)
   30: if r2 > 2 goto L50
   31: r0 = 1
   32: exit
; 13: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L33:
   33: if r2 > 135 goto L39
   34: if r2 > 10 goto L50
; 15: allow :net_tun, access: "rw", label: "tun and tap"
   35: r2 = *(u32 *)(r1 +8)
   36: if r2 != 200 goto L50
   37: r0 = 1
   38: exit
; 13: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L39:
   39: if r2 <= 136 goto L46
; 9: default :deny
   40: r0 = 0
   41: exit
; 11: allow "a *:* m", label: "make any node"
L42:
   42: r2 = *(u32 *)(r1 +4)
   43: if r2 <= 4095 goto L46
; 9: default :deny
   44: r0 = 0
   45: exit
; 11: allow "a *:* m", label: "make any node"
L46:
   46: r2 = *(u32 *)(r1 +8)
   47: if r2 > 1048575 goto L50
   48: r0 = 1
   49: exit
; 9: default :deny
L50:
   50: r0 = 0
   51: exit
