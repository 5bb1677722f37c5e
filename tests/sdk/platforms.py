"""What differs between the platforms that the suite runs against. Tests ask the `platform` fixture, never for its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """One `cargo xtask dev --platform NAME`, and what the platform itself adds to traffic; names are lower-case."""

    name: str
    topology: str
    """What the README calls it."""
    stream_program: str
    """The program that object bytes pass through."""
    stream_memory: int
    """How many bytes each process of it may have resident while a large object passes."""
    answer_headers: frozenset[str]
    """On answers to the device."""
    stream_headers: frozenset[str]
    """On requests with object bytes, at the origin."""
    document_headers: frozenset[str]
    """On requests that the gateway makes for a document, at the origin."""


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform(
            name="cloudflare",
            topology="Cloudflare Worker",
            stream_program="workerd",
            stream_memory=200 << 20,
            answer_headers=frozenset(),
            stream_headers=frozenset({"accept-encoding"}),
            document_headers=frozenset({"accept-encoding"}),
        ),
        Platform(
            name="cloudfront",
            topology="CloudFront",
            stream_program="node",
            stream_memory=200 << 20,
            answer_headers=frozenset({"via", "x-cache", "x-amz-cf-id", "x-amz-cf-pop"}),
            stream_headers=frozenset({"via", "user-agent", "x-amz-cf-id", "x-forwarded-for"}),
            document_headers=frozenset({"accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent"}),
        ),
    )
}
