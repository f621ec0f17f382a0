__version__ = "0.1.0"
SDK = "llmlab-python/" + __version__
"""How an event names what reported it."""
