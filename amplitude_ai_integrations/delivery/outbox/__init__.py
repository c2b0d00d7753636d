"""The durable outbox: events are on disk before they are sent, and leave it when the server has them."""
