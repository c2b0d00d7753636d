"""OpenTelemetry: spans that others make become events."""
