"""Boot media: what GRUB is told, and that an image comes out."""

import pytest

from lhvtool import media
from lhvtool.problem import Problem


def test_options_reach_grub_in_quotes():
    assert media.grub_script("lhv_opt=0x0 tests=a.*,b.?") == (
        "multiboot2 (cd)/lhv.bin 'lhv_opt=0x0' 'tests=a.*,b.?'\nboot\n")


def test_no_options_and_the_other_loader():
    assert media.grub_script("", "multiboot") == "multiboot (cd)/lhv.bin\nboot\n"


@pytest.mark.parametrize("word", ["a'b", 'a"b', "a\\b", "a b", "ä", "a\nb"])
def test_words_that_no_loader_passes_on(word):
    with pytest.raises(Problem, match="kernel option"):
        media.check_words([word])


@pytest.mark.parametrize("word", ["tests=a.*,[b-d].?", "x=$y{}();&|<>#%~!", "lhv_opt=ept+vpid"])
def test_words_that_pass(word):
    media.check_words([word])


def test_an_image(tmp_path):
    kernel, image = tmp_path / "some-kernel", tmp_path / "cd.iso"
    kernel.write_bytes(b"kernel" * 100)
    media.iso(image, kernel, "tests=a.*")
    data = image.read_bytes()
    assert b"EL TORITO SPECIFICATION" in data and b"kernel" * 100 in data


def test_a_kernel_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match="xorriso failed"):
        media.iso(tmp_path / "cd.iso", tmp_path / "none", "")
