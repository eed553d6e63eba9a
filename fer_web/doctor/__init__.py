"""Looks over a set-up, camera aside, and says what to mend. Needs none of the packages it checks."""
