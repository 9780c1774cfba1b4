"""Trains the bundled sample model: a small SSMoELM-shaped chat model that explains words."""
