"""Books of other people, in the forms that switches, servers and sheets print: who is named, and what is not read."""

import io
import json
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from scanner.imports import books, tables
from scanner.imports.known import Book
from scanner.imports.words import mac_in, mac_of, moment_of, place_of, port_in

NOW = datetime(2026, 11, 22, tzinfo=UTC)
A, B = "3C:EF:8C:00:00:01", "3C:EF:8C:00:00:02"


def read(data):
    return books.read(data, NOW)


def told(text):
    """``(form, [(mac, address, name, where)])`` of a book."""
    book = read(text if isinstance(text, bytes) else text.encode())
    return book.form, [(one.mac, one.address, one.name, one.where) for one in book.known]


MAC_TABLES = {
    "catalyst": ("""sw1#show mac address-table
          Mac Address Table
-------------------------------------------

Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
 All    0100.0ccc.cccc    STATIC      CPU
  20    3cef.8c00.0001    DYNAMIC     Gi1/0/7
  20    3cef.8c00.0002    STATIC      Te1/1/1
Total Mac Addresses for this criterion: 3
""", "Cisco", [(A, "", "", "Gi1/0/7"), (B, "", "", "Te1/1/1")]),
    "catalyst 6500": ("""Legend: * - primary entry
  vlan   mac address     type    learn     age              ports
------+----------------+--------+-----+----------+--------------------------
*   20  3cef.8c00.0001   dynamic  Yes          5   Gi1/7
*    1  0001.0001.0001    static  No           -   Router
""", "Cisco", [(A, "", "", "Gi1/7")]),
    "nx-os": ("""Legend:
        * - primary entry, G - Gateway MAC, (R) - Routed MAC, O - Overlay MAC
   VLAN     MAC Address      Type      age     Secure NTFY Ports
---------+-----------------+--------+---------+------+----+------------------
*   20     3cef.8c00.0001   dynamic  0         F      F    Eth1/7
G    -     00de.fb00.0001   static   -         F      F    sup-eth1(R)
*   20     3cef.8c00.0002   dynamic  0         F      F    Po10
""", "Cisco", [(A, "", "", "Eth1/7"), (B, "", "", "Po10")]),
    "procurve": (""" Status and Counters - Port Address Table

  MAC Address   Port  VLAN
  ------------- ----- ----
  3cef8c-000001 7     20
  3cef8c-000002 A12   20
""", "ProCurve", [(A, "", "", "7"), (B, "", "", "A12")]),
    "aruba cx": ("""MAC age-time            : 300 seconds
Number of MAC addresses : 1

MAC Address          VLAN     Type                      Port
--------------------------------------------------------------
3c:ef:8c:00:00:01    20       dynamic                   1/1/7
""", "MAC", [(A, "", "", "1/1/7")]),
    "junos els": ("""Ethernet switching table : 2 entries, 2 learned
Routing instance : default-switch
   Vlan                MAC                 MAC      Age    Logical                NH        RTR
   name                address             flags           interface              Index     ID
   cctv                3c:ef:8c:00:00:01   D          -   ge-0/0/7.0             0         0
""", "Junos", [(A, "", "", "ge-0/0/7.0")]),
    "junos old": ("""Ethernet-switching table: 2 entries, 1 learned
  VLAN              MAC address       Type         Age Interfaces
  cctv              *                 Flood          - All-members
  cctv              3c:ef:8c:00:00:01 Learn          0 ge-0/0/7.0
  cctv              3c:ef:8c:00:00:02 Static         - Router
""", "Junos", [(A, "", "", "ge-0/0/7.0")]),
    "huawei": ("""-------------------------------------------------------------------------------
MAC Address    VLAN/VSI                          Learned-From        Type
-------------------------------------------------------------------------------
3cef-8c00-0001 20/-                              GE0/0/7             dynamic
3cef-8c00-0002 20/-                              Eth-Trunk1          dynamic
-------------------------------------------------------------------------------
Total items displayed = 2
""", "Huawei", [(A, "", "", "GE0/0/7"), (B, "", "", "Eth-Trunk1")]),
    "h3c": ("""MAC ADDR        VLAN ID  STATE          PORT INDEX               AGING TIME(s)
3cef-8c00-0001  20       Learned        GigabitEthernet1/0/7     AGING
3cef-8c00-0002  20       Learned        Bridge-Aggregation1      AGING
""", "H3C", [(A, "", "", "GigabitEthernet1/0/7"), (B, "", "", "Bridge-Aggregation1")]),
    "routeros": ("""Flags: X - disabled, I - invalid, D - dynamic, L - local, E - external
 #       MAC-ADDRESS        VID ON-INTERFACE            BRIDGE             AGE
 0   D   3C:EF:8C:00:00:01      ether7                  bridge1            1s
 1   DL  3C:EF:8C:00:00:02      ether1                  bridge1            0s
""", "RouterOS", [(A, "", "", "ether7")]),
    "routeros terse": (" 0 D mac-address=3C:EF:8C:00:00:01 on-interface=sfp-sfpplus1 bridge=bridge1 age=1s\n",
                       "RouterOS", [(A, "", "", "sfp-sfpplus1")]),
    "linux": (("33:33:00:00:00:01 dev eth1 self permanent\n3c:ef:8c:00:00:01 dev swp7 vlan 20 master br0\n"
              "3c:ef:8c:00:00:02 dev eth1 master br0 permanent\n"), "Linux", [(A, "", "", "swp7")]),
    "brctl": (("port no\tmac addr\t\tis local?\tageing timer\n  1\t3c:ef:8c:00:00:02\tyes\t\t   0.00\n"
              "  2\t3c:ef:8c:00:00:01\tno\t\t  12.34\n"), "brctl", [(A, "", "", "2")]),
    "small cisco": ("""Flags: I - Internal usage VLAN
  Vlan          Mac Address         Port       Type
------------ --------------------- ---------- ----------
     20        3c:ef:8c:00:00:01       gi7      dynamic
""", "MAC", [(A, "", "", "gi7")]),
    "allied telesis": ("20   port1.0.7   3cef.8c00.0001  forward   dynamic\n", "MAC", [(A, "", "", "port1.0.7")]),
    "a sheet": ("Switch;VLAN;MAC-Adresse;Port\nsw1;20;3CEF8C000001;Gi1/0/7\n", "table", [(A, "", "", "Gi1/0/7")]),
}


