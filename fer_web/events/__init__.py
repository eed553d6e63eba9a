"""Events of live streams: rules on what is shown, and receivers that are told when one fires.

`rules.py` decides, `hub.py` says who hears it, and each receiver has a thread and a bounded mailbox of its
own in `delivery.py`: one that hangs holds up nobody else. docs/events.md has the wire formats.
"""
