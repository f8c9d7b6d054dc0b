# cruby.rb POLICY... - the cases of a policy, decided by CRuby.
#
# Runs each policy file as plain Ruby, with the statements of the language defined here,
# and asks its rules about each case of NAME.cases as the language says: one access at a
# time, the first rule that matches, a raise denies. A claim of the file must be true of each
# case. Nothing of the tool is used, so that
# a mistake of the tool or of mruby is not repeated. Prints "ok NAME" or "not ok NAME: why".

require "etc"

$VERBOSE = nil
$stdout.sync = true
MAIN = self

ACCESSES = {"m" => 1, "r" => 2, "w" => 4}.freeze
FACTS = %w[uid gid pid tid comm cgroup_id uptime euid egid fsuid ppid login_uid session exe parent_exe].freeze
QUESTIONS = %w[host_user_ns host_pid_ns kernel_thread].freeze

# Devices of the fixed table that the policies of the tests name.
NAMES = {
  null: "c 1:3", zero: "c 1:5", full: "c 1:7", random: "c 1:8", urandom: "c 1:9", kmsg: "c 1:11",
  mem: "c 1:1", port: "c 1:4", tty: "c 5:0", console: "c 5:1", ptmx: "c 5:2", pts: "c 136:*", kvm: "c 10:232",
  fuse: "c 10:229", net_tun: "c 10:200", vhost_net: "c 10:238", vhost_vsock: "c 10:241", vfio: "c 10:196",
  rtc: "c 10:135", hpet: "c 10:228", loop_control: "c 10:237", snd: "c 116:*", video: "c 81:*", dri: "c 226:*",
  media: "c 250:*", loop: "b 7:*", sd: "b 8,65-71,128-135:*", nvidiactl: "c 195:255", nvidia: "c 195:0-254",
  nvidia_modeset: "c 195:254", hwrng: "c 10:183", sg: "c 21:*", input: "c 13:*", ttyS: "c 4:64-319", ram: "b 1:*", sr: "b 11:*",
  uinput: "c 10:223", tpm: "c 10:224", usb: "c 189:*", st: "c 9:*", kmem: "c 1:2"
}.freeze

class Refused < Exception; end # the tool must not take what this harness cannot read

Request = Struct.new(:type, :major, :minor, :access, :facts)

# What a block is given.
class Context
  def initialize(request, access, params)
    @request = request
    @access = access
    params.each { |name, value| define_singleton_method(name) { value } }
  end

  def major = @request.major
  def minor = @request.minor
  def type = @request.type == "c" ? :char : :block
  def char? = @request.type == "c"
  def block? = @request.type == "b"
  def read? = @access == 2
  def write? = @access == 4
  def mknod? = @access == 1
  def access = @access
  def requested = @request.access
  def access_type = @access << 16 | (char? ? 2 : 1)
  def given(name) = @request.facts.fetch(name) { raise Refused, "#{name} decides and is not given" }

  FACTS.each { |name| define_method(name) { given(name) } }
  QUESTIONS.each { |name| define_method("#{name}?") { given(name) } }

  def in_group?(group)
    given("groups").include?((group.is_a?(Integer) ? group : Etc.getgrnam(group.to_s).gid).to_s)
  end

  def capable?(name) = given("caps") == ["all"] || given("caps").include?(name.to_s)

  def under?(path)
    path == "/" || "#{given("cgroup")}/".start_with?("#{path}/")
  end
end

# A set of numbers: "*", "3", "0-2,7".
def numbers(text)
  return 0..(1 << 20) if text == "*"
  text.split(",").flat_map { |part|
    first, last = part.split("-")
    (Integer(first, 10)..Integer(last || first, 10)).to_a
  }
end

Pattern = Struct.new(:types, :majors, :minors, :access) do
  def matches?(deny, request, access)
    return false unless types.include?(request.type) && majors.include?(request.major) && minors.include?(request.minor)
    return !deny || self.access == 7 if access == 0
    self.access & access != 0
  end
end

def letters(text)
  text.to_s.each_char.sum { |c| ACCESSES.fetch(c) }
end

def node(path)
  stat = File.stat(path)
  [stat.chardev? ? "c" : "b", stat.rdev_major.to_s, stat.rdev_minor.to_s]
end

# The groups of /proc/devices that a shell pattern names, as [type, major].
def groups(name)
  type = nil
  File.readlines("/proc/devices", chomp: true).filter_map { |line|
    type = line.start_with?("Char") ? "char" : "block" if line.end_with?("devices:")
    major, driver = line.split
    [type[0], major] if driver && major =~ /\A\d+\z/ && File.fnmatch(name, "#{type}-#{driver}")
  }
end

def numbered(symbol)
  case symbol.to_s
  when /\Attyd?(\d+)\z/ then "c 4:#{$1}"
  when /\AttyUSB(\d+)\z/ then "c 188:#{$1}"
  when /\AttyS(\d+)\z/ then "c 4:#{64 + $1.to_i}"
  when /\Anvidia(\d+)\z/ then "c 195:#{$1}"
  when /\ArenderD(\d+)\z/ then "c 226:#{$1}"
  when /\Acard(\d+)\z/ then "c 226:#{$1}"
  when /\Aloop(\d+)\z/ then "b 7:#{$1}"
  else raise Refused, "no device #{symbol.inspect}"
  end
end

