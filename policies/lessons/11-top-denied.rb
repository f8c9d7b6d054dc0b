# A policy that tells what it denies, and most often to whom.
audit :denied

allow :null, :zero, :full, :tty, access: "rw"
allow :random, :urandom, access: "r"

denied = Hash.new(0)

on(:deny) do |event|
  puts "#{event.comm} wanted #{event.device}" if denied[[event.comm, event.device]] == 0
  denied[[event.comm, event.device]] += 1
end

at_exit do
  denied.sort_by { |who, count| -count }.first(5).each do |(comm, device), count|
    puts format("%6d %-16s %s", count, comm, device)
  end
end
