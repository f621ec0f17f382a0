def version() -> str:
    """Version of the installed CLI."""
    from importlib.metadata import version as installed

    return installed("llmlab-cli")
