; 23: deny "a *:* m", label: "no new nodes"
    0: r6 = r1
    1: r2 = *(u16 *)(r6 +0)
    2: if r2 != 2 goto L132
    3: r2 = *(u16 *)(r6 +2)
    4: if r2 > 3 goto L12
    5: if r2 > 1 goto L9
    6: if r2 <= 0 goto L49
    7: r0 = 0
    8: exit
L9:
    9: if r2 <= 2 goto L49
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
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L19:
   19: r2 = *(u32 *)(r6 +4)
   20: if r2 > 9 goto L28
   21: if r2 > 4 goto L25
   22: if r2 == 1 goto L92
; 14: default :deny
   23: r0 = 0
   24: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L25:
   25: if r2 <= 5 goto L84
; 14: default :deny
   26: r0 = 0
   27: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L28:
   28: if r2 > 135 goto L46
   29: if r2 > 10 goto L130
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
   30: r2 = *(u32 *)(r6 +8)
   31: if r2 > 237 goto L39
   32: if r2 > 231 goto L36
   33: if r2 == 200 goto L105
; 14: default :deny
   34: r0 = 0
   35: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L36:
   36: if r2 <= 232 goto L105
; 14: default :deny
   37: r0 = 0
   38: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L39:
   39: if r2 > 240 goto L43
   40: if r2 <= 238 goto L105
; 14: default :deny
   41: r0 = 0
   42: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L43:
   43: if r2 <= 241 goto L105
; 14: default :deny
   44: r0 = 0
   45: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L46:
   46: if r2 <= 136 goto L80
; 14: default :deny
   47: r0 = 0
   48: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L49:
   49: r2 = *(u32 *)(r6 +4)
   50: if r2 > 9 goto L58
   51: if r2 > 4 goto L55
   52: if r2 == 1 goto L92
; 14: default :deny
   53: r0 = 0
   54: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L55:
   55: if r2 <= 5 goto L84
; 14: default :deny
   56: r0 = 0
   57: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L58:
   58: if r2 > 135 goto L77
   59: if r2 > 10 goto L130
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
   60: r2 = *(u32 *)(r6 +8)
   61: if r2 > 232 goto L70
   62: if r2 > 199 goto L66
   63: if r2 != 183 goto L130
; 29: allow :hwrng, access: "r", label: "entropy for virtio-rng"
   64: r0 = 1
   65: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L66:
   66: if r2 > 231 goto L105
   67: if r2 <= 200 goto L105
; 14: default :deny
   68: r0 = 0
   69: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L70:
   70: if r2 > 240 goto L74
   71: if r2 == 238 goto L105
; 14: default :deny
   72: r0 = 0
   73: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L74:
   74: if r2 <= 241 goto L105
; 14: default :deny
   75: r0 = 0
   76: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L77:
   77: if r2 <= 136 goto L80
; 14: default :deny
   78: r0 = 0
   79: exit
; 26: allow :tty, :ptmx, :pts, access: "rw", label: "the guest's consoles"
L80:
   80: r2 = *(u32 *)(r6 +8)
   81: if r2 > 1048575 goto L130
   82: r0 = 1
   83: exit
L84:
   84: r2 = *(u32 *)(r6 +8)
   85: if r2 > 1 goto L89
   86: if r2 > 0 goto L130
   87: r0 = 1
   88: exit
L89:
   89: if r2 > 2 goto L130
   90: r0 = 1
   91: exit
; 25: allow :null, :zero, :full, :random, :urandom, access: "rw", label: "sources and sinks"
L92:
   92: r2 = *(u32 *)(r6 +8)
   93: if r2 > 5 goto L101
   94: if r2 > 3 goto L98
   95: if r2 <= 2 goto L130
   96: r0 = 1
   97: exit
L98:
   98: if r2 <= 4 goto L130
   99: r0 = 1
  100: exit
L101:
  101: if r2 > 9 goto L130
  102: if r2 <= 6 goto L130
  103: r0 = 1
  104: exit
; 27: allow(:kvm, access: "rw", label: "the processor") { |ctx| QEMU.include?(ctx.exe) }
L105:
  105: call exe
  106: if r0 s< 0 goto L134
  107: *(u64 *)(r10 -376) = r0
  108: r2 = *(u64 *)(r10 -376)
  109: r3 = 0x35fbf3952134b61f ll
  111: if r2 s> r3 goto L125
  112: r3 = 0xf0f9f598354af6b ll
  114: if r2 s> r3 goto L120
  115: r3 = 0xf0f9f598354af6a ll
  117: if r2 s<= r3 goto L130
  118: r0 = 1
  119: exit
L120:
  120: r3 = 0x35fbf3952134b61e ll
  122: if r2 s<= r3 goto L130
  123: r0 = 1
  124: exit
L125:
  125: r3 = 0x66b3b312ce331e3b ll
  127: if r2 != r3 goto L130
  128: r0 = 1
  129: exit
; 14: default :deny
L130:
  130: r0 = 0
  131: exit
; 23: deny "a *:* m", label: "no new nodes"
L132:
  132: r0 = 0
  133: exit
; 14: default :deny
L134:
  134: r0 = 0
  135: exit
