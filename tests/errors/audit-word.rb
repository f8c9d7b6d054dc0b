audit "denied"
