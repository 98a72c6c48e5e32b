"""A site's router: a UPnP gateway that lists the ports it opened, and would open more for whoever asks.

Option ``opens``: ``external/protocol:host:internal`` separated by spaces, the host as its last octet. Its list can be
changed here too, as in the field: `AddPortMapping` and `DeletePortMapping` are answered, so that whoever must not send
them can be caught. Control and description stand on the port of the option ``web_port``.
"""

from __future__ import annotations

import re

from lab.persona import Persona
from lab.services.family import Document, Family, Web, html
from lab.services.login import Login
from lab.services.message import Reply, Request

__all__ = ["CONTROL", "FAMILY", "WEB_PORT"]

WEB_PORT = 5000
CONTROL = "/ctl/IPConn"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
INDEX = re.compile(rb"<NewPortMappingIndex>(\d{1,5})</NewPortMappingIndex>")
ACTION = re.compile(r'^"urn:schemas-upnp-org:service:WANIPConnection:1#(\w{1,40})"$')


def _root(persona: Persona) -> Reply:
    return html(f"{persona.brand} {persona.model}", '<form id="login"></form>')


def _description(persona: Persona, _request: Request) -> Reply:
    text = (f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>'
            f"urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>Router</friendlyName><manufacturer>{persona.brand}"
            f"</manufacturer><modelName>{persona.model}</modelName><deviceList><device><deviceType>urn:schemas-upnp-org:"
            f"device:WANConnectionDevice:1</deviceType><serviceList><service><serviceType>{SERVICE}</serviceType>"
            f"<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>{CONTROL}</controlURL></service>"
            "</serviceList></device></deviceList></device></root>")
    return Reply(200, text.encode(), "text/xml")


def _control(persona: Persona, request: Request) -> Reply:
    found = ACTION.match(request.header("SOAPAction"))
    action = found[1] if found and request.method == "POST" else ""
    if action in ("AddPortMapping", "DeletePortMapping"):
        return Reply(200, _envelope(f'<u:{action}Response xmlns:u="{SERVICE}"/>'), "text/xml")
    index = INDEX.search(request.body)
    if action != "GetGenericPortMappingEntry" or index is None:
        return _error(401, "Invalid Action")
    entries = persona.options.get("opens", "").split()
    if int(index[1]) >= len(entries):
        return _error(713, "SpecifiedArrayIndexInvalid")
    outside, host, inside = entries[int(index[1])].split(":")
    port, protocol = outside.split("/")
    client = f"{request.header('Host').partition(':')[0].rpartition('.')[0]}.{host}"
    body = (f'<u:{action}Response xmlns:u="{SERVICE}"><NewRemoteHost></NewRemoteHost><NewExternalPort>{port}'
            f"</NewExternalPort><NewProtocol>{protocol.upper()}</NewProtocol><NewInternalPort>{inside}</NewInternalPort>"
            f"<NewInternalClient>{client}</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>"
            f"camera</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration></u:{action}Response>")
    return Reply(200, _envelope(body), "text/xml")


def _error(code: int, text: str) -> Reply:
    return Reply(500, _envelope(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="
        f'"urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode><errorDescription>{text}</errorDescription>'
        "</UPnPError></detail></s:Fault>"), "text/xml")


def _envelope(body: str) -> bytes:
    return ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f"{body}</s:Body></s:Envelope>").encode()


FAMILY = Family(
    name="router",
    web=Web(
        login=Login(lambda _persona: "Router", lambda name, _nonce: (f'Basic realm="{name}"',), basic=True),
        root=_root,
        documents={"/rootDesc.xml": Document(_description, login=False), CONTROL: Document(_control, login=False)},
        protected=("/admin/",),
        ports=(WEB_PORT,),
    ),
)
