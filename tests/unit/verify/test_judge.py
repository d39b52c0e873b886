"""The judge finds the stream, decodes it, says what it could not judge; the command prints that."""

import json

import pytest
from click.testing import CliRunner

from abr.cli.verify import verify
from abr.errors import UsageError
from abr.verify.judge import judge
from abr.verify.rules import RULES
from tests.fakes.broadcast import broadcast
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return broadcast().write(tmp_path_factory.mktemp("vod"))


@pytest.mark.parametrize("entry", ["", "/", "/index.m3u8", "/manifest.mpd"])
def test_both_views_are_found_from_the_folder_and_from_either_entry(folder, entry):
    verdict = judge(folder + entry)
    assert verdict.ok
    assert {"H-51", "D-57", "H-71"} <= set(verdict.judged)


def test_every_rule_is_judged_or_said_not_to_be(folder):
    verdict = judge(folder)
    assert sorted([*verdict.judged, *(item.rule for item in verdict.not_judged)]) == sorted(RULES)
    reasons = dict(verdict.not_judged)
    assert reasons["C-17"] == "asked for with --decode"
    assert reasons["L-01"] == "asked for with --live"
    assert reasons["A-10.4"] == "files have no headers"
    assert reasons["LL"] == "low latency"


def test_a_media_playlist_alone_is_judged_by_its_own_rules(folder):
    verdict = judge(f"{folder}/lo/index.m3u8")
    assert verdict.ok
    assert {"H-04", "H-46", "H-47"} <= set(verdict.judged)
    assert "H-71" not in verdict.judged


def test_where_there_is_no_stream_the_error_names_both_entries(tmp_path):
    with pytest.raises(UsageError, match=r"neither index.m3u8 \(no such file\) nor manifest.mpd"):
        judge(str(tmp_path))
    with pytest.raises(UsageError, match="no such folder"):
        judge(str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="only folders"):
        judge("ftp://example.org/index.m3u8")


def test_broken_pictures_are_found_by_decoding(tmp_path):
    stream = broadcast()
    data = stream.files["hi/2.m4s"]
    start = data.index(b"mdat") + 200
    stream.files["hi/2.m4s"] = data[:start] + bytes(len(data) - start)
    found = judge(stream.write(tmp_path), decode=True).findings
    assert {(item.rule, item.where) for item in found if item.rule.startswith("C-")} == {
        ("C-17", "hi/index.m3u8#0")
    }


def test_the_command_ends_with_0_for_a_right_stream_and_prints_json(folder):
    result = CliRunner().invoke(verify, [folder, "--json", "--level", "I"])
    assert result.exit_code == 0
    verdict = json.loads(result.stdout)
    assert verdict["ok"] is True
    assert verdict["findings"] == []
    assert verdict["not_judged"]["C-18"] == "needs numbered frames"


def test_the_command_ends_with_1_and_names_rule_place_and_fault(tmp_path):
    stream = broadcast()
    del stream.files["hi/2.m4s"]
    result = CliRunner().invoke(verify, [stream.write(tmp_path), "--level", "M"], env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "hi/index.m3u8#2" in result.stdout
    assert "2.m4s: no such file" in result.stdout
    assert "A-7.5" not in result.stdout.partition("not judged")[0]


def test_a_playlist_cannot_hide_its_text_as_markup(tmp_path):
    stream = broadcast().edit("lo/index.m3u8", "2.m4s", "[red]x[/nothing]")
    result = CliRunner().invoke(verify, [stream.write(tmp_path)])
    assert result.exit_code == 1
    assert "[red]x[/nothing]" in result.stdout.replace("\n", "")


def test_an_open_sliding_list_is_judged_as_live(tmp_path):
    stream = broadcast(live=True)
    verdict = judge(stream.write(tmp_path), clock=FakeClock(stream.now))
    assert {"A-8.4", "D-10", "D-82"} <= set(verdict.judged)
    assert not {"A-8.6", "D-20"} & set(verdict.judged)
