"""A local implementation of the detection API, a wing of its own."""
