; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 != 2 goto L75
    2: r2 = *(u16 *)(r1 +2)
    3: if r2 > 3 goto L11
    4: if r2 > 1 goto L8
    5: if r2 <= 0 goto L18
; 14: default :deny
    6: r0 = 0
    7: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L8:
    8: if r2 <= 2 goto L18
; 14: default :deny
    9: r0 = 0
   10: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L11:
   11: if r2 > 5 goto L15
   12: if r2 <= 4 goto L18
; 14: default :deny
   13: r0 = 0
   14: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L15:
   15: if r2 <= 6 goto L18
; 14: default :deny
   16: r0 = 0
   17: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L18:
   18: r2 = *(u32 *)(r1 +4)
   19: if r2 > 136 goto L49
   20: if r2 > 4 goto L35
   21: if r2 != 1 goto L75
   22: r2 = *(u32 *)(r1 +8)
   23: if r2 > 5 goto L31
   24: if r2 > 3 goto L28
   25: if r2 <= 2 goto L75
   26: r0 = 1
   27: exit
L28:
   28: if r2 <= 4 goto L75
   29: r0 = 1
   30: exit
L31:
   31: if r2 > 9 goto L75
   32: if r2 <= 6 goto L75
   33: r0 = 1
   34: exit
L35:
   35: if r2 > 135 goto L45
   36: if r2 > 5 goto L75
; 21: allow :tty, :ptmx, :pts, access: "rw", label: "terminals"
   37: r2 = *(u32 *)(r1 +8)
   38: if r2 > 1 goto L42
   39: if r2 > 0 goto L75
   40: r0 = 1
   41: exit
L42:
   42: if r2 > 2 goto L75
   43: r0 = 1
   44: exit
L45:
   45: r2 = *(u32 *)(r1 +8)
   46: if r2 > 1048575 goto L75
   47: r0 = 1
   48: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L49:
   49: if r2 > 225 goto L64
   50: if r2 != 195 goto L75
; 23: allow "c 195:0-15 rw", label: "the card" do |ctx|
   51: r2 = *(u32 *)(r1 +8)
   52: if r2 > 254 goto L61
   53: if r2 > 15 goto L75
   54: r2 = *(u32 *)(r1 +8)
   55: r3 = &param[0]
   57: r3 = *(u64 *)(r3 +0)
   58: if r2 != r3 goto L75
   59: r0 = 1
   60: exit
L61:
   61: if r2 > 255 goto L75
; 26: allow :nvidiactl, access: "rw", label: "the driver's control node"
   62: r0 = 1
   63: exit
; 20: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L64:
   64: if r2 > 226 goto L75
; 29: allow "c 226:128-191 rw", label: "the render node" do |ctx|
   65: r2 = *(u32 *)(r1 +8)
   66: if r2 > 191 goto L75
   67: if r2 <= 127 goto L75
   68: r2 = *(u32 *)(r1 +8)
   69: r3 = &param[1]
   71: r3 = *(u64 *)(r3 +0)
   72: if r2 != r3 goto L75
   73: r0 = 1
   74: exit
; 14: default :deny
L75:
   75: r0 = 0
   76: exit
