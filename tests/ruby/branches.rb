# if, unless, ternary, case with values, lists, ranges and splats; and or not.
KINDS = [40, 41]
allow do |c|
  if c.major == 1
    c.minor < 3
  elsif c.major == 2 and not c.minor == 4
    true
  else
    unless c.block?
      case c.minor
      when 5 then c.read?
      when 7, 9 then c.write?
      when 20..22 then true
      when *KINDS then c.major > 3
      else c.minor == 0 ? c.mknod? : false
      end
    end
  end
end
deny { |c| next true if c.major == 9; c.minor == 2 }
allow { |c| return true if c.major == 9; x = c.char? ? [1, 2] : nil; x && x.include?(c.minor) or c.type == :block }
