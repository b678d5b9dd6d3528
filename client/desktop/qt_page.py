"""What a page may do in a Qt window: stay at our address, and nothing else.

These take the places of the classes inside pywebview's Qt backend, which grant camera and microphone to everybody,
open any new-window address in the system's browser, and inject a scriptable bridge into whatever is shown (FACTS).
"""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QLocale, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineSettings,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QMenu, QWidget

from client.desktop.guard import Guard
from client.log import log

_RELOAD_AFTER_MS: Final = 1_000

MENU_WORDS: Final = {
    "en": {"Cut": "Cut", "Copy": "Copy", "Paste": "Paste", "SelectAll": "Select all"},
    "zh": {"Cut": "剪切", "Copy": "复制", "Paste": "粘贴", "SelectAll": "全选"},
}
"""The only words that a person sees and that are not the page's: the menu is the system's."""


BACKGROUND: Final = {"light": "#f3f5f9", "dark": "#121519"}
"""What a window shows before its page is drawn: the themes' --color-page (a test compares), not a flash of white."""


class GuardedPage(QWebEnginePage):
    """Stays at our address, grants nothing, opens nothing, and has no bridge of pywebview's."""

    def __init__(self, guard: Guard, parent: Any, profile: QWebEngineProfile) -> None:
        super().__init__(profile, parent.webview)
        self._guard = guard
        self.setBackgroundColor(QColor(BACKGROUND["dark" if _is_dark(guard.appearance()) else "light"]))
        attribute = QWebEngineSettings.WebAttribute
        for off in (
            attribute.JavascriptCanOpenWindows,
            attribute.LocalContentCanAccessFileUrls,
            attribute.LocalStorageEnabled,
            attribute.NavigateOnDropEnabled,
            attribute.PdfViewerEnabled,
            attribute.PluginsEnabled,
            attribute.ScreenCaptureEnabled,
            attribute.HyperlinkAuditingEnabled,
            attribute.DnsPrefetchEnabled,
            attribute.AutoLoadIconsForPage,
        ):
            self.settings().setAttribute(off, False)
        self.permissionRequested.connect(self._deny)
        self.renderProcessTerminated.connect(self._crashed)
        self.urlChanged.connect(self._arrived)
        self._home = QUrl()

    # The names of the methods below are Qt's.

    def acceptNavigationRequest(
        self, url: QUrl | str, kind: QWebEnginePage.NavigationType, is_main_frame: bool
    ) -> bool:
        """Whether a frame may go there."""
        address = QUrl(url)
        allowed = is_main_frame and address.toString().startswith(self._guard.prefix)
        if not allowed:
            log("navigation refused", scheme=address.scheme(), main_frame=is_main_frame, kind=kind.name)
        return allowed

    def createWindow(self, kind: QWebEnginePage.WebWindowType) -> QWebEnginePage | None:  # type: ignore[override]
        """No new window: None is Qt's documented refusal, which PySide's stubs leave out."""
        log("new window refused", kind=kind.name)
        return None

    def setWebChannel(self, *_: object) -> None:
        """No channel: this is how pywebview would reach into the page, and the page into pywebview."""

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        """To the log, without the secret in the address."""
        prefix = self._guard.prefix
        place = source.removeprefix(prefix).partition("?")[0]
        log("page console", kind=level.name, text=message.replace(prefix, "/")[:500], source=place, line=line)

    def _deny(self, permission: QWebEnginePermission) -> None:
        log("permission refused", kind=permission.permissionType().name)
        permission.deny()

    def _arrived(self, url: QUrl) -> None:
        """Chromium goes to about:blank without asking acceptNavigationRequest: come back at once."""
        if url.toString().startswith(self._guard.prefix):
            self._home = url
        elif not self._home.isEmpty():
            log("navigation undone", scheme=url.scheme())
            self.setUrl(self._home)

    def _crashed(self, status: QWebEnginePage.RenderProcessTerminationStatus, code: int) -> None:
        log("page process ended", status=status.name, code=code)
        # A page keeps no truth of its own: it starts afresh.
        QTimer.singleShot(_RELOAD_AFTER_MS, lambda: self.triggerAction(QWebEnginePage.WebAction.Reload))


class GuardedRequests(QWebEngineUrlRequestInterceptor):
    """The second line behind the content security policy: nothing but our own address is ever asked."""

    def __init__(self, guard: Guard, window: object) -> None:
        super().__init__()
        del window
        self._allowed = (guard.prefix, guard.prefix.replace("http:", "ws:", 1))

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        """Block what is foreign (Qt's name)."""
        url = info.requestUrl()
        if url.scheme() not in ("data", "blob") and not url.toString().startswith(self._allowed):
            info.block(True)
            log("request refused", why="foreign", scheme=url.scheme())


class View(QWebEngineView):
    """A web view whose menu holds what a person needs for text, and nothing for developers."""

    def __init__(self, guard: Guard, parent: QWidget) -> None:
        super().__init__(parent)
        self._guard = guard

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Cut, copy, paste where they make sense (Qt's name)."""
        request = self.lastContextMenuRequest()
        names = ["Cut", "Copy", "Paste", "SelectAll"] if request.isContentEditable() else []
        if not names and request.selectedText():
            names = ["Copy"]
        if not names:
            return
        words = MENU_WORDS["zh" if _speaks_chinese(self._guard.language()) else "en"]
        menu = QMenu(self)
        for name in names:
            action = self.pageAction(QWebEnginePage.WebAction[name])
            action.setText(words[name])
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())

    def setContextMenuPolicy(self, policy: object) -> None:
        """Nothing: pywebview would switch the menu off."""


def _is_dark(setting: str) -> bool:
    return setting == "dark" or (
        setting == "system" and QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    )


def _speaks_chinese(setting: str) -> bool:
    return (QLocale.system().name() if setting == "system" else setting).lower().startswith("zh")
