"""The month as people look at it: figures, HTML page, Excel plan."""
