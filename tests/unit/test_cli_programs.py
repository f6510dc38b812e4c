"""Each program that `--python` prints does what the command does."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import DNS, EDGE, LINKS, command, plt_run, program_of, run_program
from packets import read

pytest.importorskip("click")
pytest.importorskip("rich")
pytest.importorskip("numpy")

PRINTING = [
    ["packets", EDGE],
    ["packets", "--limit", "7", "--json", EDGE],
    ["packets", "--fields", "time,src,tcp.syn_flag,seconds", "--filter", "tcp port 80", EDGE],
    ["packets", "-n", "--sort", "wire_len", "--limit", "20", DNS, EDGE],
    ["packets", "-n", "--sort", "src", "--reverse", "--no-header", DNS],
    ["packets", "-n", "--sort", "payload_len", "--reverse", EDGE],
    ["packets", "--sort", "time", "--limit", "1001", EDGE, DNS],
    ["flows", "--limit", "10", EDGE],
    ["flows", "--sort", "rtt", "--fields", "src_prefix,dst_prefix,rtt", EDGE],
    ["flows", "--sort", "dst_prefix", "--filter", "udp or vlan", EDGE, DNS],
    ["flows", "--idle-timeout", "1.5", "--active-timeout", "20s", "--vlan", EDGE],
    ["flows", "--home", "192.0.2.0/24", "--home", "2001:db8:1::/64", "--json", EDGE],
    ["dns", DNS],
    ["dns", "--sort", "response_time", "--limit", "5", DNS, EDGE],
    ["dns", "--sort", "qname", "--fields", "qname,qtype", "--ports", "53,5353", DNS],
    ["dns", "--timeout", "1ms", "--fields", "id,response_time", "--json", DNS],
    ["rates", EDGE],
    ["rates", "--interval", "100ms", "--filter", "port 53", "--no-header", EDGE, DNS],
    ["rates", "--interval", "7.5s", "--json", EDGE],
    ["rates", "--where", "vlan_id and tcp", "--no-header", EDGE],
    ["packets", "--decap", "--limit", "100", LINKS],
    ["packets", "--tunnel-ports", "vxlan=4790,8473", "--tunnel-ports", "geneve=1", LINKS],
    ["flows", "--tcp", "--decap", LINKS],
    ["flows", "--tcp", "--sort", "server_rtt", "--fields", "dst_prefix", LINKS],
    ["flows", "--first", "20", "--statistics", "--idle-timeout", "1s", EDGE],
    ["flows", "--first", "3", "--fields", "dst_port,first_gaps", "--json", LINKS],
    ["dns", "--reassemble", "--filter", "tcp", DNS],
    ["streams", LINKS, DNS],
    ["streams", "--sort", "dst_prefix", "--limit", "9", "--filter", "tcp port 80", "--json", LINKS],
    ["streams", "--sort", "response_time", "--fields", "number,rev_gaps,is_whole", LINKS],
    ["streams", "--way-limit", "100", "--where", "dst_port == 53", LINKS],
    ["streams", "--follow", "59", LINKS],
    ["streams", "--follow", "59", "--way", "rev", "--as", "hex", LINKS],
    ["streams", "--follow", "14", "--json", LINKS],
    ["streams", "--follow", "15", "--json", "--as", "hex", "--way", "fwd", DNS],
    ["flows", "--where", "dst_port in (80, 443)", "--limit", "9", EDGE],
    ["dns", "--where", "wire_len > 200", DNS],
]  # fmt: skip


def ident(arguments: list[str]) -> str:
    """A test's name."""
    return " ".join(os.path.basename(argument) for argument in arguments)


@pytest.mark.parametrize("arguments", PRINTING, ids=ident)
def test_program_prints_the_same(arguments: list[str]) -> None:
    done = plt_run(*arguments)
    assert (done.code, done.err) == (0, "")
    assert len(done.out) > 100
    assert run_program(program_of(arguments)) == done.out


