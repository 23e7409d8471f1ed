"""Judge back ends: one module each, all with the shape of ``protocol.Backend``."""
