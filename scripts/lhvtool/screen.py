"""What the machine's screen shows: as text, and as a picture in PNG.

Bochs draws its text screen on a terminal, whose bytes are kept in the run's folder and played to a
terminal emulator here. QEMU writes a picture itself when its monitor is asked.
"""

import io
import json
import os
import socket
import time
from pathlib import Path

from .problem import Problem
from .process import TERMINAL

COLUMNS, ROWS = 80, 25
MONITOR = "monitor.socket"        # QEMU's monitor, where the platform has one
DUMP = "screen.ppm"               # the picture that QEMU writes
PATIENCE_SECONDS = 5.0
INTERVAL_SECONDS = 0.5            # between two pictures of a soak

# The 16 colours of VGA text, and the names that pyte has for the first 8 of them.
VGA = [(0, 0, 0), (0, 0, 170), (0, 170, 0), (0, 170, 170), (170, 0, 0), (170, 0, 170), (170, 85, 0),
       (170, 170, 170), (85, 85, 85), (85, 85, 255), (85, 255, 85), (85, 255, 255), (255, 85, 85),
       (255, 85, 255), (255, 255, 85), (255, 255, 255)]
NAMES = {"black": 0, "blue": 1, "green": 2, "cyan": 3, "red": 4, "magenta": 5, "brown": 6, "white": 7}
FONTS = ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf")
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 10, 19, 16


def _module(name):
    try:
        return __import__(name)
    except ImportError:
        raise Problem(f"The Python module {name} is not installed. Run scripts/setup.") from None


def _terminal(folder):
    """The terminal that the emulator drew on, as a pyte screen; None if it drew nothing."""
    path = Path(folder, TERMINAL)
    data = path.read_bytes() if path.exists() else b""
    if not data:
        return None
    pyte = _module("pyte")
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(data)
    return screen


class Camera:
    """Takes the picture of a run: in a soak after iterations, so that the last one is of its screen, else at the verdict."""

    def __init__(self, folder, file):
        """Arguments: the folder of the boot; the file, or None for no picture."""
        self.folder, self.file = folder, file
        self.trouble = ""         # why there is no picture, as a sentence
        self._taken, self._iterations = 0.0, 0

    def look(self, log):
        """Takes a picture if it is time for one. Arguments: the BootLog, which has just grown."""
        if not self.file or not (log.verdict or log.iterations > self._iterations):
            return
        soon = time.monotonic() - self._taken < INTERVAL_SECONDS
        if self._iterations and (log.verdict or soon):
            return
        self._iterations = log.iterations
        try:
            save(self.folder, self.file)
            self.trouble = ""
        except Problem as problem:
            self.trouble = str(problem)
        self._taken = time.monotonic()


def status_row(folder):
    """The bottom row of the text screen, without spaces around it; "" where that cannot be told."""
    try:
        screen = _terminal(folder)
    except Problem:
        return ""
    rows = [row.strip() for row in screen.display] if screen else []
    return next((row for row in rows if row.startswith("iteration ")), "")


def save(folder, file):
    """Saves what the screen shows now, as PNG.

    Arguments: the folder of the boot, which may still be running; the file.
    Error: Problem when there is no screen to be had, or the file cannot be written.
    """
    monitor = Path(folder, MONITOR)
    image = _dump(monitor, Path(folder, DUMP)) if monitor.exists() else _render(folder)
    try:
        image.save(file, "PNG")
    except OSError as error:
        raise Problem(f"The picture cannot be written: {error}.") from None


def _dump(monitor, dump):
    """QEMU's own picture of the screen, by its monitor (QMP)."""
    _module("PIL")
    from PIL import Image
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_SECONDS)
            _connect(line, monitor)
            stream = line.makefile("rw")
            _answer(stream)
            for command, arguments in (("qmp_capabilities", {}),
                                       ("screendump", {"filename": str(dump.resolve())})):
                stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                stream.flush()
                _answer(stream)
        return Image.open(io.BytesIO(dump.read_bytes()))
    except (OSError, ValueError) as error:
        raise Problem(f"QEMU's monitor gave no picture of the screen: {error}.") from None


def _connect(line, path):
    """Connects by way of the folder's descriptor, since a socket's path may have 107 characters only."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        line.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _answer(stream):
    """The monitor's next line that is no event."""
    while line := stream.readline():
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"].get("desc"))
        if "event" not in answer:
            return answer
    raise ValueError("it hung up")


def _render(folder):
    """The text screen as an image."""
    screen = _terminal(folder)
    if screen is None:
        raise Problem("The emulator drew no screen.")
    _module("PIL")
    from PIL import Image, ImageDraw
    font = _font()
    image = Image.new("RGB", (COLUMNS * CELL_WIDTH, ROWS * CELL_HEIGHT), VGA[0])
    draw = ImageDraw.Draw(image)
    for row in range(ROWS):
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            front = VGA[NAMES.get(cell.fg, 7) + (8 if cell.bold else 0)]
            back = VGA[NAMES.get(cell.bg, 0)]
            if cell.reverse:
                front, back = back, front
            x, y = column * CELL_WIDTH, row * CELL_HEIGHT
            if back != VGA[0]:
                draw.rectangle((x, y, x + CELL_WIDTH - 1, y + CELL_HEIGHT - 1), back)
            if cell.data.strip():
                draw.text((x, y), cell.data, front, font)
    return image


def _font():
    from PIL import ImageFont
    for name in FONTS:
        try:
            return ImageFont.truetype(name, FONT_SIZE)
        except OSError:
            continue
    return ImageFont.load_default()
