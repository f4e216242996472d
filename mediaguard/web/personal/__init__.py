"""The pages of a personal link: for guardians and pupils, without an account."""
