"""What carries requests to Asterisk and events from it: HTTP, websocket, TLS."""
