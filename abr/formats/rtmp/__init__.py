"""RTMP, layer by layer from the bottom: handshake, chunk, message (with AMF), session."""
