"""A short race over what recipe `best` leaves to a guess, on the user's own signals.

config.py       what is asked for, and the rungs
candidates.py   who races: settings of a field and of its pruning, as configurations of `learn`
race.py         who stays: successive halving, which knows nothing of fields
trial.py        one candidate on one rung: its start is found, validation signals are fitted from it
run.py          the folder of a race, which goes on where it ended
"""
