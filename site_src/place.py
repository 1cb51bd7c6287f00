"""Where a page stands, and so how a link on it leads to other pages and to the site's files."""

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Place:
    """A page's path below its language's root, that language's folder in the site, how pages become addresses.

    `address` is where the whole site is published.
    """

    path: str = "index.md"
    folder: str = ""
    directory_urls: bool = True
    address: str = ""

    def page(self, name: str) -> str:
        """The relative address of a page of the same language; `name` is its path without `.md`."""
        return f"{self._root}{name}/" if self.directory_urls else f"{self._root}{name}.html"

    def file(self, name: str) -> str:
        """The relative address of one of the site's files, which all languages share."""
        return f"{self._root}{'../' if self.folder else ''}{name}"

    @property
    def _root(self) -> str:
        path = PurePosixPath(self.path)
        stays = path.name == "index.md" or not self.directory_urls
        return "../" * (len(path.parts) - stays)
