"""What a person would not publish, in texts as servers and systems write them, and what of each must not remain.

The person is Berta Maria Quendt-Oslo, who logs in as `bquendt` on `Quendts-Mac-Pro`; others wrote of somebody else.
"""

LOGIN, HOST, COMPUTER, PERSON = "bquendt", "Quendts-Mac-Pro.local", "Berta Quendt’s Mac Pro", "Berta Quendt-Oslo"
HOME = f"/Users/{LOGIN}"
TEXTS: dict[str, tuple[str, str]] = {
    # where things lie
    "home": (f"failed to open {HOME}/weights/a.gguf", LOGIN),
    "home of somebody else": ("failed to open /home/rzhang/weights/a.gguf: denied", "rzhang"),
    "home with a blank": ("cannot read /Users/Berta Quendt/Models/divorce/a.gguf", "Quendt"),
    "home, end of the text": ("no such directory /Users/yamada.taro", "yamada"),
    "volume with blanks": ("no such file: /Volumes/Old Family Photos/llm/x.gguf", "Photos"),
    "mounted disk": ("cannot stat /media/okonkwo/T7 Shield/x.gguf", "okonkwo"),
    "system's folder of a user": (
        "cannot write /private/var/folders/q2/9xk3vv_d1zz8p0c40000gn/T/lms",
        "9xk3vv_d1zz8p0c4",
    ),
    "Windows home": ('open "D:\\Users\\Berta Quendt\\a.gguf": access denied', "Quendt"),
    "Windows home in JSON": (r'{"error":"open C:\\Users\\jnovak\\a.gguf"}', "jnovak"),
    "share of a network": (r"open \\diskstation\berta$\models\a.gguf", "diskstation"),
    "address of a share": ("mount afp://berta@tower.lan/models failed", "tower"),
    "percent-encoded": ("file%3A%2F%2F%2FUsers%2Fjnovak%2Fa.gguf not found", "jnovak"),
    "percent-encoded twice": ("url=%252Fhome%252Fjnovak%252Fa.gguf", "jnovak"),
    "slashes escaped": (r'{"path":"\/home\/jnovak\/a.gguf"}', "jnovak"),
    "escaped by number": (r"\u002fUsers\u002fjnovak\u002fa.gguf", "jnovak"),
    "folder of iCloud": (f"{HOME}/Library/Mobile Documents/com~apple~CloudDocs/tax return.gguf", "tax return"),
    "home of a shell": ("~jnovak/models/a.gguf: no such file", "jnovak"),
    # what they are called
    "login": (f"user {LOGIN} may not allocate", LOGIN),
    "login in capitals": (f"USER {LOGIN.upper()} MAY NOT", LOGIN.upper()),
    "login in a word": (f"open /srv/cache_{LOGIN}_llm/a.gguf", LOGIN),
    "login with a number": (f"device {LOGIN}7 is busy", LOGIN),
    "host": (f"bind to {HOST} failed", "Quendts"),
    "host in lower case": ("cannot connect to quendts-mac-pro:1234", "quendts"),
    "host without hyphens": ("peer QUENDTSMACPRO closed the connection", "QUENDTS"),
    "host of somebody else": ("cannot resolve lins-macbook-air.local", "lins"),
    "computer": (f"device “{COMPUTER}” is offline", "Quendt"),
    "computer of somebody else": ("paired with 'Nguyen Thi Lan's MacBook Pro'", "Nguyen"),
    "computer in hyphens": ("device Berta-Quendts-Mac-Pro-3 timed out", "Quendt"),
    "person": (f"licensed to {PERSON}", "Quendt"),
    "somebody": ("licensed to Aiko Tanaka, error 5", "Tanaka"),
    "person in Chinese": ("模型属于 王小明", "王小明"),
    # what opens doors
    "Hugging Face": ("401 for hf_QwErTyUiOpAsDfGhJkLzXcVbNm123456", "hf_QwEr"),
    "GitHub": ("github_pat_11ABCDEFG0aBcDeFgHiJkL_mNoPqR is rejected", "11ABCDEFG0"),
    "OpenAI": ("Incorrect API key provided: sk-proj-a1B2c3D4e5F6g7H8", "a1B2c3D4"),
    "JWT": ("expired: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl", "eyJzdWIi"),
    "Basic": ("Proxy-Authorization: Basic cXVlbmR0OmdlaGVpbQ==", "cXVlbmR0"),
    "key in an address": ("GET /v1/models?access_token=5c1e9f7700aa4b failed", "5c1e9f77"),
    "key in a header": ("X-API-Key: 77aa-5c1e-9f00", "5c1e"),
    "password in an address": ("http://berta:geheim99@10.0.0.9:1234/v1", "geheim99"),
    "password": ("password=correcthorse rejected", "correcthorse"),
    "unknown kind": ("session Zk3_9fQxP0 expired", "9fQxP0"),
    # which machine it is
    "serial": ("serial number: F5KZQ1ABC9", "F5KZQ1ABC9"),
    "serial in lower case": ("Serial f5kzq1abc9", "f5kzq1abc9"),
    "hardware UUID": ("IOPlatformUUID 7C9E6679-7425-40DE-944B-E07FC1F90AE7", "944B"),
    "UDID": ("device 00008112-000A1B2C3D4E5F6A", "1B2C3D4E"),
    "MAC": ("en1 3c:22:fb:aa:bb:cc down", "3c:22:fb"),
    "MAC with hyphens": ("en1 3C-22-FB-AA-BB-CC down", "3C-22-FB"),
    "MAC with dots": ("arp 3c22.fbaa.bbcc", "fbaa"),
    # where it is, and whom it knows
    "IPv4": ("no route to 172.16.4.77", "172.16.4"),
    "IPv4 in a name": ("ip-172-16-4-77.internal refused", "172-16"),
    "IPv6": ("peer [2a02:8109:9c0:1b2c::4d] reset", "8109:9c0"),
    "network": ('Wi-Fi "Quendt Guests" lost', "Guests"),
    "network by SSID": ("ssid=QuendtNet5G lost", "QuendtNet"),
    "mail": ("report to berta.q+llm@quendt.example", "quendt.example"),
    "telephone": ("support: +43 660 765 4321", "660 765"),
    "telephone at home": ("call (0660) 7654321 now", "7654321"),
    "telephone in America": ("call 555-867-5309", "867-5309"),
}
