allow "c *:*"
__END__
deny "c 1:3"
