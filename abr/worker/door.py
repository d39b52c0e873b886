"""What a worker opens for its feeds: ports, of which one may serve several inputs, and what it pulls."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby

from abr.config.address import ListenAddress, SrtAddress
from abr.config.pull import PullAddress
from abr.config.settings import LiveSettings
from abr.ingest.rtmp import Permit, RtmpServer, Service
from abr.worker.channel import Channel
from abr.worker.delivery import Books
from abr.worker.gate import rtmp_service
from abr.worker.puller import Puller, Surroundings
from abr.worker.stage import Threads

Listen = ListenAddress | SrtAddress


@dataclass(frozen=True, slots=True)
class Doors:
    """The inputs of a channel."""

    settings: LiveSettings
    channel: Channel
    services: Threads
    books: Books

    def open(self, stack: ExitStack) -> Listen | None:
        """Open all; answer the first address that is listened on, with its true port.

        Raises AddressInUse, UsageError, ConfigError.
        """
        listens: list[tuple[int, Listen]] = []
        for place, address in enumerate(self.settings.inputs):
            if isinstance(address, PullAddress):
                self._pull(place, address)
            else:
                listens.append((place, address))
        taken = [item for group in _ports(listens) for item in self._listen(group, stack)]
        return min(taken, key=lambda item: item[0])[1] if taken else None

    def _pull(self, place: int, address: PullAddress) -> None:
        private = self.settings.pull_private
        around = Surroundings(self.books.clock, self.books.log, self.services.spawn, private=private)
        entry = self.channel.entry(place)
        puller = Puller(address, entry, around)
        entry.pulled_by(puller)
        self.services.spawn("pull", puller.run)

    def _listen(self, group: Sequence[tuple[int, Listen]], stack: ExitStack) -> list[tuple[int, Listen]]:
        """One port and the inputs behind it."""
        clock, spawn, log = self.books.clock, self.services.spawn, self.books.log
        port: int
        if isinstance(group[0][1], SrtAddress):
            from abr.ingest.srt import SrtServer  # noqa: PLC0415 - only where SRT is asked for
            from abr.ingest.srtplace import Place  # noqa: PLC0415

            places = [
                Place(address, self.channel.entry(place).take)
                for place, address in group
                if isinstance(address, SrtAddress)
            ]
            srt = SrtServer(places, clock=clock, spawn=spawn, log=log)
            stack.callback(srt.close)
            spawn("listener", srt.serve)
            port = srt.port
        else:
            host, wanted = group[0][1].host, group[0][1].port
            rtmp = RtmpServer(host, wanted, self._service(group), clock=clock, spawn=spawn, log=log)
            stack.callback(rtmp.close)
            spawn("listener", rtmp.serve)
            port = rtmp.port
        taken = [(place, replace(address, port=port)) for place, address in group]
        for place, address in taken:
            number = {"input": place + 1} if len(self.settings.inputs) > 1 else {}
            log.info("listening", address=address.name, **number)
        return taken

    def _service(self, group: Sequence[tuple[int, Listen]]) -> Service:
        services = [
            rtmp_service(address, self.settings.access, self.channel.entry(place).take, self.books.log)
            for place, address in group
            if isinstance(address, ListenAddress)
        ]
        return services[0] if len(services) == 1 else joined(services)


def joined(services: Sequence[Service]) -> Service:
    """Several inputs behind one port: the key says which, and the first that lets it in has it."""

    def authorise(app: str, key: str) -> Permit | None:
        permits = [service.authorise(app, key) for service in services]  # all: it takes equally long for each
        for place, (service, permit) in enumerate(zip(services, permits, strict=True)):
            if permit is not None:
                return Permit(permit.publisher, (place, permit.place), service.on_feed)
        return None

    applications = frozenset(app for service in services for app in service.applications)
    return replace(services[0], applications=applications, authorise=authorise)


def _ports(listens: Iterable[tuple[int, Listen]]) -> list[list[tuple[int, Listen]]]:
    """Those of one protocol, host and port together; port 0 is another free one each time."""
    ordered = sorted(listens, key=lambda item: _port(*item))
    return [list(group) for _, group in groupby(ordered, key=lambda item: _port(*item))]


def _port(place: int, address: Listen) -> tuple[str, str, int, int]:
    scheme = "srt" if isinstance(address, SrtAddress) else address.scheme
    return scheme, address.host, address.port, 0 if address.port else place
