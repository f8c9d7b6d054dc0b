policy "a"
policy "b"
