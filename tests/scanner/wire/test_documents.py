"""Well-known documents: each is recognised by its content, and none is taken for another."""

import json

import pytest
from wire_samples import MAC_TEXT

from scanner.wire import channels, documents

UPNP = (
    b'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><friendlyName>Yard</friendlyName>'
    b"<manufacturer>AXIS</manufacturer><modelName>AXIS P1</modelName><modelName>AXIS P1</modelName>"
    b"<serialNumber>0012345678AB</serialNumber><UDN>uuid:1</UDN>"
    b"<deviceList><device><manufacturer>Somebody Else</manufacturer></device></deviceList></device></root>"
)
ISAPI = (
    b'<DeviceInfo version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"><deviceName>Gate</deviceName>'
    b"<manufacturer/><model>DS-0</model><serialNumber>DS-020240512</serialNumber><macAddress>00:12:34:56:78:ab</macAddress>"
    b"<firmwareVersion>V5.7.17</firmwareVersion><firmwareReleasedDate>build 240606</firmwareReleasedDate>"
    b"<deviceType>IPCamera</deviceType><systemContact>Hikvision.China</systemContact></DeviceInfo>"
)
INPUTS = (
    b'<InputProxyChannelList xmlns="http://www.isapi.org/ver20/XMLSchema">'
    b"<InputProxyChannel><id>1</id><name>A</name><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol>"
    b"<ipAddress>10.0.0.11</ipAddress><managePortNo>8000</managePortNo><userName>admin</userName><model>DS-1</model>"
    b"<serialNumber>DS-1X</serialNumber><firmwareVersion>V5.6.6 build 210625</firmwareVersion>"
    b"</sourceInputPortDescriptor></InputProxyChannel>"
    b"<InputProxyChannel><id>x</id></InputProxyChannel><InputProxyChannel><id>2</id><online>true</online>"
    b"</InputProxyChannel></InputProxyChannelList>"
)
LAPI = json.dumps(
    {
        "Response": {
            "ResponseURL": "/LAPI/V1.0/System/DeviceInfo",
            "Data": {
                "DeviceModel": "IPC-U",
                "SerialNumber": "2102",
                "FirmwareVersion": "B1213",
                "MAC": "00-12-34-56-78-AB",
            },
        }
    }
).encode()
LAPI_CHANNELS = json.dumps(
    {
        "Response": {
            "Data": {
                "Nums": 1,
                "DetailInfos": [
                    {
                        "ID": 3,
                        "Name": "Gate",
                        "Manufacturer": "HIKVISION",
                        "DeviceModel": "DS-1",
                        "AddressInfo": {"Address": "10.0.0.13"},
                    }
                ],
            }
        }
    }
).encode()
AXIS = (
    b"root.Brand.Brand=AXIS\r\nroot.Brand.ProdNbr=P1\r\nroot.Brand.ProdType=Network Camera\r\n"
    b"root.Properties.Firmware.Version=9.80.1\r\nroot.Properties.System.SerialNumber=0012345678AB\r\n"
)
AXIS_JSON = json.dumps(
    {"data": {"propertyList": {"Brand": "AXIS", "ProdNbr": "P1", "Version": "10.12", "SerialNumber": "0012345678AB"}}}
).encode()
SUNAPI = b"Model=XNO-1\r\nSerialNumber=Z1\r\nFirmwareVersion=1.41\r\nConnectedMACAddress=00:12:34:56:78:AB\r\n"
SUNAPI_CHANNELS = (
    b"Channel.0.Status=Success\r\nChannel.0.Model=XNV\r\nChannel.0.Protocol=Samsung\r\nChannel.0.IPAddress=10.0.0.11\r\n"
    b"Channel.2.Status=ConnectFail\r\nChannel.2.Model=DS-2\r\nChannel.2.Title=Gate\r\n"
)
SUNAPI_JSON = json.dumps(
    {"RegisteredCameras": [{"Channel": 0, "Status": "Success", "Model": "XNV", "Protocol": "Samsung"}]}
).encode()
REMOTE = (
    b"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Address=10.0.0.11\r\n"
    b"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.DeviceType=IPC-1\r\n"
    b"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Vendor=Private\r\n"
    b"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_0.Password=******\r\n"
    b"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_1.ProtocolType=Onvif\r\n"
)
REOLINK = json.dumps(
    [
        {
            "cmd": "GetDevInfo",
            "code": 0,
            "value": {
                "DevInfo": {
                    "model": "RLC-1",
                    "firmVer": "v3.0.0.136",
                    "hardVer": "IPC_1",
                    "serial": "0",
                    "type": "IPC",
                    "channelNum": 1,
                }
            },
        }
    ]
).encode()
TAPO = json.dumps(
    {
        "getDeviceInfo": {
            "device_info": {
                "basic_info": {
                    "device_model": "C100",
                    "device_type": "SMART.IPCAMERA",
                    "sw_version": "1.3 Build 240513 Rel.1n",
                    "mac": "00-12-34-56-78-AB",
                }
            }
        }
    }
).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            UPNP,
            {"document": "upnp", "manufacturer": "AXIS", "model": "AXIS P1", "mac": MAC_TEXT, "device_name": "Yard"},
        ),
        (
            ISAPI,
            {
                "document": "isapi-device-info",
                "model": "DS-0",
                "firmware": "V5.7.17",
                "firmware_build": "240606",
                "mac": MAC_TEXT,
                "system_contact": "Hikvision.China",
                "manufacturer": None,
            },
        ),
        (
            ISAPI.replace(b"http://www.hikvision.com/ver20/XMLSchema", b"urn:psialliance-org"),
            {"document": "psia", "model": "DS-0"},
        ),
        (
            b"<ResponseStatus><statusCode>3</statusCode><subStatusCode>deviceError</subStatusCode></ResponseStatus>",
            {"document": "isapi-status", "status_code": 3, "sub_status": "deviceError"},
        ),
        (INPUTS, {"document": "isapi-channels", "listed": 3, "model": None}),
        (
            b"<EventNotificationAlert><macAddress>00:12:34:56:78:ab</macAddress></EventNotificationAlert>",
            {"mac": MAC_TEXT},
        ),
        (LAPI, {"document": "lapi", "model": "IPC-U", "firmware": "B1213", "mac": MAC_TEXT}),
        (LAPI_CHANNELS, {"document": "lapi-channels", "listed": 1, "model": None}),
        (
            AXIS,
            {"document": "vapix-params", "manufacturer": "AXIS", "model": "P1", "firmware": "9.80.1", "mac": MAC_TEXT},
        ),
        (AXIS_JSON, {"document": "vapix-basic", "model": "P1", "firmware": "10.12", "mac": MAC_TEXT}),
        (SUNAPI, {"document": "sunapi-device", "model": "XNO-1", "firmware": "1.41", "serial": "Z1", "mac": MAC_TEXT}),
        (SUNAPI_CHANNELS, {"document": "sunapi-channels"}),
        (SUNAPI_JSON, {"document": "sunapi-channels", "listed": 1}),
        (REMOTE, {"document": "dahua-channels"}),
        (
            REOLINK,
            {"document": "reolink", "model": "RLC-1", "firmware": "v3.0.0.136", "hardware": "IPC_1", "channels": 1},
        ),
        (
            TAPO,
            {
                "document": "tplink",
                "model": "C100",
                "firmware": "1.3 Build 240513 Rel.1n",
                "firmware_build": None,
                "mac": MAC_TEXT,
            },
        ),
        (
            b"system_info_modelname='IB1'\r\nsystem_info_firmwareversion='0100a'",
            {"document": "vivotek-params", "model": "IB1", "firmware": "0100a"},
        ),
        (
            b"version=2.800.0000000.29.R,build:2021-06-30\r\n",
            {"document": "dahua-system", "firmware": "2.800.0000000.29.R", "firmware_build": "2021-06-30"},
        ),
        (b"deviceType=31\r\nserialNumber=ND02\r\nupdateSerial=DHI-NVR1\r\n", {"model": "DHI-NVR1", "serial": "ND02"}),
        (b"vendor=Dahua\r\n", {"document": "dahua-system", "manufacturer": "Dahua"}),
        (b"type=IP Camera\n", {"document": "dahua-system", "model": "IP Camera"}),
    ],
)
def test_a_document_is_recognised_and_read(body, expected):
    fields = documents.declared(body)
    assert {name: fields.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>vendor=Dahua</body></html>",
        b"just words",
        b"a=1\nno pair\nnothing\n",
        b"{}",
        b"[]",
        b"{",
        b"null",
        b'{"model": "x"}',
        b"color=red\n",
        b"<x/>",
        b"[[[[",
        b'{"Response": 5}',
        b'{"propertyList": []}',
    ],
)
def test_nothing_is_recognised_where_nothing_is_known(body):
    assert not documents.declared(body).keys() - {"namespaces", "xml_root"}


