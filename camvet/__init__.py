"""The face: command line, inventory, settings. Border control for cameras."""
