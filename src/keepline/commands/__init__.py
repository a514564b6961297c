"""The groups of commands, a file each; ``cli`` joins them."""
