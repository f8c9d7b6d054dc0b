allow :zero
