"""The workbench's two doors: publications come in, what people did goes out."""
