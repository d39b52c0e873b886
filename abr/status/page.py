"""The preview page: a player and the worker's numbers, in one file without a build step."""

import json

from abr.model.state import SAMPLES

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>abr · {title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent);
  --soft: color-mix(in srgb, currentColor 60%, transparent); --good: #16803c; --bad: #c62828; --wait: #a66300 }}
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; max-width: 1080px; padding: 1.25rem; font: 15px/1.45 system-ui, sans-serif }}
header {{ display: flex; align-items: baseline; gap: .75rem; margin-bottom: .9rem }}
h1 {{ font-size: 1.25rem; margin: 0 }} h2 {{ font-size: .95rem; margin: 1.4rem 0 .4rem }}
#phase {{ padding: .1rem .6rem; border-radius: 1rem; color: #fff; background: var(--wait); font-size: .85rem }}
#phase.live {{ background: var(--good) }} #phase.failed {{ background: var(--bad) }}
video {{ width: 100%; aspect-ratio: 16/9; background: #000; border-radius: .5rem; display: block }}
#note {{ color: var(--soft); min-height: 1.5em; margin: .4rem 0 0 }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem 1.2rem; margin: 1rem 0 0 }}
dt {{ color: var(--soft); font-size: .8rem }} dd {{ margin: 0; font-variant-numeric: tabular-nums }}
table {{ width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }}
th {{ font-weight: 500; color: var(--soft); font-size: .85rem }} th:first-child, td:first-child {{ text-align: left }}
.bad {{ color: var(--bad) }}
</style>
<header><h1>{title}</h1><span id="phase">…</span></header>
<video id="player" controls muted autoplay playsinline></video>
<p id="note"></p>
<dl id="facts"></dl>
<div id="several" hidden><h2>Inputs</h2><table><thead><tr><th>input<th>state<th>on air<th></thead>
<tbody id="inputs"></tbody></table><p><button data-input="auto">Let the worker choose</button></p></div>
<h2>Rungs</h2><table><thead><tr><th>rung<th>size<th>codec<th>target<th>now<th>segments</thead><tbody id="rungs"></tbody></table>
<h2>Origins</h2><table><thead><tr><th>origin<th>state<th>waiting<th>confirmed</thead><tbody id="origins"></tbody></table>
<script>
const channel = {channel}, player = document.getElementById('player'), note = document.getElementById('note');
const source = '/media/' + channel + '/index.m3u8';
const rate = bits => bits >= 1e6 ? (bits / 1e6).toFixed(2) + ' Mb/s' : Math.round(bits / 1e3) + ' kb/s';
const row = cells => {{ const tr = document.createElement('tr');
  for (const cell of cells) {{ const td = document.createElement('td'); td.textContent = cell; tr.append(td) }} return tr }};
const fact = (name, value) => {{ const box = document.createElement('div'), dt = document.createElement('dt'),
  dd = document.createElement('dd'); dt.textContent = name; dd.textContent = value; box.append(dt, dd); return box }};
const counted = (counts, samples = []) => Object.entries(counts).filter(([, count]) => count)
  .map(([name, count]) => count + (samples.includes(name) ? ' samples ' : ' ') + name).join(', ') || 'nothing';
const clock = ns => new Date(ns / 1e6).toLocaleTimeString();
const known = () => sessionStorage.getItem('token') || (prompt('The token for choosing inputs (input_token)') || '').trim();
const choose = async input => {{
  const headers = {{'Content-Type': 'application/json'}}, token = {locked} && known();
  if ({locked} && !token) return;
  if (token) headers.Authorization = 'Bearer ' + token;
  const answer = await fetch('/api/input', {{method: 'POST', headers, body: JSON.stringify({{input}})}}), said = await answer.text();
  note.textContent = answer.ok ? '' : said;
  if (token && answer.ok) sessionStorage.setItem('token', token);
  if (answer.status === 403) sessionStorage.removeItem('token') }};
document.querySelector('[data-input]').onclick = () => choose('auto');
const inputRow = (input, place) => {{
  const tr = row([place + 1 + ' ' + input.name, input.waiting || input.condition, input.on_air ? 'on air' : '', '']);
  const button = document.createElement('button'); button.textContent = input.chosen ? 'chosen' : 'take';
  button.onclick = () => choose(place + 1); tr.lastChild.append(button); return tr }};
let playing = false;
async function play() {{
  if (!{media}) {{ playing = true; note.textContent = 'No origin is a folder of this machine; play the stream from its origin.'; return }}
  const answer = await fetch(source, {{method: 'HEAD'}});
  if (!answer.ok) {{ note.textContent = 'The player starts when three segments are there.'; return }}
  playing = true; note.textContent = '';
  if (player.canPlayType('application/vnd.apple.mpegurl')) {{ player.src = source; return }}
  const script = document.createElement('script');
  script.src = 'https://cdn.jsdelivr.net/npm/hls.js@1/dist/hls.min.js';
  script.onload = () => {{ const hls = new Hls(); hls.loadSource(source); hls.attachMedia(player) }};
  script.onerror = () => {{ note.textContent = 'This browser needs hls.js, which could not be loaded.' }};
  document.head.append(script);
}}
function show(state) {{
  const phase = document.getElementById('phase');
  phase.textContent = state.phase; phase.className = state.phase;
  const facts = document.getElementById('facts'); facts.replaceChildren(
    fact('feed', state.feed ? state.feed.name : state.pull || '–'), fact('video', state.feed ? state.feed.video || '–' : '–'),
    fact('pictures', state.pictures || '–'),
    fact('audio', state.feed ? state.feed.audio || '–' : '–'), fact('segments', state.released),
    fact('segment length', state.duration ? state.duration.toFixed(3) + ' s' : '–'),
    fact('slate', !state.slate ? '–' : state.slate.since ? 'on air since ' + clock(state.slate.since) :
      state.slate.seconds ? state.slate.seconds.toFixed(0) + ' s in all' : 'not shown'),
    ...(state.load && state.load.level !== 'whole' ? [fact(state.load.rung + ' ' + state.load.level,
      state.load.reason + ', ' + state.load.behind + ' s behind')] : []),
    ...state.loudness.map(l => fact('loudness of ' + l.rendition, (l.integrated ?? '–') + ' LUFS, now ' +
      (l.short_term ?? '–') + ', peak ' + (l.true_peak ?? '–') + ' dBTP' + (l.gain === null ? '' : ', gain ' + l.gain + ' dB'))),
    ...(state.record ? [fact('feed record', state.record.error ||
      (state.record.bytes / 1e9).toFixed(2) + ' GB in ' + state.record.files + ' files')] : []),
    fact('lag by design', state.lag ? state.lag + ' s' : '–'),
    fact('edge now', state.released ? state.edge.toFixed(1) + ' s' : '–'),
    fact('made up or lost', counted(state.counters, {samples})), fact('repaired', counted(state.repairs)),
    ...(state.clock ? [fact('clock', (state.clock.steps ? 'set ' + state.clock.steps + ' times, ' : '') +
      'feed drifts ' + state.clock.drift.toFixed(0) + ' ppm')] : []));
  document.getElementById('several').hidden = !state.inputs.length;
  document.getElementById('inputs').replaceChildren(...state.inputs.map(inputRow));
  document.getElementById('rungs').replaceChildren(...state.rungs.map(r =>
    row([r.name, r.size || '–', r.codec, rate(r.target), r.segments ? rate(r.rate) : '–', r.segments])));
  document.getElementById('origins').replaceChildren(...state.origins.map(o => {{
    const tr = row([o.name, o.state, o.backlog, o.confirmed]);
    if (o.error) {{ tr.title = o.error; tr.className = 'bad' }} return tr }}));
  if (state.error) note.textContent = state.error;
}}
async function poll() {{
  try {{ show(await (await fetch('/api/state')).json()); if (!playing) await play() }}
  catch {{ note.textContent = 'The worker does not answer.' }}
  setTimeout(poll, 1000);
}}
poll();
</script>
</html>
"""


def preview_page(channel: str, *, media: bool = True, locked: bool = False) -> bytes:
    """The page for one channel, as UTF-8; `media` says whether `/media/` has something to play.

    `locked`: whoever chooses an input must show a token. The channel's name is checked by `model.identity`.
    """
    flags = {"media": json.dumps(media), "locked": json.dumps(locked), "samples": json.dumps(sorted(SAMPLES))}
    return _PAGE.format(title=channel, channel=json.dumps(channel), **flags).encode()
