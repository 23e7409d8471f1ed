"""The sandboxes that ship with the package, one module each."""
