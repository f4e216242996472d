"""What tells a worker that there is something to do: messages in the database, each an item's id.

A message is only a hint. What is to do, whose turn it is and what is done stands in our own
rows; a message may be lost or come twice. DBOS carries them (docs/decisions: the job engine);
nothing outside this package knows it.
"""
