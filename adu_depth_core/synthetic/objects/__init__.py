"""Things beside the road: buildings, furniture, plants, people."""
