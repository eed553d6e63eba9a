"""FER-2013 and its FER+ votes are read here: checked, split and cached.

Every package of train may import it.
It may import train.config, and labels, errors and vision of fer_web; it never imports Keras.
"""
