"""A client that is open for days survives what PySide6 does to the counts of None, True and False."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.desktop import ROOT

PROGRAM = """
import threading
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget
from client.desktop.qt import keep_singletons

class Caller(QObject):
    call = Signal(str)

keep_singletons()
app = QApplication(["test"])
window = QWidget()
caller = Caller()
caller.call.connect(window.setWindowTitle)

def work():
    for number in range(20_000):
        caller.call.emit(str(number))

thread = threading.Thread(target=work)
thread.start()
thread.join()
for number in range(50_000):
    window.setWindowTitle("own")
    window.isVisible()
app.processEvents()
print("alive")
"""


def test_many_signals_and_calls_leave_python_alive() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "alive\n", done.stderr
    assert done.returncode == 0
