allow "c *:*"
# ‮ deny all ⁦
