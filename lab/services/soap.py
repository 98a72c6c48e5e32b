"""ONVIF device and media services (ver10) over SOAP 1.2, as far as a scanner and a gate ask.

Pre-authentication calls are open, the rest wants a WS-UsernameToken digest or HTTP Digest; how a device refuses is its
family's manner. Answers keep to the WSDL, so a strict client can read them.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from lab.datagrams import wsd
from lab.persona import Persona
from lab.services.family import Family, Onvif, Place, Refusal, at_own_path, declared_mac, declared_serial
from lab.services.login import Doorkeeper, read_token, token_fits
from lab.services.message import Reply, Request

__all__ = ["OnvifService"]

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ERROR = "http://www.onvif.org/ver10/error"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"
CONTENT_TYPE = "application/soap+xml; charset=utf-8"
LOGIN_ATTEMPTS = 30
REMEMBERED_NONCES = 512

# ONVIF Core Specification, access class PRE_AUTH.
PRE_AUTH = frozenset({
    "GetWsdlUrl", "GetServices", "GetServiceCapabilities", "GetCapabilities", "GetHostname", "GetSystemDateAndTime",
    "GetEndpointReference",
})
# What a device with anonymous ONVIF gives away.
GIVEN_AWAY = frozenset({"GetDeviceInformation", "GetProfiles", "GetStreamUri", "GetVideoSources"})

OPERATION = re.compile(rb"<(?:[\w-]+:)?Body\b[^>]*>\s*<(?:[\w-]+:)?(\w{1,64})")
PROFILE_TOKEN = re.compile(rb"<(?:[\w-]+:)?ProfileToken[^>]*>\s*([^<\s]{1,64})")


class OnvifService:
    """One device's ONVIF endpoint; every path under ``/onvif/`` answers every operation it has."""

    def __init__(self, persona: Persona, place: Place, firmware: Family, look: Family) -> None:
        if firmware.onvif is None:
            raise ValueError(f"the family {firmware.name} has no ONVIF")
        self._persona, self._place, self._manner = persona, place, firmware.onvif
        self._rtsp = at_own_path(persona, firmware.rtsp) if firmware.rtsp else None
        login = firmware.onvif.login
        # A relabelled device names the label in its realm; the nonce stays the firmware's.
        self._door = Doorkeeper(login if look is firmware else replace(login, realm=look.web.login.realm), persona,
                                place.record.note_failed_login)
        self._attempts_left = LOGIN_ATTEMPTS
        self._nonces: deque[bytes] = deque(maxlen=REMEMBERED_NONCES)
        self._operations: dict[str, Callable[[Request, str], str]] = {
            "GetSystemDateAndTime": self._date_and_time, "GetServices": self._services,
            "GetCapabilities": self._capabilities, "GetScopes": self._scopes,
            "GetDeviceInformation": self._information, "GetHostname": self._hostname,
            "GetNetworkInterfaces": self._interfaces, "GetServiceCapabilities": self._service_capabilities,
            "GetUsers": self._users, "GetEndpointReference": self._endpoint_reference,
            "GetProfiles": self._profiles, "GetStreamUri": self._stream_uri, "GetVideoSources": self._video_sources,
        }

    def answer(self, request: Request, base: str) -> Reply:
        """The reply to one SOAP call; `base` is the origin, with ``{address}`` for the device's address."""
        if request.method != "POST":
            return Reply(405)
        found = OPERATION.search(request.body)
        if found is None:
            return self._fault("Sender", "WellFormed", "Well-formed Error", 400)
        name = found[1].decode()
        refusal = None if self._is_open(name) else self._refusal(request)
        if refusal is not None:
            return refusal
        operation = self._operations.get(name)
        if operation is None:
            return self._fault("Receiver", "ActionNotSupported", "Optional Action Not Implemented", 500)
        body = operation(request, base.replace("{address}", self._place.address))
        if not body:
            return self._fault("Sender", "NoProfile", "The requested profile does not exist", 400)
        return Reply(200, self._envelope(body), CONTENT_TYPE)

    def _is_open(self, operation: str) -> bool:
        given_away = self._persona.anonymous_onvif and operation in GIVEN_AWAY
        return operation in PRE_AUTH or operation in self._manner.open_operations or given_away

    def _refusal(self, request: Request) -> Reply | None:
        """None where the login is right."""
        if self._door.admits(request):
            return None
        token = read_token(request.body)
        if token is not None:
            if token_fits(token, self._persona, self._now()):
                if token.nonce in self._nonces and self._persona.options.get("replays") != "yes":
                    return self._not_authorized(self._manner.fault_status)     # a right login, but heard before
                self._nonces.append(token.nonce)
                self._attempts_left = LOGIN_ATTEMPTS
                return None
            self._attempts_left = max(0, self._attempts_left - 1)
            self._place.record.note_failed_login()
            return self._not_authorized(self._manner.fault_status)
        match self._manner.refusal:
            case Refusal.CHALLENGE:
                return Reply(401, headers=self._door.challenge())
            case Refusal.BOTH:
                return replace(self._not_authorized(401), headers=self._door.challenge())
            case Refusal.FAULT:
                return self._not_authorized(self._manner.fault_status)

    def _not_authorized(self, status: int) -> Reply:
        reason = self._manner.reason.replace("{left}", str(self._attempts_left))
        return self._fault("Sender", "NotAuthorized", reason, status)

    def _fault(self, code: str, subcode: str, reason: str, status: int) -> Reply:
        p = self._manner.prefix
        body = (f"<{p}:Fault><{p}:Code><{p}:Value>{p}:{code}</{p}:Value><{p}:Subcode><{p}:Value>ter:{subcode}"
                f'</{p}:Value></{p}:Subcode></{p}:Code><{p}:Reason><{p}:Text xml:lang="en">{escape(reason)}'
                f"</{p}:Text></{p}:Reason></{p}:Fault>")
        return Reply(status, self._envelope(body), CONTENT_TYPE)

    def _envelope(self, body: str) -> bytes:
        p = self._manner.prefix
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}:Envelope xmlns:{p}="{SOAP}" xmlns:ter="{ERROR}" '
                f'xmlns:tds="{DEVICE}" xmlns:trt="{MEDIA}" xmlns:tt="{SCHEMA}"><{p}:Body>{body}</{p}:Body>'
                f"</{p}:Envelope>\n").encode()

    def _now(self) -> datetime:
        skew = int(self._persona.options.get("clock_skew_s", "0"))
        return datetime.fromtimestamp(time.time(), tz=UTC) + timedelta(seconds=skew)

    def _date_and_time(self, _request: Request, _base: str) -> str:
        now = self._now()
        moment = (f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}"
                  f"</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
                  f"<tt:Day>{now.day}</tt:Day></tt:Date>")
        return ("<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>"
                f"<tt:UTCDateTime>{moment}</tt:UTCDateTime><tt:LocalDateTime>{moment}</tt:LocalDateTime>"
                "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")

    def _services(self, _request: Request, base: str) -> str:
        rows = "".join(
            f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{base}{path}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for namespace, path in ((DEVICE, "/onvif/device_service"), (MEDIA, self._manner.media_path)))
        return f"<tds:GetServicesResponse>{rows}</tds:GetServicesResponse>"

    def _capabilities(self, _request: Request, base: str) -> str:
        return (f"<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>{base}/onvif/device_service"
                f"</tt:XAddr></tt:Device><tt:Media><tt:XAddr>{base}{self._manner.media_path}</tt:XAddr>"
                "<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
                "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media></tds:Capabilities>"
                "</tds:GetCapabilitiesResponse>")

    def _service_capabilities(self, request: Request, _base: str) -> str:
        if MEDIA.encode() in request.body:
            return ("<trt:GetServiceCapabilitiesResponse><trt:Capabilities><trt:ProfileCapabilities/>"
                    "<trt:StreamingCapabilities/></trt:Capabilities></trt:GetServiceCapabilitiesResponse>")
        return ("<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security/><tds:System/>"
                "</tds:Capabilities></tds:GetServiceCapabilitiesResponse>")

    def _scopes(self, _request: Request, _base: str) -> str:
        rows = "".join(f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{escape(scope)}</tt:ScopeItem>"
                       "</tds:Scopes>" for scope in wsd.scopes(self._persona))
        return f"<tds:GetScopesResponse>{rows}</tds:GetScopesResponse>"

    def _information(self, _request: Request, _base: str) -> str:
        persona, manner = self._persona, self._manner
        return ("<tds:GetDeviceInformationResponse>"
                f"<tds:Manufacturer>{escape(persona.manufacturer)}</tds:Manufacturer>"
                f"<tds:Model>{escape(manner.model(persona))}</tds:Model>"
                f"<tds:FirmwareVersion>{escape(manner.firmware(persona))}</tds:FirmwareVersion>"
                f"<tds:SerialNumber>{escape(declared_serial(persona))}</tds:SerialNumber>"
                f"<tds:HardwareId>{escape(persona.hardware)}</tds:HardwareId></tds:GetDeviceInformationResponse>")

    def _hostname(self, _request: Request, _base: str) -> str:
        name = f"{self._persona.family}-{declared_mac(self._persona).replace(':', '').lower()}"
        name = self._persona.options.get("hostname", name)
        return (f"<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>{name}"
                "</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>")

    def _interfaces(self, _request: Request, _base: str) -> str:
        return ('<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
                f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{declared_mac(self._persona).lower()}</tt:HwAddress>"
                "<tt:MTU>1500</tt:MTU></tt:Info></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>")

    def _users(self, _request: Request, _base: str) -> str:
        return (f"<tds:GetUsersResponse><tds:User><tt:Username>{escape(self._persona.user)}</tt:Username>"
                "<tt:UserLevel>Administrator</tt:UserLevel></tds:User></tds:GetUsersResponse>")

    def _endpoint_reference(self, _request: Request, _base: str) -> str:
        return (f"<tds:GetEndpointReferenceResponse><tds:GUID>{wsd.endpoint_reference(self._persona)}</tds:GUID>"
                "</tds:GetEndpointReferenceResponse>")

    def _video_sources(self, _request: Request, _base: str) -> str:
        return ('<trt:GetVideoSourcesResponse><trt:VideoSources token="VideoSource_1"><tt:Framerate>25</tt:Framerate>'
                "<tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>"
                "</trt:VideoSources></trt:GetVideoSourcesResponse>")

    def _profiles(self, _request: Request, _base: str) -> str:
        sizes = ((1920, 1080), (640, 360))
        rows = "".join(_profile(self._manner, number, *sizes[number % 2])
                       for number in range(len(self._manner.profiles)))
        return f"<trt:GetProfilesResponse>{rows}</trt:GetProfilesResponse>"

    def _stream_uri(self, request: Request, _base: str) -> str:
        found = PROFILE_TOKEN.search(request.body)
        token = found[1].decode("utf-8", "replace") if found else ""
        if token not in self._manner.profiles or self._rtsp is None:
            return ""
        paths = self._rtsp.paths
        number = self._manner.profiles.index(token)
        path, query = paths[min(number, len(paths) - 1)], self._rtsp.query.format(number=number)
        port = self._place.port(554)
        host = self._place.address if port == 554 else f"{self._place.address}:{port}"
        uri = f"rtsp://{host}{path}?{query}" if query else f"rtsp://{host}{path}"
        return (f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri><tt:InvalidAfterConnect>false"
                "</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S"
                "</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>")


def _profile(manner: Onvif, number: int, width: int, height: int) -> str:
    token = manner.profiles[number]
    multicast = ("<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address>"
                 "</tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>")
    return (f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
            '<tt:VideoSourceConfiguration token="VideoSourceConfig_1"><tt:Name>VideoSourceConfig_1</tt:Name>'
            "<tt:UseCount>2</tt:UseCount><tt:SourceToken>VideoSource_1</tt:SourceToken>"
            '<tt:Bounds x="0" y="0" width="1920" height="1080"/></tt:VideoSourceConfiguration>'
            f'<tt:VideoEncoderConfiguration token="Encoder_{number}"><tt:Name>Encoder_{number}</tt:Name>'
            "<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>"
            f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
            "<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit>"
            "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>"
            f"<tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>{multicast}"
            "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>")