@pytest.mark.parametrize("name", MAC_TABLES)
def test_mac_tables(name):
    text, form, known = MAC_TABLES[name]
    said, found = told(text)
    assert form in said
    assert found == known


ARP_AND_LEASES = {
    "ip neigh": (("10.20.0.5 dev eth0 lladdr 3c:ef:8c:00:00:01 REACHABLE\nfe80::1 dev eth0 lladdr 3c:ef:8c:00:00:02 "
                 "router STALE\n10.20.0.9 dev eth0  FAILED\n"),
                 [(A, "10.20.0.5", "", "eth0"), (B, "fe80::1", "", "eth0")]),
    "arp -an": ("? (10.20.0.5) at 3c:ef:8c:0:0:1 on en0 ifscope [ethernet]\n? (10.20.0.6) at <incomplete> on en0\n",
                [(A, "10.20.0.5", "", "en0")]),
    "windows arp": (("Interface: 10.20.0.2 --- 0x4\n  Internet Address      Physical Address      Type\n"
                    "  10.20.0.5             3c-ef-8c-00-00-01     dynamic\n"
                    "  10.20.0.255           ff-ff-ff-ff-ff-ff     static\n"), [(A, "10.20.0.5", "", "")]),
    "cisco arp": (("Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n"
                  "Internet  10.20.0.5              12   3cef.8c00.0001  ARPA   Vlan20\n"
                  "Internet  10.20.0.6               0   Incomplete      ARPA\n"), [(A, "10.20.0.5", "", "Vlan20")]),
    "huawei arp": (("IP ADDRESS      MAC ADDRESS    EXPIRE(M) TYPE  INTERFACE           VLAN/CEVLAN\n"
                   "10.20.0.1       3cef-8c00-0002           I -   Vlanif20\n"
                   "10.20.0.5       3cef-8c00-0001 3         D-0   GE0/0/7             20/-\n"),
                   [(A, "10.20.0.5", "", "GE0/0/7")]),
    "arp-scan": (("Interface: eth0, type: EN10MB, MAC: 02:00:00:00:00:aa, IPv4: 10.20.0.2\n"
                  "Starting arp-scan 1.10.0 with 256 hosts\n10.20.0.5\t3c:ef:8c:00:00:01\tZhejiang Dahua\n\n"
                  "1 packets received by filter\n"),
                 [(A, "10.20.0.5", "", "")]),
    "arp-scan of a format": ("10.20.0.5;3c:ef:8c:00:00:01;Dahua\n", [(A, "10.20.0.5", "", "")]),
    "dnsmasq": (("1763800000 3c:ef:8c:00:00:01 10.20.0.5 cam1 01:3c:ef:8c:00:00:01\n1763800000 3c:ef:8c:00:00:02 "
                "10.20.0.6 * *\n"), [(A, "10.20.0.5", "cam1", ""), (B, "10.20.0.6", "", "")]),
    "cisco dhcp": (("Bindings from all pools not associated with VRF:\n"
                   "IP address          Client-ID/              Lease expiration        Type\n"
                   "                    Hardware address/\n"
                   "10.20.0.5           013c.ef8c.0000.01       Nov 23 2026 08:00 AM    Automatic\n"
                   "10.20.0.6           3cef.8c00.0002          Infinite                Manual\n"),
                   [(A, "10.20.0.5", "", ""), (B, "10.20.0.6", "", "")]),
    "routeros leases": (("Flags: D - DYNAMIC\nColumns: ADDRESS, MAC-ADDRESS, HOST-NAME, SERVER, STATUS, LAST-SEEN\n"
                        " #   ADDRESS     MAC-ADDRESS        HOST-NAME    SERVER   STATUS  LAST-SEEN\n"
                        "0  D 10.20.0.5   3C:EF:8C:00:00:01  cam1         cctv     bound   3m6s\n"),
                        [(A, "10.20.0.5", "cam1", "")]),
    "routeros leases terse": ((' 1   address=10.20.0.5 mac-address=3C:EF:8C:00:00:01 client-id="1:3c:ef:8c:0:0:1" '
                              'server=cctv status=bound last-seen=1m5s host-name="cam 1"\n'),
                              [(A, "10.20.0.5", "cam 1", "")]),
    "junos dhcp": (("IP address        Session Id  Hardware address   Expires     State      Interface\n"
                   "10.20.0.5         7           3c:ef:8c:00:00:01  86111       BOUND      irb.20\n"),
                   [(A, "10.20.0.5", "", "irb.20")]),
    "kea": (("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,"
            "pool_id\n10.20.0.5,3c:ef:8c:00:00:01,01:3c:ef:8c:00:00:01,3600,1763800000,1,0,0,old,0,,0\n"
            "10.20.0.5,3c:ef:8c:00:00:01,01:3c:ef:8c:00:00:01,3600,1763803600,1,0,0,cam1,0,,0\n"),
            [(A, "10.20.0.5", "cam1", "")]),
    "windows dhcp": (('#TYPE Microsoft.Management.Infrastructure.CimInstance\n"IPAddress","ScopeId","AddressState",'
                     '"ClientId","ClientType","HostName","LeaseExpiryTime"\n"10.20.0.5","10.20.0.0","Active",'
                     '"3c-ef-8c-00-00-01","Dhcp","cam1.example","23/11/2026 08:00:00"\n'),
                     [(A, "10.20.0.5", "cam1.example", "")]),
    "windows dhcp console": (("Client IP Address\tName\tLease Expiration\tType\tUnique ID\tDescription\n"
                             "10.20.0.5\tcam1\t23.11.2026 08:00:00\tDHCP\t3cef8c000001\t\n"),
                             [(A, "10.20.0.5", "cam1", "")]),
    "isc": (('lease 10.20.0.5 {\n  starts 0 2026/11/22 07:00:00;\n  ends 0 2026/11/22 08:00:00;\n  hardware ethernet '
            '3c:ef:8c:00:00:01;\n  client-hostname "old";\n}\nlease 10.20.0.7 {\n  binding state free;\n}\n'
            'lease 10.20.0.5 {\n  hardware ethernet 3c:ef:8c:00:00:01;\n  client-hostname "cam1";\n}\n'),
            [(A, "10.20.0.5", "cam1", "")]),
}


