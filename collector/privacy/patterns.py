"""What tells of a person, a place or a machine, wherever it was made: patterns, each with what stands in its place."""

import re
from functools import lru_cache

from collector.privacy.here import SEPARATOR

Pattern = tuple[re.Pattern[str], str]

_ROOTS = rf"(?:Users|Volumes|home|root|private|mnt|media|var{SEPARATOR}folders)"
_IN_PATH = r"[^\s'\":,;)\]}<>]"
# A blank belongs to a path where another folder follows before anything that ends one.
_REST = rf"(?:{_IN_PATH}| (?=[^\s'\":,;)\]}}<>/\\]{{1,60}}(?: [^\s'\":,;)\]}}<>/\\]{{1,60}}){{0,5}}[/\\])){{0,500}}"
TOKENS: tuple[Pattern, ...] = tuple(
    (re.compile(pattern), "[token]")
    for pattern in (
        r"(?i)\bbearer\s+\S+",
        r"\b[Bb]asic\s+(?=\S*[\d=A-Z])[A-Za-z0-9+/_-]{8,}=*",
        r"\bsk-[A-Za-z0-9][\w:-]{8,}",
        r"\b(?:hf_|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|npm_|pypi-|AIza)[\w-]{10,}",
        r"\beyJ[\w-]{6,}(?:\.[\w-]{4,}){1,4}",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b",
        r"(?i)\blm-studio-[0-9a-f]{6,}\b",
        r"(?i)\b(?:[\w-]{0,20}(?:api|access|auth|secret|private)[-_]?(?:key|token)|passwor[dt]|passwd|pwd)"
        r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?[^\s\"',;&]{6,}",
    )
)
# In any column: no version, and no name of a model, looks like these.
ALWAYS: tuple[Pattern, ...] = TOKENS + tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        (rf"(?i)[A-Z]:{SEPARATOR}(?:Users|Documents and Settings){SEPARATOR}{_REST}", "~/…"),
        (rf"(?i){SEPARATOR}{_ROOTS}{SEPARATOR}{_REST}", "~/…"),
        (r"\b[a-z][a-z0-9+.-]{1,15}://[^\s/@'\"]{1,200}@[^\s/'\"]+", "[address]"),
        (r"(?i)\b(?:smb|afp|nfs|cifs|sftp|ssh)://[^\s'\"]+", "[address]"),
        (r"(?<![\w:\\])\\\\+[A-Za-z][\w.-]*\\+[\w$.-]+(?:\\+[\w$.-]+)*", "~/…"),
        (r"(?i)(?<![\w.])(?:[\w-]{1,60}\.){1,4}(?:local|lan|localdomain|internal|home\.arpa|fritz\.box)\b", "[name]"),
        (r"(?i)\b[\w-]{1,40}s-(?:imac|mac-(?:studio|pro|mini)|macbook(?:-(?:pro|air))?)\b", "[name]"),
        (r"(?:[^\W\d_]{1,40}[ -]){0,3}[^\W\d_]{1,40}[’']s[ -](?:i?Mac|iPhone|iPad|PC|NAS)\w*", "[name]"),
        (r"(?i)\b(?:[0-9a-f]{2}-){5}[0-9a-f]{2}\b", "[address]"),
        (r"(?i)\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b", "[address]"),
        (r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "[serial]"),
        (r"(?i)\b[0-9a-f]{8}-[0-9a-f]{16}\b", "[serial]"),
    )
)
# Versions and names of models may look like these.
IN_FREE_TEXT: tuple[Pattern, ...] = tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        # as Apple's serial numbers are: ten to twelve capitals and digits, both among them
        (r"\b(?=[A-Z0-9]{0,12}\d)(?=[A-Z0-9]{0,12}[A-Z])[A-Z0-9]{10,12}\b", "[serial]"),
        (r"(?i)\bserial(?:[ _-]?(?:number|no\.?))?\s{0,3}[:=#]?\s{0,3}(?=[a-z]*\d)[a-z0-9]{8,14}\b", "[serial]"),
        (r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", "[e-mail]"),
        (r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b", "[address]"),
        (r"(?i)\bip(?:-\d{1,3}){4}\b", "[address]"),
        # IPv6 and hardware addresses: a double colon, or five single ones.
        (
            r"(?i)(?<![\w:])(?=[0-9a-f:]{0,40}::|(?:[0-9a-f]{1,4}:){5})[0-9a-f]{1,4}:[0-9a-f:]{0,40}(?![\w:])",
            "[address]",
        ),
        (r"(?<![\w.+])\+\d(?:[ ()./-]{0,2}\d){6,13}(?!\d)", "[number]"),
        (r"(?<![\w.,/:-])\(?0\d{2,4}\)?[ /-]{1,2}\d{3,}(?:[ -]\d{2,}){0,3}(?!\d)", "[number]"),
        (r"(?<![\w.,/:-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])", "[number]"),
        (r"(?<![\w.,/:-])1[3-9]\d[ -]\d{4}[ -]\d{4}(?![\w-])", "[number]"),
        (r"(?i)\b(?:wi-?fi|wlan|ssid|hotspot)\b[\"']?[ :=]{0,3}[\"“„'‘][^\"”“'’\n]{1,60}[\"”“'’]", "[name]"),
        (r"(?i)\bssid\b\s{0,3}[:=]\s{0,3}[^\s,;\"']{1,40}", "[name]"),
    )
)


def masked(text: str, patterns: tuple[Pattern, ...]) -> str:
    """The same text with marks in the place of what the patterns find."""
    for pattern, mark in patterns:
        text = pattern.sub(mark, text)
    return text


@lru_cache(maxsize=4096)  # the same sentences stand in every row of a run
def found(text: str, patterns: tuple[Pattern, ...]) -> tuple[str, ...]:
    """What each of the patterns finds first, less what is a mark already."""
    hits = (next((hit.group() for hit in one.finditer(text) if hit.group() != mark), None) for one, mark in patterns)
    return tuple(hit for hit in hits if hit is not None)
