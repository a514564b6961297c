"""An operator whose truth is known; imported by the command line and tests alone."""
