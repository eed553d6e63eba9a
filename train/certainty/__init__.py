"""Fits what tells how certain a shown expression is: spoiled pictures, what a network says of them, a fit."""
