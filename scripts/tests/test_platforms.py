"""The platforms' own knowledge: models, versions, configuration, last words."""

import pytest

from lhvtool import bochs, platforms, qemu
from lhvtool.problem import Problem


def test_versions():
    assert bochs.version()[0].isdigit()
    assert qemu.version()[0].isdigit()


@pytest.mark.parametrize("name, model", [
    ("haswell", "corei7_haswell_4770"), ("core2_penryn_t9600", "core2_penryn_t9600"),
    ("sandy_bridge", "corei7_sandy_bridge_2600k"), ("skylake_x", "corei7_skylake_x"),
    ("tigerlake", "tigerlake"), ("icelake_u", "corei7_icelake_u"), ("broadwell_ult", "broadwell_ult")])
def test_models_by_a_part_of_their_name(name, model):
    assert bochs.find_model(name) == model


def test_a_model_that_is_unknown_or_ambiguous():
    with pytest.raises(Problem, match="knows no CPU model 'z80'.*corei7_haswell_4770"):
        bochs.find_model("z80")
    with pytest.raises(Problem, match="could be any of"):
        bochs.find_model("corei7")


def test_bochs_files(tmp_path):
    (tmp_path / "lhv.bin").write_bytes(b"kernel")
    platform = bochs.Bochs(tmp_path / "lhv.bin", "sandy_bridge", 16, 32)
    command = platform.prepare(tmp_path, "lhv_opt=0x0")
    text = (tmp_path / "bochsrc").read_text()
    assert command[0] == "bochs"
    assert "model=corei7_sandy_bridge_2600k, count=16," in text
    assert "guest=32, host=32" in text
    assert (tmp_path / "cd.iso").exists()


def test_the_panic_of_bochs_is_its_last_word(tmp_path):
    (tmp_path / "bochs.log").write_text(
        "000000001i[CPU0  ] something\n"
        "059457690p[CPU0  ] >>PANIC<< exception(): 3rd (13) exception with no resolution\n")
    platform = bochs.Bochs("lhv.bin", None, 1, 128)
    assert platform.last_words(tmp_path) == "CPU0: exception(): 3rd (13) exception with no resolution"


def test_where_the_cpus_were_is_the_last_word_of_a_hang(tmp_path):
    (tmp_path / "screen.raw").write_bytes(
        b"Next at t=0\r\n(0) [0x0000fffffff0] f000:fff0 (unk. ctxt): jmpf 0xf000:e05b  ; ea5b\r\n"
        b"1..3\r\nNext at t=286249270\r\n"
        b"(0) [0x00000010030d] 0010:000000000010030d (unk. ctxt): jmp .-2  (0x0010030d)     ; ebfe\r\n"
        b"(1) [0x00000009f048] 9f00:0048 (unk. ctxt): jmp .-3  (0x0009f047)     ; ebfd\r\nCPU0:\r\n")
    assert bochs.Bochs("lhv.bin", None, 2, 128).last_words(tmp_path) == (
        "CPU 0 was at 0010:000000000010030d, jmp .-2  (0x0010030d); "
        "CPU 1 was at 9f00:0048, jmp .-3  (0x0009f047)")


def test_bochs_has_limits():
    with pytest.raises(Problem, match="at most 2048 MiB"):
        bochs.Bochs("lhv.bin", None, 1, 4096)


def test_qemu_command(tmp_path):
    platform = qemu.Qemu("lhv.bin", None, 3, 64)
    command = platform.prepare(tmp_path, "lhv_opt=0x0")
    assert command[command.index("-smp") + 1] == "3"
    assert command[command.index("-append") + 1] == "lhv_opt=0x0"
    assert (platform.accelerator == "kvm") == (qemu.missing_kvm() is None)


def test_qemu_refuses_an_unknown_model():
    with pytest.raises(Problem, match="QEMU knows no CPU model 'z80'"):
        qemu.Qemu("lhv.bin", "z80", 1, 64)


def test_every_platform_runs_or_has_a_reason():
    survey = platforms.survey()
    assert {"bochs", "qemu"} <= {name for name, _, _ in survey}
    assert all(reason is None or reason.endswith(".") for _, _, reason in survey)
