"""What other systems call: they send media and consents, and are told what becomes of them."""
