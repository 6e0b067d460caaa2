"""The edges: HTTP here, the installed command in `api.command`. No rules, no SQL of its own."""
