"""The one place that reads ``LLMLAB_*`` from the environment, once."""

from functools import cache
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator can set; each name is an environment variable ``LLMLAB_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="LLMLAB_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".llmlab")
    """Configuration, embedded database and spool."""
    host: str = "127.0.0.1"
    port: int = Field(default=8484, ge=1, le=65535)
    public_url: str | None = None
    """The address people type, when it isn't loopback; joins the Host and Origin allow-lists."""
    trusted_proxies: str = ""
    """Addresses or networks, by comma, of reverse proxies whose X-Forwarded-For we believe."""
    database_url: SecretStr | None = None
    """Any PostgreSQL ≥ 15; None means the embedded one."""
    database_direct_url: SecretStr | None = None
    """The same database past a PgBouncer: LISTEN and advisory locks need a direct connection."""
    owner_password_file: Path | None = None
    """First line is the owner's password; needed for any bind other than loopback."""
    ingest_queue_events: int = Field(default=20_000, ge=1)
    """Events that may wait for a commit before the API answers 503."""
    ingest_writers: int = Field(default=2, ge=1, le=16)
    run_jobs: bool = True
    price_feed_url: str | None = None
    """Where newer ``genai-prices`` data is read every day; None stays with what is installed."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def local_url(self) -> str:
        """The address by which programs on this machine reach the server."""
        if self.host in ("0.0.0.0", "::"):
            return f"http://127.0.0.1:{self.port}"
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@cache
def get_settings() -> Settings:
    """The settings of this process; later changes of the environment are not seen."""
    return Settings()