# What one argument of a rule stands for.
def patterns(device, access)
  return device.flat_map { |one| patterns(one, access) } if device.is_a?(Array)
  device = NAMES[device] || numbered(device) if device.is_a?(Symbol)
  what, own = device.match?(/\A[abc] /) ? device.split(" ", 3).then { |t, n, l| ["#{t} #{n}", l] } : device.split(" ", 2)
  bits = own ? letters(own) : access ? letters(access) : 7
  return groups(what).map { |t, major| Pattern.new([t], numbers(major), numbers("*"), bits) } if what.match?(/\A(char|block)-/)
  type, major, minor = what.start_with?("/") ? node(what) : [what[0], *what[2..].split(":")]
  [Pattern.new(type == "a" ? %w[b c] : [type], numbers(major), numbers(minor), bits)]
end

Rule = Struct.new(:deny, :patterns, :block) do
  # nil: not this rule; else the verdict.
  def decide(request, access, params)
    return nil unless patterns.nil? || patterns.any? { |one| one.matches?(deny, request, access) }
    return !deny if block.nil?
    begin
      # as a method of main: its `self`, and `return` ends the block
      MAIN.define_singleton_method(:rule_asked, &block)
      value = MAIN.rule_asked(*[Context.new(request, access, params)].first(block.arity.abs))
      value ? !deny : nil
    rescue StandardError, SystemStackError
      false
    end
  end
end

# What a policy file has made.
class Policy
  attr_reader :rules, :params, :claims
  attr_accessor :default

  def initialize
    @rules = []
    @claims = []
    @params = {}
    @default = false
  end

  def decide(request)
    asked = ACCESSES.values.select { |bit| request.access & bit != 0 }
    (asked.empty? ? [0] : asked).all? { |access| allowed?(request, access) }
  end

  def allowed?(request, access)
    rules.each do |rule|
      verdict = rule.decide(request, access, params)
      return verdict unless verdict.nil?
    end
    default
  end
end

# never: none of the accesses is one of those; always: they all are.
Claim = Struct.new(:always, :rule) do
  def broken?(request)
    return false if POLICY.decide(request) == always # a denied request need not say who asks
    asked = ACCESSES.values.select { |bit| request.access & bit != 0 }
    hits = asked.count { |access| rule.decide(request, access, POLICY.params) }
    hits > 0 && (!always || hits == asked.size)
  end
end

POLICY = Policy.new

module Kernel
  private

  def policy(_name) = (yield if block_given?)
  def mode(_word) = nil
  def audit(_word) = nil

  def default(word)
    POLICY.default = word == :allow
  end

  def add_rule(deny, devices, access, block)
    list = devices.empty? && access ? ["a *:*"] : devices
    POLICY.rules << Rule.new(deny, list.empty? ? nil : list.flat_map { |one| patterns(one, access) }, block)
  end

  def allow(*devices, access: nil, label: nil, missing: nil, &block) = add_rule(false, devices, access, block)
  def deny(*devices, access: nil, label: nil, errno: nil, missing: nil, &block) = add_rule(true, devices, access, block)

  def never(*devices, access: nil, label: nil, missing: nil, &block) = add_claim(false, devices, access, block)
  def always(*devices, access: nil, label: nil, missing: nil, &block) = add_claim(true, devices, access, block)

  def add_claim(always, devices, access, block)
    add_rule(false, devices, access, block)
    POLICY.claims << Claim.new(always, POLICY.rules.pop)
  end

  def param(name, value, in: nil)
    POLICY.params[name] = value if binding.local_variable_get(:in)
    value
  end
end

# What a request says of one fact.
def fact_of(name, value)
  case name
  when "comm", "exe", "parent_exe", "cgroup" then value
  when "groups", "caps" then value.split(",")
  when *QUESTIONS then value == "yes"
  else value == "none" ? nil : Integer(value, 10)
  end
end

def request_of(words)
  type, number, access, *facts = words
  major, minor = number.split(":").map { |n| Integer(n, 10) }
  given = facts.to_h { |fact| fact.split("=", 2) }
  given = given.to_h { |name, value| [name, fact_of(name, value)] }
  Request.new(type, major, minor, access == "-" ? 0 : letters(access), given)
end

# `0-3`: each of them.
def each_of(number) = Range.new(*number.split("-").map { |n| Integer(n, 10) }.minmax)

# `c 8:0-15 w`: one case for each device.
def each_device(words)
  return [words] unless words[1].match?(/:.*-|-.*:/)
  majors, minors = words[1].split(":")
  each_of(majors).flat_map { |major| each_of(minors).map { |minor| [words[0], "#{major}:#{minor}", *words[2..]] } }
end

def run_cases(file)
  load File.expand_path(file)
  lines = File.readlines(file.sub(/\.rb\z/, ".cases"), chomp: true)
  wrong = lines.each_with_index.filter_map do |line, i|
    words = line.sub(/#.*/, "").split
    next if words.empty?
    broken = each_device(words[1..]).find { |device| POLICY.claims.any? { |claim| claim.broken?(request_of(device)) } }
    next "line #{i + 1}: a claim is false of #{broken.join(" ")}" if broken
    bad = each_device(words[1..]).find { |device| (POLICY.decide(request_of(device)) ? "allow" : "deny") != words[0] }
    "line #{i + 1}: #{line}, Ruby says otherwise of #{bad.join(" ")}" if bad
  end
  puts wrong.empty? ? "ok #{file}" : "not ok #{file}: #{wrong.first(50).join("; ")}"
  wrong.empty?
end

good = ARGV.map do |file|
  pid = fork do
    exit!(run_cases(file) ? 0 : 1)
  rescue Exception => e
    puts "not ok #{file}: #{e.class}: #{e.message.lines.first&.chomp} (#{e.backtrace.first})"
    exit!(1)
  end
  Process.wait2(pid)[1].success?
end
exit(good.all?)
