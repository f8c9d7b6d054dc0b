def note(**given) = (given[:seen] = true; given)
OPTIONS = {access: "rw"}
note(**OPTIONS)
OTHERS = {**OPTIONS, label: "others"}
SAME = {**OPTIONS}
allow :null, **OPTIONS
