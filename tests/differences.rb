# differences.rb TABLE [--update] - where mruby and Ruby differ, a policy means Ruby or is refused.
#
# Run by CRuby. Every expression of the table is worked out by this Ruby, by the tool at
# the file's level, and by a rule's block through every engine. A line of the table:
#
#     7.round(-1)          Ruby's value, in the file and in a block
#     file: def f = 1; f   Ruby's value in the file; a block cannot say it
#     refused: 2 ** -1     refused, with a message that is not empty
#     n: n.round(-1)       the same of a value known only when a device is asked for
#
# A line of the expression ends at a "⏎". `--update` rewrites the words before the colon.
# Prints "ok NAME" or "not ok NAME: why" a line.

require "open3"
require "tmpdir"
$VERBOSE = nil

TOOL = ENV.fetch("DEVGUARD")
NUMBERS = [-17, -1, 0, 1, 5, 15, 25].freeze
Entry = Struct.new(:text, :mark, :code, :expected, :got, :block)

def read_table(path)
  File.readlines(path, chomp: true).map do |line|
    next line if line.empty? || (line.start_with?("# ") && !line.include?("⏎"))
    mark = line[/\A(file|refused|n): /, 1]
    code = line.sub(/\A(file|refused|n): /, "").gsub("⏎", "\n")
    Entry.new(line.sub(/\A(file|refused): /, ""), mark, code)
  end
end

# What this Ruby says, in a process of its own: "=text", or "!" for an exception. Each in a
# thread: `return` in a block would end the whole process (Ruby 3.3).
def ruby_values(codes)
  reader, writer = IO.pipe
  pid = fork do
    reader.close
    [$stdout, $stderr, $stdin].each { |io| io.reopen("/dev/null") }
    values = codes.map do |code|
      begin
        Thread.new { "=" + TOPLEVEL_BINDING.dup.eval("(\n#{code}\n)").inspect.b }.tap { |t| t.report_on_exception = false }.value || "!"
      rescue Exception
        "!"
      end
    end
    writer.write(Marshal.dump(values))
    writer.close
    exit!
  end
  writer.close
  values = Marshal.load(reader.read)
  Process.wait(pid)
  values
end

# What the tool says at the file's level.
def file_value(path, code)
  File.write(path, "kept = (\n#{code}\n)\nraise \"@@\#{kept.inspect}@@\"\n")
  out, status = Open3.capture2e(TOOL, "check", path)
  value = out.b[/RuntimeError: @@(.*?)@@$/m, 1]
  return "=" + value if value
  return "crash: #{out}" unless status.exitstatus == 3
  out =~ /error: \S/ ? "refused" : "crash: no message"
end

Rule = Struct.new(:entry, :text, :minor)

def rules_of(entry)
  return [] if entry.got == "refused" && entry.mark != "n"
  if entry.mark == "n"
    NUMBERS.zip(entry.expected).select { |_, v| v.start_with?("=") }.map do |n, v|
      Rule.new(entry, "{ |ctx| n = ctx.minor - 20; kept = (\n#{entry.code}\n); kept == (#{v[1..].force_encoding("utf-8")}) }", n + 20)
    end
  elsif entry.expected.start_with?("=")
    [Rule.new(entry, "{ |ctx| kept = (\n#{entry.code}\n); kept.inspect == #{entry.expected[1..].force_encoding("utf-8").dump} }", 7)]
  else
    []
  end
end

# Rules that the tool takes; the entries of the others get block = :refused. A rule that
# ends the whole file early is told by its line, and left out in the next round.
def taken(dir, rules)
  loop do
    lines = {}
    text = +"default :deny\n"
    rules.each_with_index do |rule, i|
      first = text.count("\n") + 1
      text << "allow(\"c #{i + 1}:#{rule.minor}\") #{rule.text}\n"
      (first..text.count("\n")).each { |line| lines[line] = rule }
    end
    File.write("#{dir}/block.rb", text)
    out, = Open3.capture2e("timeout", "300", TOOL, "check", "#{dir}/block.rb")
    bad = out.b.scan(/block\.rb:(\d+): error: \S/).map { |line, | lines[line.to_i] }.uniq
    return rules if bad.empty? && out !~ /error:/
    abort "not ok blocks: #{out}" if bad.empty? || bad.include?(nil)
    bad.each { |rule| rule.entry.block = :refused }
    rules = rules.reject { |rule| rule.entry.block == :refused }
  end
end

def judge_blocks(dir, entries)
  rules = taken(dir, entries.flat_map { |entry| rules_of(entry) })
  return if rules.empty?
  File.write("#{dir}/block.cases", rules.each_with_index.map { |rule, i| "allow c #{i + 1}:#{rule.minor} r\n" }.join)
  out, status = Open3.capture2e("timeout", "300", TOOL, "test", "#{dir}/block.rb")
  wrong = out.b.scan(/block\.cases:(\d+): error: (.*)/).to_h { |line, what| [line.to_i, what] }
  rules.each_with_index { |rule, i| rule.entry.block ||= wrong[i + 1] ? "differs: #{wrong[i + 1]}" : :same }
  abort "not ok blocks: #{out}" unless status.success? || wrong.any?
end

def mark_of(entry)
  return "n" if entry.mark == "n"
  return "refused" if entry.got == "refused"
  entry.block == :same ? nil : "file"
end

def verdict(entry)
  if entry.mark == "n"
    return "is #{entry.block} in a block" unless entry.block == :same
  elsif entry.got.start_with?("=")
    return "Ruby raises, mruby says #{entry.got[1..]}" if entry.expected == "!"
    return "Ruby says #{entry.expected[1..]}, mruby #{entry.got[1..]}" if entry.got.b != entry.expected.b
    return "in a block: #{entry.block}" if entry.block.is_a?(String)
  elsif entry.got != "refused"
    return entry.got
  end
  "is marked #{entry.mark.inspect}, but is #{mark_of(entry).inspect}" if entry.mark != mark_of(entry)
end

table = read_table(ARGV[0])
entries = table.grep(Entry)
plain, runtime = entries.partition { |entry| entry.mark != "n" }
ruby_values(plain.map(&:code)).zip(plain) { |value, entry| entry.expected = value }
ruby_values(runtime.flat_map { |entry| NUMBERS.map { |n| "n = #{n}; #{entry.code}" } })
  .each_slice(NUMBERS.size).zip(runtime) { |values, entry| entry.expected = values }
Dir.mktmpdir do |dir|
  waiting = Queue.new
  plain.each { |entry| waiting << entry }
  waiting.close
  Array.new(3) { |i|
    Thread.new do
      while (entry = waiting.pop)
        entry.got = file_value("#{dir}/file#{i}.rb", entry.code)
      end
    end
  }.each(&:join)
  judge_blocks(dir, entries)
end
if ARGV[1] == "--update"
  File.write(ARGV[0], table.map { |line|
    next "#{line}\n" unless line.is_a?(Entry)
    mark = mark_of(line)
    mark && mark != "n" ? "#{mark}: #{line.text}\n" : "#{line.text}\n"
  }.join)
end
entries.each do |entry|
  why = verdict(entry)
  puts why ? "not ok #{entry.text}: #{why.b.gsub("\n", " ")}" : "ok #{entry.text}"
end
