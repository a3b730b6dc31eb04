"""An instrument that composes itself and draws what it hears."""

__version__ = "0.1.0"
