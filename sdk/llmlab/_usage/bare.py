"""Counts that lie bare in the answer, without a usage object around them."""

from __future__ import annotations

from typing import Mapping, Optional

from llmlab._usage.values import Fields, count, fields, items

Bare = Optional[Mapping[str, object]]
"""A usage object in OpenAI's terms, made of bare counts; None if they are not there."""


def bare_counts(answer: Fields) -> Bare:
    """Counts of Ollama, of Llama and Titan on Bedrock, and of Vertex's embedding models."""
    if "eval_count" in answer or "prompt_eval_count" in answer:
        return _pair(answer, "prompt_eval_count", "eval_count")
    if "generation_token_count" in answer:
        return _pair(answer, "prompt_token_count", "generation_token_count")
    if "inputTextTokenCount" in answer and ("results" in answer or "embedding" in answer):
        return _titan(answer)
    if "predictions" in answer or "embeddings" in answer:
        return _vertex_embeddings(answer)
    return None


def _pair(answer: Fields, prompt: str, completion: str) -> Bare:
    given, made = answer.get(prompt), answer.get(completion)
    if given is None and made is None:
        return None
    return {"prompt_tokens": given, "completion_tokens": made}


def _titan(answer: Fields) -> Bare:
    made = sum(
        count(result.get("tokenCount")) for result in map(fields, items(answer.get("results")))
    )
    return {"prompt_tokens": answer.get("inputTextTokenCount"), "completion_tokens": made}


def _vertex_embeddings(answer: Fields) -> Bare:
    predictions = map(fields, items(answer.get("predictions")))
    embeddings = [prediction.get("embeddings") for prediction in predictions]
    embeddings += items(answer.get("embeddings"))  # google-genai's objects
    told = [
        fields(fields(embedding).get("statistics")).get("token_count") for embedding in embeddings
    ]
    if all(tokens is None for tokens in told):
        return None
    return {"prompt_tokens": sum(map(count, told))}
