; 8: deny "a *:* m", label: "no new nodes"
    0: r2 = *(u16 *)(r1 +0)
    1: if r2 != 2 goto L106
    2: r2 = *(u16 *)(r1 +2)
    3: if r2 > 3 goto L11
    4: if r2 > 1 goto L8
    5: if r2 <= 0 goto L48
    6: r0 = 0
    7: exit
L8:
    8: if r2 <= 2 goto L48
    9: r0 = 0
   10: exit
L11:
   11: if r2 > 5 goto L15
   12: if r2 <= 4 goto L18
   13: r0 = 0
   14: exit
L15:
   15: if r2 <= 6 goto L18
   16: r0 = 0
   17: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L18:
   18: r2 = *(u32 *)(r1 +4)
   19: if r2 > 9 goto L27
   20: if r2 > 4 goto L24
   21: if r2 == 1 goto L91
; 5: default :deny
   22: r0 = 0
   23: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L24:
   24: if r2 <= 5 goto L83
; 5: default :deny
   25: r0 = 0
   26: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L27:
   27: if r2 > 135 goto L45
   28: if r2 > 10 goto L104
; 12: allow :kvm, access: "rw", label: "the processor"
   29: r2 = *(u32 *)(r1 +8)
   30: if r2 > 237 goto L38
   31: if r2 > 231 goto L35
   32: if r2 != 200 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   33: r0 = 1
   34: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L35:
   35: if r2 > 232 goto L104
   36: r0 = 1
   37: exit
L38:
   38: if r2 > 240 goto L42
   39: if r2 > 238 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   40: r0 = 1
   41: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L42:
   42: if r2 > 241 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   43: r0 = 1
   44: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L45:
   45: if r2 <= 136 goto L79
; 5: default :deny
   46: r0 = 0
   47: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L48:
   48: r2 = *(u32 *)(r1 +4)
   49: if r2 > 9 goto L57
   50: if r2 > 4 goto L54
   51: if r2 == 1 goto L91
; 5: default :deny
   52: r0 = 0
   53: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L54:
   54: if r2 <= 5 goto L83
; 5: default :deny
   55: r0 = 0
   56: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L57:
   57: if r2 > 135 goto L76
   58: if r2 > 10 goto L104
; 12: allow :kvm, access: "rw", label: "the processor"
   59: r2 = *(u32 *)(r1 +8)
   60: if r2 > 232 goto L69
   61: if r2 > 199 goto L65
   62: if r2 != 183 goto L104
; 14: allow :hwrng, access: "r", label: "entropy for virtio-rng"
   63: r0 = 1
   64: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L65:
   65: if r2 > 231 goto L108
   66: if r2 > 200 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   67: r0 = 1
   68: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L69:
   69: if r2 > 240 goto L73
   70: if r2 != 238 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   71: r0 = 1
   72: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L73:
   73: if r2 > 241 goto L104
; 13: allow :net_tun, :vhost_net, :vhost_vsock, access: "rw", label: "the guest's network"
   74: r0 = 1
   75: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L76:
   76: if r2 <= 136 goto L79
; 5: default :deny
   77: r0 = 0
   78: exit
; 11: allow :tty, :ptmx, :pts, access: "rw", label: "the guest's consoles"
L79:
   79: r2 = *(u32 *)(r1 +8)
   80: if r2 > 1048575 goto L104
   81: r0 = 1
   82: exit
L83:
   83: r2 = *(u32 *)(r1 +8)
   84: if r2 > 1 goto L88
   85: if r2 > 0 goto L104
   86: r0 = 1
   87: exit
L88:
   88: if r2 > 2 goto L104
   89: r0 = 1
   90: exit
; 10: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L91:
   91: r2 = *(u32 *)(r1 +8)
   92: if r2 > 5 goto L100
   93: if r2 > 3 goto L97
   94: if r2 <= 2 goto L104
   95: r0 = 1
   96: exit
L97:
   97: if r2 <= 4 goto L104
   98: r0 = 1
   99: exit
L100:
  100: if r2 > 9 goto L104
  101: if r2 <= 6 goto L104
  102: r0 = 1
  103: exit
; 5: default :deny
L104:
  104: r0 = 0
  105: exit
; 8: deny "a *:* m", label: "no new nodes"
L106:
  106: r0 = 0
  107: exit
; 12: allow :kvm, access: "rw", label: "the processor"
L108:
  108: r0 = 1
  109: exit
