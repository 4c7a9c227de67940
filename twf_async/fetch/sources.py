"""The places a model's files can be had from: NOMADS, and a mirror that has only whole files."""

from collections.abc import Mapping
from dataclasses import dataclass

from render_farm.domain.models import Model, ModelFile
from render_farm.domain.places import Box
from twf_async.fetch.host import Host
from twf_async.plan.filters import FilterRequest
from twf_async.plan.urls import filter_url, idx_url, mirror_url, static_url
from twf_async.settings.service import UpstreamSettings

NOMADS = "nomads"
AWS = "aws"
_EACH_MODELS_OWN = "auto"


@dataclass(frozen=True, slots=True)
class FileAt:
    """One file of one hour at one source."""

    source: "Source"
    model: Model
    file: ModelFile
    cycle: str
    hour: int

    @property
    def url(self) -> str:
        """Of the whole file."""
        return self.source.file_url(self)

    @property
    def idx_url(self) -> str:
        """Of the inventory."""
        return idx_url(self.url)

    @property
    def has_filter(self) -> bool:
        """Whether parts of it can be had cut to a box."""
        return self.source.filters and bool(self.file.filter)

    def filter_url(self, request: FilterRequest, box: Box) -> str:
        """Of the filter's answer to *request*."""
        return filter_url(
            self.source.base,
            self.file,
            self.cycle,
            self.hour,
            parameters=request.parameters,
            levels=request.levels,
            box=box,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """One place.

    base     its URL; "" with a mirror where each model has its own
    filters  whether it is asked to cut out boxes
    multi_range  whether it can be asked for several byte ranges at once
    """

    name: str
    base: str
    host: Host
    filters: bool = False
    multi_range: bool = False

    def serves(self, model: Model) -> bool:
        """Whether the model's files are there at all."""
        return self.name == NOMADS or bool(model.aws_root)

    @property
    def asks_several(self) -> bool:
        """Whether it is asked for several byte ranges at once now."""
        return self.multi_range and self.host.several.trusted

    def file_url(self, at: FileAt) -> str:
        """The URL of a whole file here."""
        if self.name == NOMADS:
            return static_url(self.base, at.model, at.file, at.cycle, at.hour)
        return mirror_url(self.base or at.model.aws_root, at.model, at.file, at.cycle, at.hour)


def sources(settings: UpstreamSettings, hosts: Mapping[str, Host]) -> tuple[Source, ...]:
    """NOMADS and, unless it is switched off, the mirror; each with its host's own budget."""
    mirror = settings.aws_url
    places = [(NOMADS, settings.nomads_url)]
    if mirror:
        places.append((AWS, "" if mirror == _EACH_MODELS_OWN else mirror))
    return tuple(
        Source(
            name,
            base,
            hosts[name],
            filters=name == NOMADS,
            multi_range=settings.multi_range and name == NOMADS,  # S3 sends the whole file
        )
        for name, base in places
    )
