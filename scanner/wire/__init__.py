"""Sans-IO codecs, a file a protocol: ``request(...) -> bytes`` and ``parse(data, source, now) -> Fields | Refusal``.

Nothing here opens a socket, reads a clock or raises on what a device sent. `Fields` (``scanner.wire.fields``) is a
plain dict in the vocabulary of ``docs/observations.md``; every text in it is decoded, cleaned, capped and free of
credentials. Builders raise `ValueError` only for what a caller, not a device, got wrong (a line break in a path).

Every ``parse`` has the signature ``parse(data: bytes, source: Endpoint, now: datetime, ...) -> Fields | Refusal``.

==============  ======================================================================================================
module          what it offers beside ``parse``
==============  ======================================================================================================
wsdiscovery     ``requests(ids) -> tuple[bytes, bytes, bytes]``, ``request(shape, message_id)``; GROUP, PORT
soap            ``request(operation, *, header="", soap11=False, arguments=None)``, ``http_headers(operation, soap11)``,
                ``parse_response(response, operation, source, now)`` for a whole HTTP reply; OPERATIONS
auth            ``Credentials``, ``challenges(values)``, ``strongest(challenges, allow_basic)``,
                ``authorization(challenge, credentials, method, uri, cnonce=…)``, ``username_token(…)``,
                ``challenge_fields(values)``
http            ``request(method, path, host, headers, body)``, ``read(data) -> Response | Refusal``,
                ``parse(…, path="/", document="")``, ``fields_of(response, …)``,
                ``parse_body``, ``parse_headers``, ``title(body)``, ``channels(body)``
rtsp            ``request(method, uri, cseq, headers)``, ``read(data)``, ``parse(…, path="")``
sdp             ``parse`` only
favicon         ``parse`` only
tls             ``parse_chain(certificates, source, now, version, cipher)``, ``parse_name(text, …)``
sadp            ``request(probe_id)``; GROUP, PORT
dhip            ``request(mac_filter="", uni=1)``; GROUP, PORT
dahua_v1 mhed   ``request()``; PORT, and GROUP, REPLY_GROUP, REPLY_PORT where the protocol has them
xiongmai gvcp   ``request()``, ``request(request_id)``
hanwha bosch    ``request()``, ``request(transaction)``
vivotek sony    ``request(session)``, ``request()``
panasonic       ``request(mac, address)``
tplink          ``request()``
foscam vstarcam ``request()``; ubiquiti has a GROUP too
vision360 nice  ``request()``, ``request(transaction, answer_port)``
advantech       ``request()``
cordex reolink  ``request()``; reolink has a REPLY_PORT
topsee          ``parse`` only: its reply shows passwords to the whole link, so nobody is asked for one
tplink_legacy   ``request()``, ``scramble(plain)``, ``unscramble(data)``
mdns            ``request(service_types, transaction=0)``; SERVICE_TYPES
ssdp            ``request(target, host)``; GROUP, PORT
banner snmp     ``parse`` only: what telnet, FTP or SMTP said first; sysDescr
sip dhcp        ``parse`` only: User-Agent or Server; vendor class
oui             ``normalise(text) -> str`` and ``prefix(mac) -> str``
xml json        the one hardened reader each: ``read(data)`` gives a Document, or a JSON value, or a Refusal
text            ``decode``, ``clean``, ``clean_block``, ``redact`` (bytes), ``redact_text``
scopes          ``parse(scopes) -> Fields``, of texts rather than bytes
channels        ``read(body) -> list[Fields]``, one for each camera behind a recorder
datagram        ``read(data, source, now) -> (transport, Fields | Refusal)`` for a datagram of unknown protocol
replies         ``read(transport, port, data, *, device, now, probe="import") -> list[Observation]``
==============  ======================================================================================================
"""
