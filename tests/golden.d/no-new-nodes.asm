; 6: deny "a *:* m", label: "no new nodes"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 > 2 goto L25
    2: if r2 <= 0 goto L25
    3: r2 = *(u16 *)(r1 +2)
    4: if r2 > 3 goto L12
    5: if r2 > 1 goto L9
    6: if r2 <= 0 goto L19
    7: r0 = 0
    8: exit
L9:
    9: if r2 <= 2 goto L19
   10: r0 = 0
   11: exit
L12:
   12: if r2 > 5 goto L16
   13: if r2 <= 4 goto L19
   14: r0 = 0
   15: exit
L16:
   16: if r2 <= 6 goto L19
   17: r0 = 0
   18: exit
; 4: default :allow
L19:
   19: r2 = *(u32 *)(r1 +4)
   20: if r2 > 4095 goto L25
   21: r2 = *(u32 *)(r1 +8)
   22: if r2 > 1048575 goto L25
   23: r0 = 1
   24: exit
L25:
   25: r0 = 0
   26: exit
