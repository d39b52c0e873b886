"""The rules by which a published stream is judged: id, level and one sentence each."""

from typing import NamedTuple


class Rule(NamedTuple):
    """One rule. `level` is M (the protocol's MUST), A (Apple), I (DASH-IF), S (should) or V (DVB, HbbTV)."""

    id: str
    level: str
    text: str


BINDING = frozenset("MAI")
"""Levels whose findings make a stream wrong; the others are advice."""

_HLS_LISTS = """
H-00 M A playlist can be fetched and read (RFC 8216bis 4)
H-01 M #EXTM3U is the first line; UTF-8 without a byte order mark
H-02 M a media playlist tag stands at most once; no media tags in a multivariant, nor the reverse
H-03 M TARGETDURATION is there, an integer of at least 1
H-04 M each EXTINF, rounded, is at most TARGETDURATION
H-05 M EXT-X-VERSION is as high as the tags need
H-05s S EXT-X-VERSION is no higher than the tags need
H-06 M each fMP4 segment has an EXT-X-MAP that can be fetched
H-07 M each listed URI can be fetched, unless it is a GAP
H-08 M MAP, KEY, DISCONTINUITY and PROGRAM-DATE-TIME stand before the first PART of their segment
H-09 M MEDIA-SEQUENCE and DISCONTINUITY-SEQUENCE stand before the first segment
H-10 M DISCONTINUITY where number, type, id or timescale of tracks change
H-11 M lost media is listed as GAP, not left out
H-12 M EXT-X-BITRATE is within 10 % of each segment that it covers
H-20 M a sliding list has no PLAYLIST-TYPE; EVENT only appends; VOD never changes
H-21 M a VOD list has ENDLIST; no PRELOAD-HINT beside ENDLIST
H-31 S PROGRAM-DATE-TIME with zone and milliseconds
H-32 M PROGRAM-DATE-TIME advances by EXTINF between discontinuities (50 ms)
H-33 M all lists have PROGRAM-DATE-TIME or none, with one mapping to media time (20 ms video, 50 ms audio)
H-34 S PROGRAM-DATE-TIME on each segment that follows a DISCONTINUITY
H-35 M DATERANGE ids are unique, and the same in all lists that have any
"""

_HLS_MEDIA = """
H-40 M the init is ftyp (iso6 or higher) and moov with mvex
H-41 M mvhd and tkhd durations in the init are 0
H-42 M sample counts in the init are 0
H-43 M each traf has a tfdt
H-44 M data is addressed from the moof, without base_data_offset and external data
H-45 M boxes are whole and samples lie inside mdat
H-46 M a segment's decode time is that of the one before plus its samples, unless DISCONTINUITY
H-47 A video segments start with an IDR picture, marked as sync sample
"""

_HLS_VARIANTS = """
H-50 M STREAM-INF has BANDWIDTH
H-51 M BANDWIDTH is at least the measured peak of the variant with its largest renditions
H-52 M CODECS names each format of the variant and its renditions, as the init has it
H-53 M RESOLUTION is the display size
H-54 M FRAME-RATE is the frame rate to 3 decimals
H-55 A INDEPENDENT-SEGMENTS in the multivariant or in each video list
H-56 M I-frame lists: attributes, I-FRAMES-ONLY, EXTINF to the next I-frame, ranges of moof and one IDR
H-60 M NAMEs within a group are present and different
H-61 M at most one DEFAULT in a group
H-62 M DEFAULT=YES is not AUTOSELECT=NO
H-63 S CHANNELS on audio renditions
H-64 M groups of one TYPE have the same members with the same attributes
H-65 M AUDIO, SUBTITLES and VIDEO name groups that exist; CLOSED-CAPTIONS=NONE on all or none
H-66 M an audio rendition without URI is inside each video rendition
H-70 M one TARGETDURATION in all media playlists
H-71 M matching content has matching timestamps in all video renditions (1.5 ms)
H-72 M matching content has matching discontinuity sequence numbers
H-73 S audio segments begin within 100 ms of the video's
H-74 M content that one list alone has is at its ends, and not longer than a target duration
H-75 S the same encoded audio in all variants
"""

