"""The JSON documents of the server's API, as functions of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from patches.server.catalogue.delta import ReadableList
from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.status import ListStatus
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import State
from patches.wire import rfc3339
from patches.wording import printable

#: The most names of one source that are shown as left out.
MOST_LEFT_OUT = 100


def snapshot_document(snapshot: Snapshot) -> dict[str, Any]:
    """Describe a snapshot."""
    return {
        "revision": snapshot.revision,
        "created": rfc3339(snapshot.created),
        "checked": rfc3339(snapshot.checked),
        "serial": snapshot.serial,
        "vulnerabilities": snapshot.vulnerabilities,
        "chunks": snapshot.chunks,
        "bytes": snapshot.body_bytes,
        "digest": snapshot.digest,
        "unread": snapshot.unread,
        "publication": snapshot.publication,
        **({"enrichments": list(snapshot.enrichments)} if snapshot.enrichments else {}),
        **({"empty": True} if not snapshot.vulnerabilities else {}),
    }


#: Converts a snapshot to its document; a server that signs adds to it.
DescribeSnapshot = Callable[[Snapshot], dict[str, Any]]


def session_document(
    session: Session, service: SessionService, describe: DescribeSnapshot = snapshot_document
) -> dict[str, Any]:
    """Describe a session to its scanner; the snapshot is included from activation on."""
    document = {
        "session": session.token,
        "platform": session.platform,
        **progress_document(session, service),
        "expiresAfter": service.limits.allowed_silence(session.state),
        "chunk": session.position,
    }
    if session.state is not State.QUEUED:
        document["snapshot"] = describe(session.snapshot.target)
    if (delta := session.snapshot.delta_document()) is not None:
        document["delta"] = delta
    return document


def progress_document(session: Session, service: SessionService) -> dict[str, Any]:
    """Describe the progress of a session, the wait that is expected, and the seconds after which to ask again."""
    expected = service.expected_wait(session)
    return {
        "state": str(session.state),
        "queuePosition": service.sessions.queue_position(session),
        "expectedWait": round(expected, 1),
        "pollAfter": poll_after(session.state, expected, service.limits),
    }


def poll_after(state: State, expected: float, limits: Limits) -> float:
    """
    Return the seconds after which a waiting scanner should ask again: half of the expected wait, within bounds.

    Whoever is soon to be activated asks often, so that no place stays idle until it finds out.

    :param expected: the expected wait in the queue, in seconds.
    """
    # A session that does not know that it is active seems to delay others.
    longest = min(limits.allowed_silence(state), limits.chunk_timeout) / 4
    if state is not State.QUEUED:
        return min(1.0, longest)
    return round(min(max(0.25, expected / 2), longest), 2)


def unchanged_document(snapshot: Snapshot, describe: DescribeSnapshot = snapshot_document) -> dict[str, Any]:
    """Describe that the scanner's list is the current one."""
    return {"unchanged": True, "platform": snapshot.platform, "snapshot": describe(snapshot)}


def finished_document(reads: ReadableList) -> dict[str, Any]:
    """
    Describe the end of a stream: the counts and the digest that its reader must have (of a delta, once it is applied).
    """
    snapshot = reads.target
    return {
        "finished": True,
        "chunks": reads.chunks,
        "vulnerabilities": snapshot.vulnerabilities,
        "digest": snapshot.digest,
        "revision": snapshot.revision,
        "unread": snapshot.unread,
    }


def platforms_document(
    statuses: Mapping[str, ListStatus],
    left_out: Mapping[str, Mapping[str, str]],
    now: float,
    describe: DescribeSnapshot = snapshot_document,
) -> dict[str, Any]:
    """
    Describe the platforms that are served.

    :param left_out: what sources have beside their lists, with reasons, by source; see
        :class:`~patches.interfaces.ISource`.
    :param now: seconds since the epoch.
    """
    return {
        "platforms": [platform_document(name, statuses[name], now, describe) for name in sorted(statuses)],
        "leftOut": [
            {"source": source, "name": printable(name), "reason": reason}
            for source, names in sorted(left_out.items())
            for name, reason in sorted(names.items())[:MOST_LEFT_OUT]
        ],
    }


def ready_document(statuses: Mapping[str, ListStatus], ready: bool, problem: str | None) -> dict[str, Any]:
    """
    Describe whether a list can be served, which platforms have none, and which have a newer one that is held back.

    :param problem: the problem of a source, or ``None``.
    """
    return {
        "ready": ready,
        "missing": sorted(name for name, status in statuses.items() if status.snapshot is None and not status.is_empty),
        "empty": sorted(name for name, status in statuses.items() if status.is_empty),
        "damaged": {name: status.damage for name, status in sorted(statuses.items()) if status.damage is not None},
        "alarms": {name: status.alarm for name, status in sorted(statuses.items()) if status.alarm is not None},
        "problem": problem,
    }


def platform_document(
    name: str, status: ListStatus, now: float, describe: DescribeSnapshot = snapshot_document
) -> dict[str, Any]:
    """
    Describe a platform that is served.

    :param now: seconds since the epoch.
    """
    snapshot = status.snapshot
    described = describe(snapshot) if snapshot is not None else {"revision": None, "vulnerabilities": None}
    return {
        "platform": name,
        **described,
        "ageSeconds": round(now - snapshot.checked, 1) if snapshot is not None else None,
        "sources": snapshot.sources if snapshot is not None else {},
        "refresh": {
            "failures": status.failures,
            "error": status.error,
            "alarm": status.alarm,
            "damage": status.damage,
            "empty": status.is_empty,
            "stillGrowing": status.is_growing,
        },
    }