WRITING = [
    (["convert", EDGE], "x.csv"),
    (["convert", "--table", "flows", "--filter", "udp or vlan", EDGE, DNS], "x.tsv"),
    (["convert", "--table", "dns", DNS], "x.jsonl"),
    (["convert", "--table", "flows", "--tcp", "--decap", LINKS], "x.csv"),
    (["convert", "--table", "flows", "--first", "9", "--statistics", LINKS], "x.csv"),
    (["convert", "--table", "flows", "--first", "2", DNS], "x.jsonl"),
    (["convert", "--decap", LINKS], "x.jsonl"),
    (["convert", "--table", "dns", "--reassemble", DNS], "x.tsv"),
    (["convert", "--fields", "time,src,wire_len", EDGE], "x.csv.gz"),
    (["convert", EDGE], "x.erf"),
    (["convert", EDGE], "x.pcapng"),
    (["merge", EDGE, DNS], "y.pcapng.gz"),
    (["convert", "--format", "pcap", "--filter", "icmp", EDGE, DNS], "x.anything"),
    (["convert", "--where", "src in 198.51.100.0/24", EDGE], "x.pcap"),
    (["merge", EDGE, DNS], "x.pcap"),
    (["cut", "--from", "+10s", "--to", "+20.5s", "--snaplen", "40", EDGE], "x.pcap.gz"),
    (["cut", "--packets", "2-5,9990-", "--from", "2026-11-22T22:30:00Z", EDGE], "x.pcap"),
    (["cut", "--packets", "1-3", "--filter", "tcp port 80", EDGE], "x.pcap.bz2"),
    (["cut", EDGE], "x.pcap"),
    (["split", "--every", "10s", EDGE], "x.pcap.gz"),
    (["split", "--packets", "3000", EDGE, DNS], "x.pcap"),
    (["split", "--size", "100k", "--filter", "ip", EDGE], "x-0001.erf"),
    (["split", "--packets", "3000", "--no-header", EDGE], "x.pcap"),
    (["split", "--every", "30s", "--json", EDGE], "x.pcap"),
]


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of a folder; gzip's own time is none of it."""
    return {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in sorted(folder.iterdir())
    }


def both(arguments: list[str], output: str, folder: Path) -> tuple[dict[str, bytes], ...]:
    """The files that a command writes, and those that its program does."""
    found = []
    for made_by in ("command", "program"):
        place = folder / made_by
        place.mkdir()
        words = [*arguments, "-o", str(place / output)]
        if made_by == "command":
            done = plt_run(*words)
            assert (done.code, done.err) == (0, "")
            printed = done.out.replace(str(place), str(folder))
        else:
            assert run_program(program_of(words)).replace(str(place), str(folder)) == printed
        found.append(contents(place))
    return tuple(found)


@pytest.mark.parametrize(("arguments", "output"), WRITING, ids=str)
def test_program_writes_the_same(arguments: list[str], output: str, tmp_path: Path) -> None:
    by_command, by_program = both(arguments, output, tmp_path)
    assert by_command
    assert min(map(len, by_command.values())) > 100
    assert by_command == by_program


