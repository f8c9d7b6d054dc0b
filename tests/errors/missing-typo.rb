allow :nul, missing: :skip
