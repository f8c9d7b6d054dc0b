allow :null, missing: :skp
