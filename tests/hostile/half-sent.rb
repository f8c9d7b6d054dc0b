allow :null
[Proc].map(&:allocate).each { |x| x.call }
