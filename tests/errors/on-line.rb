default :deny
on(:line) { |l| puts l.text }