_APPLE = """
A-1.10 S parameter sets stand in the sample entry (avc1, hvc1)
A-1.13 S an IDR picture at least every 2 s
A-1.19 S at most 60 frames a second
A-1.26 A finished: measured average within 10 % of AVERAGE-BANDWIDTH
A-1.27 A finished: measured peak within 10 % of BANDWIDTH
A-1.28 A live: average over an hour below 110 % of AVERAGE-BANDWIDTH
A-1.29 A live: peak below 125 % of BANDWIDTH
A-1.30 S finished: peak at most 200 % of the average
A-1.33 S one aspect ratio in all variants
A-2.3 A stereo AAC is offered where there is audio
A-2.4 A no HE-AAC above 64 kbit/s
A-2.11 A the channel layout changes only at a DISCONTINUITY
A-2.17 A one audio stream in a segment
A-2.24 A SBR is signalled explicitly
A-6.1 A there are I-frame playlists
A-6.2 S one I-frame a second
A-7.5 S target and segment durations are 6 s
A-7.7 A no segment is over the target duration by more than 0.5 s
A-8.1 A the sum of EXTINF of any run of segments is within a video frame of the media
A-8.3 A finished: audio and video lists last equally long
A-8.4 A PROGRAM-DATE-TIME in each live list
A-8.6 A static content says PLAYLIST-TYPE VOD
A-8.8 A a list that grows from its start says PLAYLIST-TYPE EVENT
A-8.10 A LANGUAGE on each EXT-X-MEDIA except VIDEO
A-8.11 A a sliding list has at least 6 segments
A-8.12 S a sliding list is at least 15 min long
A-8.13 A discontinuities stand at the same points in all lists
A-8.17 A a live list with DISCONTINUITY has DISCONTINUITY-SEQUENCE
A-8.18 A media is not redirected
A-8.24 S Last-Modified of a live list is within 3 target durations of Date
A-9.1 A CODECS on STREAM-INF and I-FRAME-STREAM-INF
A-9.2 A RESOLUTION on video STREAM-INF and I-FRAME-STREAM-INF
A-9.5 S audio and video are apart
A-9.9 S several bit rates
A-9.10 S two variants at the highest size
A-9.14 A AVERAGE-BANDWIDTH
A-9.15 A FRAME-RATE
A-9.16 A VIDEO-RANGE unless all is SDR
A-9.21 A cellular: one variant of at most 192 kbit/s
A-10.1 A a CDN delivers playlists with gzip
A-10.4 S MIME types of playlists, inits and segments
A-14 A low latency: appendix B
"""

_LIVE = """
L-01 M a new segment no later than 1.5 target durations after the one before
L-02 M MEDIA-SEQUENCE never falls and rises by one for each removed segment
L-03 M TARGETDURATION never changes
L-04 M a listed segment keeps number, URI and EXTINF
L-05 M a segment keeps its discontinuity sequence number
L-06 M a segment keeps its PROGRAM-DATE-TIME
L-07 M a playlist is always there
L-08 M a playlist is never half written
L-09 M DISCONTINUITY-SEQUENCE never falls, and rises by one for each DISCONTINUITY removed
L-10 M segments leave at the front only
L-11 M no removal leaves less than 3 target durations
L-12 M the newest segment can be had when it is listed
L-13 M a removed segment can be had for its duration and that of the longest list that had it
L-14 A a segment is not listed before its time
L-15 S the distance to the clock is steady
L-16 S all renditions stand within one segment
L-17 M after a restart the sequence goes on, with DISCONTINUITY, new URIs and the real pause
L-18 M at the end every list gets ENDLIST
L-19 S live lists are cached briefly, segments long
LL M low latency, all of LL-01 to LL-50
"""

_CMAF = """
C-01 S a CMAF brand in ftyp
C-02 M fragments follow each other in decode time, within a segment and between segments
C-03 M default-base-is-moof and a data offset in each run
C-04 M one track in a file, one traf in a moof
C-05 M edit lists and composition offsets as the brand allows
C-06 M AAC edit lists are the same in every audio rendition
C-07 S styp with a CMAF or DASH segment brand
C-08 M headers of a switching set agree in media type, timescale, sample entry and track id
C-09 M video renditions have the same fragments at the same decode times
C-10 M segments of all Representations of a set begin at the same presentation time
C-12 M all tracks have one time origin and end within one segment of each other
C-13 M the AAC core profile, where its brand is given
C-14 M size, level and frame rate of AVC fit the level
C-15 S the same frames are IDR in all rungs
C-16 M lip sync of the source is kept
C-17 M all of it decodes without error, each sample to one frame
C-18 S the right picture at the right time
"""

