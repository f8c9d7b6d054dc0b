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
    5: if r1 == 0 goto L45
    6: call get_current_task_btf#158
    7: r7 = r0
    8: r1 = *(u32 *)(r7 +0) ; task_struct.flags
    9: r1 &= 2097152
   10: if r1 != 0 goto L192
   11: r7 = *(u64 *)(r7 +64) ; task_struct.mm
   12: if r7 == 0 goto L192
   13: r7 = *(u64 *)(r7 +0) ; mm_struct.exe_file
   14: if r7 == 0 goto L192
   15: r1 = *(u32 *)(r7 +0) ; file.f_flags
   16: r1 &= 32
   17: if r1 == 0 goto L192
   18: r7 = *(u64 *)(r7 +8) ; file.f_inode
   19: if r7 == 0 goto L194
   20: r1 = *(u32 *)(r7 +8) ; inode.i_uid
   21: if r1 != 0 goto L192
   22: r1 = *(u16 *)(r7 +0) ; inode.i_mode
   23: r1 &= 18
   24: if r1 != 0 goto L192
   25: r1 = *(u64 *)(r7 +24) ; inode.i_ino
   26: *(u64 *)(r10 -32) = r1
   27: r1 = *(u32 *)(r7 +32) ; inode.i_generation
   28: *(u32 *)(r10 -20) = r1
   29: r8 = *(u64 *)(r7 +16) ; inode.i_sb
   30: if r8 == 0 goto L194
   31: r1 = *(u32 *)(r8 +0) ; super_block.s_dev
   32: *(u32 *)(r10 -24) = r1
   33: *(u64 *)(r10 -16) = 0
   34: r1 = *(u64 *)(r8 +8) ; super_block.s_magic
   35: if w1 == -1859950530 goto L45
   36: r1 = &who
   38: r2 = r10
   39: r2 += -32
   40: call map_lookup_elem#1
   41: if r0 == 0 goto L192
   42: r7 = *(u64 *)(r0 +0)
   43: r0 = r7
   44: exit
L45:
   45: r1 = r9
   46: r1 &= 16
   47: if r1 == 0 goto L194
   48: call get_current_task#35
   49: r7 = r0
   50: r3 = r7
   51: r3 += 0 ; task_struct.flags
   52: r1 = r10
   53: r1 += -8
   54: r2 = 4
   55: call probe_read_kernel#113
   56: if r0 != 0 goto L194
   57: r1 = *(u32 *)(r10 -8)
   58: r1 &= 2097152
   59: if r1 != 0 goto L192
   60: r3 = r7
   61: r3 += 64 ; task_struct.mm
   62: r1 = r10
   63: r1 += -8
   64: r2 = 8
   65: call probe_read_kernel#113
   66: if r0 != 0 goto L194
   67: r7 = *(u64 *)(r10 -8)
   68: if r7 == 0 goto L192
   69: r3 = r7
   70: r3 += 0 ; mm_struct.exe_file
   71: r1 = r10
   72: r1 += -8
   73: r2 = 8
   74: call probe_read_kernel#113
   75: if r0 != 0 goto L194
   76: r7 = *(u64 *)(r10 -8)
   77: if r7 == 0 goto L192
   78: r3 = r7
   79: r3 += 0 ; file.f_flags
   80: r1 = r10
   81: r1 += -8
   82: r2 = 4
   83: call probe_read_kernel#113
   84: if r0 != 0 goto L194
   85: r1 = *(u32 *)(r10 -8)
   86: r1 &= 32
   87: if r1 == 0 goto L192
   88: r3 = r7
   89: r3 += 8 ; file.f_inode
   90: r1 = r10
   91: r1 += -8
   92: r2 = 8
   93: call probe_read_kernel#113
   94: if r0 != 0 goto L194
   95: r7 = *(u64 *)(r10 -8)
   96: if r7 == 0 goto L194
   97: r3 = r7
   98: r3 += 8 ; inode.i_uid
   99: r1 = r10
  100: r1 += -8
  101: r2 = 4
  102: call probe_read_kernel#113
  103: if r0 != 0 goto L194
  104: r1 = *(u32 *)(r10 -8)
  105: if r1 != 0 goto L192
  106: r3 = r7
  107: r3 += 0 ; inode.i_mode
  108: r1 = r10
  109: r1 += -8
  110: r2 = 2
  111: call probe_read_kernel#113
  112: if r0 != 0 goto L194
  113: r1 = *(u16 *)(r10 -8)
  114: r1 &= 18
  115: if r1 != 0 goto L192
  116: r3 = r7
  117: r3 += 24 ; inode.i_ino
  118: r1 = r10
  119: r1 += -8
  120: r2 = 8
  121: call probe_read_kernel#113
  122: if r0 != 0 goto L194
  123: r1 = *(u64 *)(r10 -8)
  124: *(u64 *)(r10 -32) = r1
  125: r3 = r7
  126: r3 += 32 ; inode.i_generation
  127: r1 = r10
  128: r1 += -8
  129: r2 = 4
  130: call probe_read_kernel#113
  131: if r0 != 0 goto L194
  132: r1 = *(u32 *)(r10 -8)
  133: *(u32 *)(r10 -20) = r1
  134: r3 = r7
  135: r3 += 16 ; inode.i_sb
  136: r1 = r10
  137: r1 += -8
  138: r2 = 8
  139: call probe_read_kernel#113
  140: if r0 != 0 goto L194
  141: r8 = *(u64 *)(r10 -8)
  142: if r8 == 0 goto L194
  143: r3 = r8
  144: r3 += 0 ; super_block.s_dev
  145: r1 = r10
  146: r1 += -8
  147: r2 = 4
  148: call probe_read_kernel#113
  149: if r0 != 0 goto L194
  150: r1 = *(u32 *)(r10 -8)
  151: *(u32 *)(r10 -24) = r1
  152: *(u64 *)(r10 -16) = 0
  153: r3 = r8
  154: r3 += 8 ; super_block.s_magic
  155: r1 = r10
  156: r1 += -8
  157: r2 = 8
  158: call probe_read_kernel#113
  159: if r0 != 0 goto L194
  160: r1 = *(u64 *)(r10 -8)
  161: if w1 != -1859950530 goto L183
  162: r1 = 1 ; is there a btrfs_inode.vfs_inode
  163: if r1 == 0 goto L192
  164: r7 -= 8 ; btrfs_inode.vfs_inode
  165: r3 = r7
  166: r3 += 0 ; btrfs_inode.root
  167: r1 = r10
  168: r1 += -8
  169: r2 = 8
  170: call probe_read_kernel#113
  171: if r0 != 0 goto L194
  172: r7 = *(u64 *)(r10 -8)
  173: if r7 == 0 goto L194
  174: r3 = r7
  175: r3 += 0 ; btrfs_key.objectid
  176: r1 = r10
  177: r1 += -8
  178: r2 = 8
  179: call probe_read_kernel#113
  180: if r0 != 0 goto L194
  181: r1 = *(u64 *)(r10 -8)
  182: *(u64 *)(r10 -16) = r1
L183:
  183: r1 = &who
  185: r2 = r10
  186: r2 += -32
  187: call map_lookup_elem#1
  188: if r0 == 0 goto L192
  189: r7 = *(u64 *)(r0 +0)
  190: r0 = r7
  191: exit
L192:
  192: r0 = 0
  193: exit
L194:
  194: r0 = -1
  195: exit
