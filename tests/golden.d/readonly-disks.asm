; 9: deny "b *:* w", label: "disks are read only"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 > 1 goto L7
    2: if r2 <= 0 goto L27
    3: r2 = *(u16 *)(r1 +2)
    4: if r2 <= 3 goto L19
    5: r0 = 0
    6: exit
L7:
    7: if r2 > 2 goto L27
; 10: deny :sg, access: "rw", label: "no SCSI commands past it"
    8: r2 = *(u16 *)(r1 +2)
    9: if r2 > 7 goto L27
   10: if r2 <= 1 goto L19
   11: r2 = *(u32 *)(r1 +4)
   12: if r2 > 21 goto L16
   13: if r2 <= 20 goto L23
   14: r0 = 0
   15: exit
L16:
   16: if r2 <= 4095 goto L23
; 7: default :allow
   17: r0 = 0
   18: exit
L19:
   19: r2 = *(u32 *)(r1 +4)
   20: if r2 <= 4095 goto L23
   21: r0 = 0
   22: exit
L23:
   23: r2 = *(u32 *)(r1 +8)
   24: if r2 > 1048575 goto L27
   25: r0 = 1
   26: exit
L27:
   27: r0 = 0
   28: exit