_DASH = """
D-01 M the MPD is well formed, its elements known and in the schema's order
D-02 M profiles names isoff-live, isoff-ext-live or cmaf
D-03 M minBufferTime is there
D-05 S MIME type application/dash+xml
D-06 I durations without years and months
D-07 M Period ids differ
D-08 M Representation ids differ within a Period
D-09 I no Period lasts 0
D-10 M dynamic: availabilityStartTime
D-11 M dynamic: publishTime
D-12 M dynamic: Period@id
D-13 M dynamic: minimumUpdatePeriod or mediaPresentationDuration
D-14 I dynamic: UTCTiming of a known scheme
D-15 I the UTCTiming source answers
D-16 I the UTCTiming source has the right time (200 ms, http-head 1 s)
D-17 I suggestedPresentationDelay is below timeShiftBufferDepth
D-18 S suggestedPresentationDelay is at least 2 segments
D-19 V minimumUpdatePeriod is 0 or at least 1 s
D-20 M static: the end is known and is the sum of the Periods
D-21 M static: no minimumUpdatePeriod, no timeShiftBufferDepth
D-22 I static: the first Period starts at 0
D-23 I LeapSecondInformation where the stream may live over a leap second
D-30 I segmentAlignment, and startWithSAP 1 or 2
D-31 I AdaptationSet@id
D-32 S audio: lang
D-33 I audio: AudioChannelConfiguration
D-34 V audio: Role, one of them main
D-35 S video: maxWidth, maxHeight and maxFrameRate, where given, are the true maxima
D-36 M codecs, mimeType and bandwidth
D-37 I timescale is written
D-38 M templates have $Number$ or $Time$ in media, not in initialization, and known identifiers only
D-39 M duration or SegmentTimeline, not both
D-40 I no gap and no overlap in the timeline
D-41 I times are below 2^53
D-42 M no segment is longer than maxSegmentDuration
D-50 M the init can be fetched and has one track
D-51 M codecs is as the init has it
D-52 M timescale is that of the track
D-53 M width and height are those of the track
D-54 M the sampling rate is that of the track
D-56 M each listed segment that is due can be fetched
D-57 M S@t is the earliest presentation time
D-58 M S@d is the duration of the segment
D-59 M segments start with a stream access point of type 1 or 2
D-60 M no segment is late at @bandwidth after minBufferTime
D-61 S @bandwidth is near the measured rate
D-62 I static: the media covers the Period
"""

_DASH_LIVE = """
D-70 M the MPD is always there
D-71 M the MPD is never half written
D-72 M publishTime grows with each change
D-73 I availabilityStartTime never changes
D-74 M publishTime is not in the future
D-75 M MPD@id and Period@id stay
D-76 M Period@start stays
D-77 I the set and order of AdaptationSets and Representations stay
D-78 M timescale, presentationTimeOffset, bandwidth and codecs stay
D-79 M known segments keep number, time and duration
D-80 M the end of the timeline only grows
D-81 M the start of the timeline only moves forward
D-82 I a segment leaves when its end is older than timeShiftBufferDepth, and not before
D-83 M a listed segment can be had from its availability start time
D-84 M a segment can be had until the end of the time shift buffer
D-85 M the MPD is renewed in time
D-86 S segments are not listed late
D-87 S segments are not listed before their time
D-88 I media time does not drift against the clock
D-89 I segments are added to the last Period only
D-90 I a Period after a break has its own start, and period-connectivity where ids return
D-91 I HLS and DASH agree in breaks and times
D-92 I the end: duration, no minimumUpdatePeriod, static
D-93 S live to VOD: starts at 0
D-94 S conditional requests of the MPD are possible (ETag or Last-Modified)
D-95 V limits of HbbTV: segments of 1 to 15 s, 16 sets, 16 Representations, 64 Periods, 256 KiB
D-96 I low latency: service description and producer reference time
"""


def _table(*texts: str) -> dict[str, Rule]:
    lines = (line.split(" ", 2) for text in texts for line in text.strip().splitlines())
    return {identity: Rule(identity, level, text) for identity, level, text in lines}


RULES = _table(_HLS_LISTS, _HLS_MEDIA, _HLS_VARIANTS, _APPLE, _LIVE, _CMAF, _DASH, _DASH_LIVE)
"""Every rule by its id, in the order of a report."""
