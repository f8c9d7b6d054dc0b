allow "c *:*"

deny "c 1:3",
     "c 1:5x",
     label: "x"
