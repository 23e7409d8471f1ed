"""Files of execution results that exist, a module a format."""
