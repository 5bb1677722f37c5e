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
    server: str | None
    """What it may write as Server; None where it leaves that to the gateway."""
    stream_headers: frozenset[str]
    """On requests with object bytes, at the origin."""
    document_headers: frozenset[str]
    """On requests that the gateway makes for a document, at the origin."""
    gateway_for_s3: str
    """The fixture of the gateway that S3 clients talk to."""
    deployment: str
    """The class of a deployment of a test's own, as module and name."""
    says_loopback: tuple[tuple[str, str], ...]
    """The headers by which the platform, which is not here, would say that a client is on this machine; none where it is."""
    past_caches: str | None
    """Cache-Control of a question to S3 that no cache on the way may answer; None where there is none."""
    passes_origin: bool
    """Whether requests with object bytes that a listed page sends have its Origin at S3."""


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform(
            name="cloudflare",
            topology="Cloudflare Worker",
            stream_program="workerd",
            stream_memory=200 << 20,
            answer_headers=frozenset(),
            server=None,
            stream_headers=frozenset({"accept-encoding"}),
            document_headers=frozenset({"accept-encoding"}),
            gateway_for_s3="gateway",
            deployment="worker.WorkerDeployment",
            says_loopback=(("CF-Connecting-IP", "127.0.0.1"),),
            past_caches="no-cache",
            passes_origin=False,
        ),
        Platform(
            name="cloudfront",
            topology="CloudFront",
            stream_program="node",
            stream_memory=200 << 20,
            answer_headers=frozenset({"via", "x-cache", "x-amz-cf-id", "x-amz-cf-pop"}),
            server="CloudFront",
            stream_headers=frozenset({"connection", "via"}),
            document_headers=frozenset(
                {"accept", "accept-encoding", "accept-language", "connection", "sec-fetch-mode", "user-agent"}
            ),
            # Origin access control signs no body.
            gateway_for_s3="router_signed",
            deployment="cloudfront.Deployment",
            says_loopback=(),
            past_caches=None,
            passes_origin=True,
        ),
    )
}