def test_what_was_asked_for_settles_what_content_cannot():
    assert documents.declared(b"Foo=1\n") == {}
    assert documents.declared(b"sn=7E0A\n", "dahua-system")["serial"] == "7E0A"


@pytest.mark.parametrize(("body", "field", "expected"), [
    (b"root.Brand.Brand=AXIS\nroot.Brand.ProdNbr=P1\nroot.Brand.Brand=Dahua\n", "manufacturer", "AXIS / Dahua"),
    (b"root.Brand.Brand=AXIS\nBrand.Brand=Dahua\n", "manufacturer", "Dahua / AXIS"),
    (b"root.Brand.Brand=AXIS\nBrand.Brand=AXIS\nroot.Brand.Brand=\n", "manufacturer", "AXIS"),
    (b"vendor=Amcrest\nvendor=Dahua\nvendor=Amcrest\n", "manufacturer", "Amcrest / Dahua"),
    (b"version=1.0\nversion=2.0\n", "firmware", "1.0 / 2.0"),
    (b"Model=XNO-1\nModel=IPC-2\nFirmwareVersion=1\n", "model", "XNO-1 / IPC-2"),
    (b'{"Model": "XNO-1", "Model": "IPC-2", "FirmwareVersion": "1"}', "model", "XNO-1 / IPC-2"),
    (b"system_info_modelname='IB1'\nsystem_info_modelname='DH2'\n", "model", "IB1 / DH2"),
    (b"serialNumber=\nserialNumber=4G0001\n", "serial", "4G0001"),
])
def test_a_value_given_twice_is_shown_twice(body, field, expected):
    assert documents.declared(body)[field] == expected


