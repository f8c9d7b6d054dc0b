allow :nul
