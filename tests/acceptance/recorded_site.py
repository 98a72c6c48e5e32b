"""A site of recorded replies: what the makers' own files give as proof of their signals, an address a maker."""

import base64
import json

from rules.makers import load

MAKERS = {f"10.20.30.{number}": maker for number, maker in enumerate(
    ("axis", "dahua", "hikvision", "reolink", "tiandy", "uniview", "zte"), 10)}


def replies():
    """The file that ``camvet import`` reads."""
    lines = [{"device": address, "transport": sample.transport, "port": sample.port or 80,
              "data": base64.b64encode(sample.payload()).decode()}
             for address, maker in MAKERS.items() for signal in load()[maker].signals for sample in signal.yes]
    return "".join(json.dumps(line) + "\n" for line in lines)
