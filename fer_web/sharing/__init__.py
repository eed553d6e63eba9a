"""Who on the network is let in, by which link, and how the server proves that it is itself."""
