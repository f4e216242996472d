"""What remembers: the database, the encrypted vault and the keys."""
