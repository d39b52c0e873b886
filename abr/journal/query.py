"""What the journal asks its file for."""

PAGE = 500
"""Releases read at a time: no reader holds up a checkpoint for long."""

INIT = -1
"""The number of an init in the table of deliveries."""

_SEGMENT = "g.start, g.duration, g.size, g.sha256, g.moof_offset, g.first_sample_end, g.parts, g.gap, g.slate, g.key_id, g.shed"

RELEASES = f"""
    SELECT r.sequence, s.discontinuity, r.session, r.number, g.rendition, {_SEGMENT}
    FROM (SELECT * FROM releases WHERE channel = :channel AND sequence > :after
          AND (:event IS NULL OR session IN (SELECT key FROM sessions WHERE event = :event))
          ORDER BY sequence LIMIT {PAGE}) r
    JOIN sessions s ON s.key = r.session
    JOIN segments g ON g.session = r.session AND g.number = r.number
    ORDER BY r.sequence, g.rendition
"""  # noqa: S608 - constants only

MISSING = f"""
    SELECT r.sequence, s.discontinuity, r.session, r.number, g.rendition, {_SEGMENT}
    FROM releases r
    JOIN sessions s ON s.key = r.session
    JOIN segments g ON g.session = r.session AND g.number = r.number
    WHERE r.channel = :channel AND r.sequence > :after AND g.gap = 0
      AND (:event IS NULL OR s.event = :event)
      AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.origin = (SELECT key FROM origins WHERE name = :origin)
                      AND d.session = g.session AND d.number = g.number AND d.rendition = g.rendition)
    ORDER BY r.sequence, g.rendition
"""  # noqa: S608 - constants only

MISSING_INITS = """
    SELECT i.session, i.rendition, i.sha256, i.size
    FROM inits i JOIN sessions s ON s.key = i.session
    WHERE s.channel = :channel AND (:event IS NULL OR s.event = :event)
      AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.origin = (SELECT key FROM origins WHERE name = :origin)
                      AND d.session = i.session AND d.number = -1 AND d.rendition = i.rendition)
    ORDER BY i.session, i.rendition
"""

DELIVERIES = """
    SELECT d.session, d.rendition, d.number, d.size, d.etag, d.wall
    FROM deliveries d JOIN origins o ON o.key = d.origin
    WHERE o.name = :origin AND d.state = :state AND (:session IS NULL OR d.session = :session)
    ORDER BY d.session, d.number, d.rendition
"""
