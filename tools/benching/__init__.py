"""What tools/bench measures, part by part."""
