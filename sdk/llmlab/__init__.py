"""See what your LLM calls cost.

    import llmlab
    llmlab.instrument()          # every openai, anthropic and google-genai call reports by itself

Docs: docs/reference/sdk.md. What this does to your process:
docs/explanation/what-the-sdk-does-to-your-process.md.
"""

from llmlab._client import LLMLabClient
from llmlab._decorator import track_cost
from llmlab._instrument import instrument, uninstrument
from llmlab._scope import context
from llmlab._stats import Stats
from llmlab._tracker import LLMLabTracker
from llmlab._usage import AdditionalUsage, Usage, extract_usage
from llmlab._version import __version__
from llmlab._warn import LLMLabWarning

__all__ = [
    "AdditionalUsage",
    "LLMLabClient",
    "LLMLabTracker",
    "LLMLabWarning",
    "Stats",
    "Usage",
    "__version__",
    "context",
    "extract_usage",
    "instrument",
    "track_cost",
    "uninstrument",
]
