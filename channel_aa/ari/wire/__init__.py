"""The transport of requests and events: HTTP, the events websocket, TLS."""