def test_a_maker_named_twice_is_not_hidden():
    body = AXIS_JSON.replace(b'"Brand": "AXIS"', b'"Brand": "AXIS", "Brand": "Dahua"')
    assert documents.declared(body)["manufacturer"] == "AXIS / Dahua"
    twice = ISAPI.replace(
        b"<manufacturer/>", b"<manufacturer>Acme</manufacturer><manufacturer>hikvision</manufacturer>"
    )
    assert documents.declared(twice)["manufacturer"] == "Acme / hikvision"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            INPUTS,
            [
                {
                    "channel": 1,
                    "model": "DS-1",
                    "ipv4": "10.0.0.11",
                    "firmware": "V5.6.6",
                    "firmware_build": "210625",
                    "device_name": "A",
                    "protocol": "HIKVISION",
                    "serial": "DS-1X",
                    "port": 8000,
                },
                {"channel": 2, "online": True},
            ],
        ),
        (
            LAPI_CHANNELS,
            [{"channel": 3, "manufacturer": "HIKVISION", "model": "DS-1", "ipv4": "10.0.0.13", "device_name": "Gate"}],
        ),
        (
            SUNAPI_CHANNELS,
            [
                {"channel": 0, "online": True, "model": "XNV", "protocol": "Samsung", "ipv4": "10.0.0.11"},
                {"channel": 2, "online": False, "model": "DS-2", "device_name": "Gate"},
            ],
        ),
        (SUNAPI_JSON, [{"channel": 0, "online": True, "model": "XNV", "protocol": "Samsung"}]),
        (
            REMOTE,
            [
                {"channel": 0, "ipv4": "10.0.0.11", "model": "IPC-1", "manufacturer": "Private"},
                {"channel": 1, "protocol": "Onvif"},
            ],
        ),
        (b"", []),
        (b"<html/>", []),
        (b"{}", []),
        (b'{"DetailInfos": [1, {"ID": "x"}]}', []),
        (ISAPI, []),
    ],
)
def test_channels_behind_a_recorder(body, expected):
    assert channels.read(body) == expected


def test_channels_are_capped():
    body = b"\n".join(b"Channel.%d.Model=x" % n for n in range(3_000))
    assert len(channels.read(body)) == channels.MAX_CHANNELS
