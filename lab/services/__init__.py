"""TCP services of the simulated devices: web pages, ONVIF, RTSP, TLS, telnet and ports that stay silent.

`family` holds the shape in which a maker's firmware is described, `families` one file a maker, the other files the
protocols. What differs between makers stands in the maker's file only.
"""
