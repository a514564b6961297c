"""What people decided, as dated, versioned TOML: read strictly, refused when unclear."""