; exe: read of the calling task
    0: r1 = &header
    2: r9 = *(u32 *)(r1 +124)
    3: r1 = r9
    4: r1 &= 8
    5: if r1 == 0 goto L42
    6: call get_current_task_btf#158
    7: r7 = r0
    8: r1 = *(u32 *)(r7 +0) ; task_struct.flags
    9: r1 &= 2097152
   10: if r1 != 0 goto L158
   11: r7 = *(u64 *)(r7 +64) ; task_struct.mm
   12: if r7 == 0 goto L158
   13: r7 = *(u64 *)(r7 +0) ; mm_struct.exe_file
   14: if r7 == 0 goto L158
   15: r1 = *(u32 *)(r7 +0) ; file.f_flags
   16: r1 &= 32
   17: if r1 == 0 goto L158
   18: r7 = *(u64 *)(r7 +8) ; file.f_inode
   19: if r7 == 0 goto L160
   20: r1 = *(u32 *)(r7 +8) ; inode.i_uid
   21: if r1 != 0 goto L158
   22: r1 = *(u16 *)(r7 +0) ; inode.i_mode
   23: r1 &= 18
   24: if r1 != 0 goto L158
   25: r1 = *(u64 *)(r7 +24) ; inode.i_ino
   26: *(u64 *)(r10 -24) = r1
   27: r1 = *(u32 *)(r7 +32) ; inode.i_generation
   28: *(u32 *)(r10 -12) = r1
   29: r7 = *(u64 *)(r7 +16) ; inode.i_sb
   30: if r7 == 0 goto L160
   31: r1 = *(u32 *)(r7 +0) ; super_block.s_dev
   32: *(u32 *)(r10 -16) = r1
   33: r1 = &who
   35: r2 = r10
   36: r2 += -24
   37: call map_lookup_elem#1
   38: if r0 == 0 goto L158
   39: r7 = *(u64 *)(r0 +0)
   40: r0 = r7
   41: exit
L42:
   42: r1 = r9
   43: r1 &= 16
   44: if r1 == 0 goto L160
   45: call get_current_task#35
   46: r7 = r0
   47: r3 = r7
   48: r3 += 0 ; task_struct.flags
   49: r1 = r10
   50: r1 += -8
   51: r2 = 4
   52: call probe_read_kernel#113
   53: if r0 != 0 goto L160
   54: r1 = *(u32 *)(r10 -8)
   55: r1 &= 2097152
   56: if r1 != 0 goto L158
   57: r3 = r7
   58: r3 += 64 ; task_struct.mm
   59: r1 = r10
   60: r1 += -8
   61: r2 = 8
   62: call probe_read_kernel#113
   63: if r0 != 0 goto L160
   64: r7 = *(u64 *)(r10 -8)
   65: if r7 == 0 goto L158
   66: r3 = r7
   67: r3 += 0 ; mm_struct.exe_file
   68: r1 = r10
   69: r1 += -8
   70: r2 = 8
   71: call probe_read_kernel#113
   72: if r0 != 0 goto L160
   73: r7 = *(u64 *)(r10 -8)
   74: if r7 == 0 goto L158
   75: r3 = r7
   76: r3 += 0 ; file.f_flags
   77: r1 = r10
   78: r1 += -8
   79: r2 = 4
   80: call probe_read_kernel#113
   81: if r0 != 0 goto L160
   82: r1 = *(u32 *)(r10 -8)
   83: r1 &= 32
   84: if r1 == 0 goto L158
   85: r3 = r7
   86: r3 += 8 ; file.f_inode
   87: r1 = r10
   88: r1 += -8
   89: r2 = 8
   90: call probe_read_kernel#113
   91: if r0 != 0 goto L160
   92: r7 = *(u64 *)(r10 -8)
   93: if r7 == 0 goto L160
   94: r3 = r7
   95: r3 += 8 ; inode.i_uid
   96: r1 = r10
   97: r1 += -8
   98: r2 = 4
   99: call probe_read_kernel#113
  100: if r0 != 0 goto L160
  101: r1 = *(u32 *)(r10 -8)
  102: if r1 != 0 goto L158
  103: r3 = r7
  104: r3 += 0 ; inode.i_mode
  105: r1 = r10
  106: r1 += -8
  107: r2 = 2
  108: call probe_read_kernel#113
  109: if r0 != 0 goto L160
  110: r1 = *(u16 *)(r10 -8)
  111: r1 &= 18
  112: if r1 != 0 goto L158
  113: r3 = r7
  114: r3 += 24 ; inode.i_ino
  115: r1 = r10
  116: r1 += -8
  117: r2 = 8
  118: call probe_read_kernel#113
  119: if r0 != 0 goto L160
  120: r1 = *(u64 *)(r10 -8)
  121: *(u64 *)(r10 -24) = r1
  122: r3 = r7
  123: r3 += 32 ; inode.i_generation
  124: r1 = r10
  125: r1 += -8
  126: r2 = 4
  127: call probe_read_kernel#113
  128: if r0 != 0 goto L160
  129: r1 = *(u32 *)(r10 -8)
  130: *(u32 *)(r10 -12) = r1
  131: r3 = r7
  132: r3 += 16 ; inode.i_sb
  133: r1 = r10
  134: r1 += -8
  135: r2 = 8
  136: call probe_read_kernel#113
  137: if r0 != 0 goto L160
  138: r7 = *(u64 *)(r10 -8)
  139: if r7 == 0 goto L160
  140: r3 = r7
  141: r3 += 0 ; super_block.s_dev
  142: r1 = r10
  143: r1 += -8
  144: r2 = 4
  145: call probe_read_kernel#113
  146: if r0 != 0 goto L160
  147: r1 = *(u32 *)(r10 -8)
  148: *(u32 *)(r10 -16) = r1
  149: r1 = &who
  151: r2 = r10
  152: r2 += -24
  153: call map_lookup_elem#1
  154: if r0 == 0 goto L158
  155: r7 = *(u64 *)(r0 +0)
  156: r0 = r7
  157: exit
L158:
  158: r0 = 0
  159: exit
L160:
  160: r0 = -1
  161: exit
