"""What srt.h of libsrt 1.5 fixes: numbers of options and errors, and the layout of the readings."""

import ctypes
from enum import IntEnum


class Option(IntEnum):
    """SRTO_…, as srt.h of 1.5 numbers them."""

    RCVSYN = 2
    RCVTIMEO = 14
    PASSPHRASE = 26
    PBKEYLEN = 27
    SNDTIMEO = 13
    RCVKMSTATE = 41
    RCVLATENCY = 43
    PEERVERSION = 35
    CONNTIMEO = 36
    STREAMID = 46
    TRANSTYPE = 50
    IPV6ONLY = 54
    PEERIDLETIMEO = 55


class Reject(IntEnum):
    """SRT_REJ_…: why libsrt itself refused a connection."""

    PEER = 2
    RESOURCE = 3
    BADSECRET = 10
    UNSECURE = 11
    TIMEOUT = 16


class Failure(IntEnum):
    """SRT_E…: the errors that mean something to us."""

    NO_SERVER = 1001
    REJECTED = 1002
    CLOSED = 1005
    LOST = 2001
    NOT_CONNECTED = 2002
    BAD_SOCKET = 5004
    PORT_TAKEN = 5011
    PORT_SHARED = 5016
    NOTHING_TO_ACCEPT = 6002
    TIMED_OUT = 6003


class PerfMon(ctypes.Structure):
    """CBytePerfMon, with room for what later versions append."""

    _fields_ = (
        ("msTimeStamp", ctypes.c_int64),
        *((name, ctypes.c_int64) for name in ("pktSentTotal", "pktRecvTotal")),
        *(
            (name, ctypes.c_int)
            for name in (
                "pktSndLossTotal", "pktRcvLossTotal", "pktRetransTotal", "pktSentACKTotal", "pktRecvACKTotal",
                "pktSentNAKTotal", "pktRecvNAKTotal",
            )
        ),
        ("usSndDurationTotal", ctypes.c_int64),
        *((name, ctypes.c_int) for name in ("pktSndDropTotal", "pktRcvDropTotal", "pktRcvUndecryptTotal")),
        *(
            (name, ctypes.c_uint64)
            for name in (
                "byteSentTotal", "byteRecvTotal", "byteRcvLossTotal", "byteRetransTotal", "byteSndDropTotal",
                "byteRcvDropTotal", "byteRcvUndecryptTotal",
            )
        ),
        *((name, ctypes.c_int64) for name in ("pktSent", "pktRecv")),
        *(
            (name, ctypes.c_int)
            for name in (
                "pktSndLoss", "pktRcvLoss", "pktRetrans", "pktRcvRetrans", "pktSentACK", "pktRecvACK",
                "pktSentNAK", "pktRecvNAK",
            )
        ),
        *((name, ctypes.c_double) for name in ("mbpsSendRate", "mbpsRecvRate")),
        ("usSndDuration", ctypes.c_int64),
        ("pktReorderDistance", ctypes.c_int),
        ("pktRcvAvgBelatedTime", ctypes.c_double),
        ("pktRcvBelated", ctypes.c_int64),
        *((name, ctypes.c_int) for name in ("pktSndDrop", "pktRcvDrop", "pktRcvUndecrypt")),
        *(
            (name, ctypes.c_uint64)
            for name in (
                "byteSent", "byteRecv", "byteRcvLoss", "byteRetrans", "byteSndDrop", "byteRcvDrop",
                "byteRcvUndecrypt",
            )
        ),
        ("usPktSndPeriod", ctypes.c_double),
        *((name, ctypes.c_int) for name in ("pktFlowWindow", "pktCongestionWindow", "pktFlightSize")),
        ("msRTT", ctypes.c_double),
        ("later", ctypes.c_char * 1024),
    )  # fmt: skip
