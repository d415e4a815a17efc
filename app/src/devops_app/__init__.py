"""The application of the reference platform."""