@pytest.mark.parametrize("name", ARP_AND_LEASES)
def test_arp_tables_and_leases(name):
    text, known = ARP_AND_LEASES[name]
    assert told(text)[1] == known


NEIGHBOURS = {
    "cisco lldp detail": ("""------------------------------------------------
Local Intf: Gi1/0/7
Chassis id: 3cef.8c00.0001
Port id: 3cef.8c00.0001
Port Description: eth0
System Name: cam1

System Description:
Network Camera

Time remaining: 77 seconds
Management Addresses:
    IP: 10.20.0.5
Vlan ID: - not advertised
MED Information:
    Manufacturer: Acme
    Model: IPC-1
    Serial number: S0001
Peer Source MAC: 3cef.8c00.0001
------------------------------------------------
Local Intf: Gi1/0/9
Chassis id: 10.20.0.6
Port id: 3cef.8c00.0002
System Name - not advertised
Management Addresses - not advertised
""", [(A, "10.20.0.5", "cam1", "Gi1/0/7"), (B, "", "", "Gi1/0/9")]),
    "nx-os lldp detail": ("""Chassis id: 3cef.8c00.0001
Port id: eth0
Local Port id: Eth1/7
System Name: cam1
Management Address: 10.20.0.5

Chassis id: 3cef.8c00.0002
Port id: eth0
Local Port id: Eth1/9
System Name: cam2
""", [(A, "10.20.0.5", "cam1", "Eth1/7"), (B, "", "cam2", "Eth1/9")]),
    "aruba detail": (""" LLDP Remote Device Information Detail

  Local Port   : A2
  ChassisType  : mac-address
  ChassisId    : 3cef8c-000001
  PortType     : mac-address
  PortId       : 3c ef 8c 00 00 01
  SysName      : cam1
  System Descr :

  Remote Management Address
     Type    : ipv4
     Address : 10.20.0.5

------------------------------------------------------------------------------
  Local Port   : A8
  ChassisType  : local
  ChassisId    : camera
  PortType     : mac-address
  PortId       : 3c ef 8c 00 00 02
""", [(A, "10.20.0.5", "cam1", "A2"), (B, "", "", "A8")]),
    "procurve brief": (""" LLDP Remote Devices Information

  LocalPort | ChassisId          PortId             PortDescr SysName
  --------- + ------------------ ------------------ --------- ------------------
  7         | 3cef8c-000001      3c ef 8c 00 00 01
  25        | 3cef8c-000002      eth0               eth0      cam2
""", [(A, "", "", "7"), (B, "", "cam2", "25")]),
    "huawei": ("""GE1/0/7 has 1 neighbor(s):

Neighbor index                     :1
Chassis type                       :MAC Address
Chassis ID                         :3cef-8c00-0001
Port ID                            :eth0
System name                        :cam1
Management address type            :IPv4
Management address                 :10.20.0.5

GE1/0/8 has 0 neighbor(s)

GE1/0/9 has 1 neighbor(s):

Neighbor index                     :1
Chassis ID                         :3cef-8c00-0002
""", [(A, "10.20.0.5", "cam1", "GE1/0/7"), (B, "", "", "GE1/0/9")]),
    "junos brief": (("Local Interface    Parent Interface    Chassis Id          Port info          System Name\n"
                    "ge-0/0/7           -                   3c:ef:8c:00:00:01   eth0               cam1\n"),
                    [(A, "", "cam1", "ge-0/0/7")]),
    "cisco brief": (("Device ID           Local Intf     Hold-time  Capability      Port ID\n"
                    "cam1                Gi1/0/7        120        S               3cef.8c00.0001\n"
                    "axis-3cef8c000002   Gi1/0/9        120        S               eth0\n"
                    "switch2             Gi1/0/24       120        B,R             Gi0/1\n\nTotal entries: 3\n"),
                    [(A, "", "cam1", "Gi1/0/7"), (B, "", "axis-3cef8c000002", "Gi1/0/9"),
                     ("", "", "switch2", "Gi1/0/24")]),
    "cdp": ("""-------------------------
Device ID: axis-3cef8c000001
Entry address(es):
  IP address: 10.20.0.5
Platform: AXIS P3245-LV,  Capabilities: Host
Interface: GigabitEthernet1/0/7,  Port ID (outgoing port): eth0
Holdtime : 150 sec

Version :
10.12.220

-------------------------
Device ID: switch2
Entry address(es):
  IP address: 10.20.0.2
Platform: cisco WS-C2960X,  Capabilities: Switch IGMP
Interface: GigabitEthernet1/0/24,  Port ID (outgoing port): GigabitEthernet0/1
""", [(A, "10.20.0.5", "axis-3cef8c000001", "GigabitEthernet1/0/7"),
      ("", "10.20.0.2", "switch2", "GigabitEthernet1/0/24")]),
    "lldpctl": ("""-------------------------------------------------------------------------------
LLDP neighbors:
-------------------------------------------------------------------------------
Interface:    swp7, via: LLDP, RID: 1, Time: 0 day, 00:01:02
  Chassis:
    ChassisID:    mac 3c:ef:8c:00:00:01
    SysName:      cam1
    MgmtIP:       10.20.0.5
  Port:
    PortID:       mac 3c:ef:8c:00:00:01
-------------------------------------------------------------------------------
Interface:    swp9, via: LLDP, RID: 2, Time: 0 day, 00:00:58
  Chassis:
    ChassisID:    mac 3c:ef:8c:00:00:02
-------------------------------------------------------------------------------
""", [(A, "10.20.0.5", "cam1", "swp7"), (B, "", "", "swp9")]),
    "lldpcli keyvalue": (("lldp.swp7.via=LLDP\nlldp.swp7.chassis.mac=3c:ef:8c:00:00:01\nlldp.swp7.chassis.name=cam1\n"
                         "lldp.swp7.chassis.mgmt-ip=10.20.0.5\nlldp.swp7.lldp-med.inventory.serial=S1\n"
                         "lldp.swp7.via=LLDP\nlldp.swp7.chassis.mac=3c:ef:8c:00:00:02\n"),
                         [(A, "10.20.0.5", "cam1", "swp7"), (B, "", "", "swp7")]),
    "lldpcli json": (json.dumps({"lldp": {"interface": [
        {"swp7": {"via": "LLDP", "chassis": {"cam1": {"id": {"type": "mac", "value": A}, "mgmt-ip": ["10.20.0.5"]}},
                  "port": {"id": {"type": "ifname", "value": "eth0"}}}},
        {"swp9": {"via": "LLDP", "chassis": {"id": {"type": "mac", "value": B}}}}]}}),
        [(A, "10.20.0.5", "cam1", "swp7"), (B, "", "", "swp9")]),
    "lldpcli json0": (json.dumps({"lldp": [{"interface": [{"name": "swp7", "chassis": [
        {"id": [{"type": "mac", "value": A}], "name": [{"value": "cam1"}], "mgmt-ip": [{"value": "10.20.0.5"}]}],
        "port": [{"id": [{"type": "local", "value": "1"}]}]}]}]}), [(A, "10.20.0.5", "cam1", "swp7")]),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_lldp_and_cdp_neighbours(name):
    text, known = NEIGHBOURS[name]
    form, found = told(text)
    assert found == known
    assert "DP" in form or "lldp" in form


SHEETS = [
    (("HardwareName,HardwareAddress,MacAddress,UserName,Password,DriverNumber,DriverDisplayName,RecordingServerName\n"
     "Yard,http://10.20.0.5:80/,3CEF8C000001,root,hunter2,105,IPC-1,rs1\n"), (A, "10.20.0.5", "", "Yard", "IPC-1", 1)),
    ("HardwareAddress;HardwareUsername;HardwarePassword;HardwareDriverID\n10.20.0.5;root;hunter2;105\n",
     ("", "10.20.0.5", "", "", "", 1)),
    (("Gerätename;IP-Adresse;MAC-Adresse;Seriennummer;Modell;Hersteller;Standort\n"
     "Tor;10.20.0.5;3C-EF-8C-00-00-01;S1;IPC-1;Acme;Halle\n"), (A, "10.20.0.5", "S1", "Tor", "IPC-1", 1)),
    ("Nombre;Dirección IP;Dirección MAC;Número de serie;Modelo;Marca\nPatio;10.20.0.5;3cef.8c00.0001;S1;IPC-1;Acme\n",
     (A, "10.20.0.5", "S1", "Patio", "IPC-1", 1)),
    (("Nom de l'appareil;Adresse IP;Adresse MAC;N° de série;Modèle;Fabricant\nCour;10.20.0.5;3c:ef:8c:00:00:01;S1;"
     "IPC-1;Acme\n"), (A, "10.20.0.5", "S1", "Cour", "IPC-1", 1)),
    ("Hardware Address,Hostname,IP Address\n3c:ef:8c:00:00:01,cam1,10.20.0.5\n",
     (A, "10.20.0.5", "", "cam1", "", 1)),
    ("Purchase order 4711\n\nShip to: Yard 5\n\nItem,Description,Vendor,Qty\n10,IPC-1,Acme,3 pcs\n",
     ("", "", "", "", "IPC-1", 3)),
    ("Pos;Artikelbezeichnung;Menge\n1;IPC-1;3,00 Stk\n", ("", "", "", "", "IPC-1", 3)),
    ("sep=;\nMenge;Modell\n3;IPC-1\n", ("", "", "", "", "IPC-1", 3)),
]


@pytest.mark.parametrize(("text", "known"), SHEETS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_sheets_of_four_languages_and_encodings(text, known, encoding):
    book = read(text.encode(encoding))
    (one,) = book.known
    assert (one.mac, one.address, one.serial, one.name, one.model, one.quantity) == known
    assert "hunter2" not in repr(book)


def workbook(*rows):
    made = Workbook()
    for row in rows:
        made.active.append(row)
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def test_an_order_as_a_workbook():
    book = read(workbook(["Purchase order", 4711], [], ["Pos.", "Model", "Vendor", "Quantity"],
                               [1, "IPC-1", "Acme", 3.0], [2, "IPC-2", "Acme", "many"], ["", "Total", "", 3]))
    assert book.form == "workbook"
    assert [(one.row, one.model, one.manufacturer, one.quantity) for one in book.known] == [
        (4, "IPC-1", "Acme", 3), (6, "Total", "", 3)]
    assert [one.row for one in book.refused] == [5]


@pytest.mark.parametrize(("text", "amount"), [("3", 3), ("3.0", 3), ("12 pcs", 12), ("3,00 Stück", 3), ("0", 0),
                                              ("1.000", 0), ("1,000", 0), ("-1", 0), ("many", 0), ("999999", 0)])
def test_an_amount_that_can_be_read_in_two_ways_is_none(text, amount):
    assert tables.quantity_of(text) == amount


ZEEK_HEAD = "#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n"


def test_zeek_names_who_asked_and_who_answered_and_nobody_of_elsewhere():
    book = read((ZEEK_HEAD + "1\t10.20.0.5\t5\t203.0.113.9\t443\ttcp\tSF\n"
                       "2\t10.20.0.2\t5\t10.20.0.6\t554\ttcp\tSF\n"
                       "3\t10.20.0.2\t5\t10.20.0.7\t554\ttcp\tS0\n4\t198.51.100.1\t5\t203.0.113.9\t1\ttcp\tSF\n").encode())
    assert [one.address for one in book.known] == ["10.20.0.5", "10.20.0.2", "10.20.0.6"]
    assert book.others == 1


def test_a_firewall_log_names_the_stations_of_the_site():
    book = read(b"Nov 22 08:00:00 fw kernel: IN=br0 OUT=wan MAC=02:00:00:00:00:01:3c:ef:8c:00:00:01:08:00 "
                b"SRC=10.20.0.5 DST=8.8.8.8 LEN=60 TTL=63 PROTO=UDP SPT=40000 DPT=8800 LEN=40\n" * 3)
    assert [one.address for one in book.known] == ["10.20.0.5"]


def test_a_capture_is_a_book_too():
    frame = (b"\xff" * 6 + bytes.fromhex("3cef8c000001") + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01"
             + bytes.fromhex("3cef8c000001") + bytes((10, 20, 0, 5)) + bytes(10))
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    book = read(head + struct.pack("<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame)
    assert (book.form, [(one.mac, one.address) for one in book.known]) == ("capture", [(A, "10.20.0.5")])


def test_zeek_known_devices():
    book = read(b'{"ts":1.0,"mac":"3c:ef:8c:00:00:01","dhcp_host_name":"cam1"}\n{"ts":2.0,"host":"10.20.0.5"}\n')
    assert [(one.mac, one.address) for one in book.known] == [(A, ""), ("", "10.20.0.5")]


@pytest.mark.parametrize("data", [b"", b"nothing here\n", b"\x89PNG\r\n\x1a\n\0\0", b"PK\x03\x04broken", b"a,b\n1,2\n",
                                  b'{"x": 1}', b"\0" * 100, b"vlan 20 port 7 up\n",
                                  b"ip,mac\n", b"ip," * 50_000])
def test_what_is_no_book_is_refused_with_what_was_expected(data):
    book = read(data)
    assert book.known == []
    assert book.refused
    assert book.refused[0].row == 0


def test_a_mac_cut_short_inside_a_table_is_named_by_its_line():
    text = MAC_TABLES["catalyst"][0] + "  20    3cef.8c00.00      DYNAMIC     Gi1/0/9\n"
    book = read(text.encode())
    assert [one.row for one in book.refused] == [len(text.splitlines())]
    assert book.others == 7


@pytest.mark.parametrize(("text", "mac"), [
    ("3C:EF:8C:00:00:01", A), ("3c-ef-8c-00-00-01", A), ("3cef.8c00.0001", A), ("3cef-8c00-0001", A),
    ("3cef8c-000001", A), ("3cef8c000001", A), ("3c:ef:8c:0:0:1", A), ("01:3c:ef:8c:00:00:01", A),
    ("1:3c:ef:8c:0:0:1", A), ("013c.ef8c.0000.01", A), ("013cef8c000001", A), ("01:00:5e:00:00:fb", ""),
    ("ff:ff:ff:ff:ff:ff", ""), ("3c:ef:8c:00:00", ""), ("3cef.8c00", ""), ("10.20.0.5", ""), ("fe80::1:2:3:4:5", ""),
])
def test_spellings_of_a_mac(text, mac):
    assert mac_of(text) == mac


@pytest.mark.parametrize("line", ["12:34:56 up", "2026-11-22 08:00:00",
                                  "IN=eth0 MAC=ff:ff:ff:ff:ff:ff:3c:ef:8c:00:00:01:08:00 SRC=10.20.0.5",
                                  "2001:db8:0:1:2:3:4:5", "sha 3cef8c0000013cef8c000001", ""])
def test_what_is_no_mac(line):
    assert mac_in(line)[0] == ""


@pytest.mark.parametrize(("text", "address"), [
    ("http://root:pw@10.20.0.5:8080/x", "10.20.0.5"), ("10.20.0.5:80", "10.20.0.5"), ("[fe80::1]:80", "fe80::1"),
    ("fe80::1", "fe80::1"), ("cam1.example", ""), ("", ""), ("10.20.0", ""), ("3c:ef:8c:00:00:01", "")])
def test_the_address_in_a_cell(text, address):
    assert place_of(text) == address


def test_a_date_or_a_time_is_no_port():
    assert port_in("20 dynamic 12:34:56 2026/11/22") == ""


@given(st.binary(max_size=600))
def test_any_bytes_are_a_book_of_somebody_or_nobody(data):
    assert isinstance(read(data), Book)


@given(st.sampled_from([text for text, *_ in (*MAC_TABLES.values(), *ARP_AND_LEASES.values(), *NEIGHBOURS.values())]),
       st.integers(0, 400), st.text(max_size=12))
def test_a_damaged_book_is_read_as_far_as_it_goes(text, at, put):
    book = read((text[:at] + put + text[at + len(put):]).encode("utf-8", "replace"))
    assert all(one.mac == "" or (len(one.mac) == 17 and not int(one.mac[:2], 16) & 1) for one in book.known)


ARP_OF_WINDOWS = """
Interface: 10.20.0.10 --- 0x5
  Internet Address      Physical Address      Type
  10.20.0.5             3c-ef-8c-00-00-01     dynamic
  10.20.0.255           ff-ff-ff-ff-ff-ff     static
  224.0.0.22            01-00-5e-00-00-16     static
  239.255.255.250       01-00-5e-7f-ff-fa     static
  10.20.0.7             3c-ef-8c-00-00-z2     dynamic
"""


def test_broadcast_and_multicast_are_no_hosts_and_nothing_that_went_wrong():
    book = read(ARP_OF_WINDOWS.encode())
    assert [(one.mac, one.address) for one in book.known] == [("3C:EF:8C:00:00:01", "10.20.0.5")]
    assert [one.row for one in book.refused] == [8]
    assert book.others == 5


# -- a MAC that went wrong is said, with its row and column ------------------------------------------------------------

@pytest.mark.parametrize(("cell", "refused"), [
    ("3c:ef:8c:00:00:zz", True), ("3c:ef:8c", True), ("nonsense", True), ("3cef8c0000012", True),
    ("ff:ff:ff:ff:ff:ff", True), ("01:00:5e:00:00:01", True), ("00:00:00:00:00:00", True),
    ("", False), ("-", False), ("N/A", False), ("unknown", False), (A, False), (f"{A} (LAN)", False),
    ("10.0.0.9", False),
])
def test_a_bad_mac_in_a_table_is_a_refused_row_that_names_its_column(cell, refused):
    book = read(f"ip,MAC address,name\n10.0.0.5,{B},a\n10.0.0.9,{cell},cam\n".encode())
    told_of = [(one.row, one.expected) for one in book.refused]
    assert told_of == ([(3, "row 3, column MAC address: a whole MAC of one device")] if refused else [])
    assert ("10.0.0.9" in {one.address for one in book.known}) is not refused
    brought = tables.read_csv(f"ip,mac\n10.0.0.9,{cell}\n".encode(), NOW)
    assert [one.expected for one in brought.refused] == (
        ["row 2, column mac: a whole MAC of one device"] if refused else [])


@pytest.mark.parametrize(("heading", "cell"), [("Client ID", "cam-lobby-7"), ("Unique ID", "00-01-00-01-2f")])
def test_what_is_no_mac_by_its_heading_is_not_refused_for_being_none(heading, cell):
    book = read(f"ip,{heading},name\n10.0.0.9,{cell},cam\n".encode())
    assert ([one.address for one in book.known], book.refused) == (["10.0.0.9"], [])


CATALYST = """Vlan    Mac Address       Type        Ports
----    -----------       --------    -----
  20    3cef.8c00.0001    DYNAMIC     Gi1/0/7
"""


@pytest.mark.parametrize(("line", "refused"), [
    ("  20    3cef.8c00.00zz    DYNAMIC     Gi1/0/8", True), ("  20    3cef.8c00         DYNAMIC     Gi1/0/8", True),
    ("  20    zzzz.zzzz.zzzz    DYNAMIC     Gi1/0/8", True), ("  20    3cef8c0000012     DYNAMIC     Gi1/0/8", True),
    ("  20    (incomplete)      DYNAMIC     Gi1/0/8", False), ("Total Mac Addresses for this criterion: 1", False),
    ("sw1# show clock detail", False), ("----    -----------       --------    -----", False),
    ("Vlan    Mac Address       Type        Ports", False), ("  20    *                 Flood       Gi1/0/8", False),
])
def test_a_line_like_an_entry_whose_mac_went_wrong_is_no_heading(line, refused):
    book = read((CATALYST + line + "\n").encode())
    assert [one.mac for one in book.known] == [A]
    assert [one.row for one in book.refused] == ([4] if refused else [])
    assert all("where the MAC stands" in one.expected for one in book.refused)


@pytest.mark.parametrize(("line", "when"), [
    (f"1795399200 {A.lower()} 10.0.0.9 cam 01:{A.lower()}", "2026-11-23T02:00:00.000Z"),
    (f"0 {A.lower()} 10.0.0.9 cam 01:{A.lower()}", None),
])
def test_the_end_of_a_dnsmasq_lease_is_told_as_a_time(line, when):
    book = read((line + "\n").encode())
    assert [one.when for one in book.known] == [when or ""]


@given(st.integers(0, 9_999_999_999))
def test_seconds_since_1970_are_told_as_a_time_and_other_numbers_as_they_are(number):
    told_as = moment_of(str(number))
    if number >= 100_000_000:
        assert int(datetime.fromisoformat(told_as).timestamp()) == number
    else:
        assert told_as == str(number)
