"""What a learning run reached: rows of an evaluation record."""
