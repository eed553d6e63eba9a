"""Streams of frames over Socket.IO: wire types, per-client slots, fair workers, event handlers."""
