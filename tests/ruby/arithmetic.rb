# Floor division and modulo, bits, overflow-free arithmetic; negative operands.
allow { |c| c.major == 1 && (c.minor - 10) / 3 == -2 }
allow { |c| c.major == 2 && (c.minor - 10) % 3 == 1 }
allow { |c| c.major == 3 && (5 - c.minor) / -2 == 1 }
allow { |c| c.major == 4 && c.minor & 6 == 4 && ~c.minor != -5 }
allow { |c| c.major == 5 && (c.minor << 2 | 1) == 13 }
allow { |c| c.major == 6 && c.minor < 32 && (0b10110 >> c.minor) & 1 == 1 }
allow { |c| c.major == 7 && c.minor ** 2 - c.minor == 12 }
allow { |c| c.major == 8 && -c.minor < -3 && c.minor <= 5.5 }
allow { |c| c.major == 9 && c.minor.divmod(4) == [2, 1] }
allow { |c| c.major == 10 && (c.minor <=> 4) == 1 }
allow { |c| c.major * 3 == c.minor + c.major }
