"""Who may do what, who may see what: roles as data, grants and looks as facts. Knows no HTTP and no database."""
