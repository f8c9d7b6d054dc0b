; 9: allow "a *:* m", label: "make any node"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 > 1 goto L7
    2: if r2 <= 0 goto L44
    3: r2 = *(u16 *)(r1 +2)
    4: if r2 <= 1 goto L36
; 7: default :deny
    5: r0 = 0
    6: exit
; 9: allow "a *:* m", label: "make any node"
L7:
    7: if r2 > 2 goto L44
    8: r2 = *(u16 *)(r1 +2)
    9: if r2 > 7 goto L44
   10: if r2 <= 1 goto L36
   11: r2 = *(u32 *)(r1 +4)
   12: if r2 > 5 goto L33
   13: if r2 > 1 goto L28
   14: if r2 <= 0 goto L44
   15: r2 = *(u32 *)(r1 +8)
   16: if r2 > 5 goto L24
   17: if r2 > 3 goto L21
   18: if r2 <= 2 goto L44
   19: r0 = 1
   20: exit
L21:
   21: if r2 <= 4 goto L44
   22: r0 = 1
   23: exit
L24:
   24: if r2 > 9 goto L44
   25: if r2 <= 6 goto L44
   26: r0 = 1
   27: exit
L28:
   28: if r2 <= 4 goto L44
   29: r2 = *(u32 *)(r1 +8)
   30: if r2 > 2 goto L44
   31: r0 = 1
   32: exit
L33:
   33: if r2 == 136 goto L40
; 7: default :deny
   34: r0 = 0
   35: exit
; 9: allow "a *:* m", label: "make any node"
L36:
   36: r2 = *(u32 *)(r1 +4)
   37: if r2 <= 4095 goto L40
; 7: default :deny
   38: r0 = 0
   39: exit
; 9: allow "a *:* m", label: "make any node"
L40:
   40: r2 = *(u32 *)(r1 +8)
   41: if r2 > 1048575 goto L44
   42: r0 = 1
   43: exit
; 7: default :deny
L44:
   44: r0 = 0
   45: exit