@pytest.mark.parametrize("table", ["packets", "flows", "dns"])
def test_program_writes_the_same_parquet(table: str, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    both(["convert", "--table", table, DNS, EDGE], "x.parquet", tmp_path)
    by_command, by_program = (
        pq.read_table(tmp_path / made_by / "x.parquet") for made_by in ("command", "program")
    )
    assert by_command.num_rows > 700
    assert by_command.equals(by_program)


def test_program_writes_the_same_streams(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("command", "program")]
    arguments = [["streams", "--limit", "3", "--write", str(path), LINKS] for path in folders]
    done = plt_run(*arguments[0])
    assert (done.code, done.err, len(done.rows)) == (0, "", 3)
    assert run_program(program_of(arguments[1])) == done.out
    by_command, by_program = map(contents, folders)
    assert len(by_command) > 100
    assert by_command == by_program


def test_program_follows_raw_bytes_the_same(tmp_path: Path) -> None:
    words = ["streams", "--follow", "12", "--as", "raw", LINKS]
    program = tmp_path / "program.py"
    program.write_text(program_of(words))
    printed = [
        subprocess.run(line, capture_output=True, env=os.environ, check=True).stdout
        for line in (command(*words), [sys.executable, str(program)])
    ]
    assert printed[0] == printed[1]
    length, ident = printed[0][:2], printed[0][2:4]
    assert int.from_bytes(length) == 52  # RFC 1035 section 4.2.2
    assert printed[0][54 + 2 : 54 + 4] == ident


def test_program_anonymises_the_same(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a key\n")
    arguments = ["anon", "--key-file", str(key), "--payload", "drop", EDGE]
    by_command, by_program = both(arguments, "x.pcap", tmp_path)
    assert len(by_command["x.pcap"]) > 100_000
    assert by_command == by_program


def test_programs_take_a_key_as_the_command_does(tmp_path: Path) -> None:
    """From standard input, or by chance."""
    outputs = [tmp_path / "command.pcap", tmp_path / "program.pcap"]
    words = ["anon", "--key-file", "-", EDGE, "-o"]
    program = program_of([*words, str(outputs[1])])
    for line in (command(*words, str(outputs[0])), [sys.executable, "-c", program]):
        subprocess.run(line, input=b"a key\n", env=os.environ, check=True)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    by_chance = program_of(["anon", "-o", str(tmp_path / "chance.pcap"), EDGE])
    run_program(by_chance)
    assert "secrets.token_bytes(32)" in by_chance
    counts = [len(read(path)) for path in (tmp_path / "chance.pcap", outputs[0])]
    assert counts == [10_000, 10_000]
    assert (tmp_path / "chance.pcap").read_bytes() != outputs[0].read_bytes()


def test_program_of_info_counts_the_same() -> None:
    printed = run_program(program_of(["info", "--top", "3", EDGE, DNS])).splitlines()
    # tshark's counts, in tutorial/traces/README.md and by -Y 'ip.proto#1 == 6'
    assert printed[0].split("\t") == [EDGE, "10000", "packets", "5758637", "bytes"]
    assert "IPv4 protocol\t132\t99" in printed
    shown = plt_run("info", "--top", "3", EDGE, DNS).out
    for line in printed:
        if line.startswith("protocol\t"):
            _, proto, _, port, packets = line.split("\t")
            name = {"6": "TCP", "17": "UDP"}[proto]
            assert f"{name} {port} {int(packets):,}" in " ".join(shown.split())


RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath]))


def test_a_name_of_a_file_is_no_reason_to_import(tmp_path: Path) -> None:
    """A folder may be named as a package is."""
    path = tmp_path / "plt" / "natkit.pcap"
    path.parent.mkdir()
    path.write_bytes(Path(EDGE).read_bytes())
    assert "import plt" not in program_of(["flows", str(path)])
    assert "import natkit" not in program_of(["packets", str(path)])


@pytest.mark.skipif(RUFF is None, reason="ruff is not installed")
def test_programs_are_formatted(tmp_path: Path) -> None:
    """With nothing in them that ruff calls unused or undefined, laid out as it does."""
    sources = [program_of(arguments) for arguments in (*PRINTING, ["info", EDGE])]
    sources += [program_of([*arguments, "-o", output]) for arguments, output in WRITING]
    sources += [program_of(["convert", "-o", "x.parquet", EDGE])]
    sources += [program_of(["streams", "--write", "x", EDGE])]
    sources += [program_of(["streams", "--follow", "2", "--as", "raw", EDGE])]
    for n, source in enumerate(sources):
        # the folders of this machine are not what is looked at
        text = source.replace(EDGE, "a.pcap").replace(DNS, "b.pcap").replace(LINKS, "c.pcap")
        (tmp_path / f"p{n}.py").write_text(text)
    rules = ["--isolated", "--no-cache", "--line-length", "100"]
    for check in (["check", "--select", "E,F,W"], ["format", "--diff"]):
        done = subprocess.run(
            [str(RUFF), *check, *rules, str(tmp_path)],
            capture_output=True,
            text=True,
            env=os.environ,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
