// In the page: one player, and what it shows. `start` begins, `report` tells; nothing here decides good or bad.
const SWITCH_EVERY = 2000; // ms between forced rungs
const AHEAD = 4; // s that the players keep in their buffers, so that a forced rung is soon on the screen
const STALL = 300; // ms without progress of a playing element
// Seconds of media after the first frame of a live stream in which a step without a frame is no hole of the stream:
// without EXT-X-ENDLIST Chromium's own reader starts its clock 0.3 s to 0.5 s before it shows frames (measured, also on
// FFmpeg's own playlists), with it not; and a browser that starts on a busy machine skips frames without counting them.
const SETTLING = 2;

const video = document.querySelector('video');
const seen = {frames: 0, stalls: [], errors: [], rungs: 0, sizes: [], first: null, last: null};
const steps = []; // from one seen frame to the next: media time, seconds between them, frames that passed
let settling = SETTLING;
let passed = 0; // frames up to the last one that was seen: shown, or dropped by a busy browser

// Not before there is something to play: dash.js would stop fetching.
const play = () => video.play().catch(() => {});

const adapters = {
  native(url) {
    video.src = url;
    play();
    return {rungs: () => 1, force() {}};
  },
  hls(url) {
    const hls = new Hls({maxBufferLength: AHEAD, maxMaxBufferLength: AHEAD, enableWorker: false});
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && seen.errors.push(`hls.js ${data.type} ${data.details}`));
    hls.on(Hls.Events.MANIFEST_PARSED, play);
    hls.loadSource(url);
    hls.attachMedia(video);
    return {rungs: () => hls.levels.length, force: (index) => { hls.loadLevel = index; }};
  },
  dash(url) {
    const player = dashjs.MediaPlayer().create();
    const buffer = {bufferTimeDefault: AHEAD, bufferTimeAtTopQuality: AHEAD, bufferTimeAtTopQualityLongForm: AHEAD};
    player.updateSettings({streaming: {
      buffer: {...buffer, fastSwitchEnabled: false},
      abr: {autoSwitchBitrate: {video: false}},
      utcSynchronization: {defaultTimingSource: {scheme: '', value: ''}}, // else it asks a server on the Internet
    }});
    player.on('error', (event) => seen.errors.push(`dash.js ${event.error.code} ${event.error.message}`));
    player.initialize(video, url, true);
    return {
      rungs: () => player.getRepresentationsByType('video').length,
      force: (index) => player.setRepresentationForTypeByIndex('video', index),
    };
  },
  shaka(url) {
    const player = new shaka.Player();
    player.addEventListener('error', (event) => seen.errors.push(`shaka ${event.detail.code}`));
    player.configure({abr: {enabled: false}, streaming: {bufferingGoal: AHEAD}});
    player.attach(video).then(() => player.load(url)).then(play)
      .catch((error) => seen.errors.push(`shaka ${error.code}`));
    const tracks = () => player.getVariantTracks().sort((a, b) => a.bandwidth - b.bandwidth);
    return {rungs: () => tracks().length, force: (index) => player.selectVariantTrack(tracks()[index], false)};
  },
};

function onFrame(_, frame) {
  const all = frame.presentedFrames + video.getVideoPlaybackQuality().droppedVideoFrames;
  if (seen.first !== null && frame.mediaTime > seen.first + settling && !video.seeking) {
    steps.push([frame.mediaTime, frame.mediaTime - seen.last, Math.max(1, all - passed)]);
  }
  passed = all;
  seen.first ??= frame.mediaTime;
  seen.last = frame.mediaTime;
  seen.frames += 1;
  const size = `${frame.width}x${frame.height}`;
  if (!seen.sizes.includes(size)) seen.sizes.push(size);
  video.requestVideoFrameCallback(onFrame);
}

function watchStalls() {
  let time = -1, since = performance.now(), open = null;
  setInterval(() => {
    const now = performance.now();
    if (video.currentTime !== time || video.paused || video.ended || seen.first === null) {
      if (open) { open.ms = now - open.start; open = null; }
      time = video.currentTime; since = now;
    } else if (!open && now - since > STALL) {
      open = {start: since, at: time, ms: STALL};
      seen.stalls.push(open);
    } else if (open) {
      open.ms = now - open.start;
    }
  }, 50);
}

globalThis.start = ({player, url, forceSwitch, untilEnd}) => {
  video.muted = true;
  if (untilEnd) settling = 0;
  video.addEventListener('error', () => seen.errors.push(`video element: ${video.error?.message}`));
  video.addEventListener('pause', () => { if (!video.ended) play(); });
  video.requestVideoFrameCallback(onFrame);
  const adapter = adapters[player](url);
  watchStalls();
  let turn = 0;
  setInterval(() => {
    if (seen.first === null) return;
    seen.rungs = Math.max(seen.rungs, adapter.rungs());
    if (forceSwitch && seen.rungs > 1) adapter.force(turn++ % seen.rungs);
  }, SWITCH_EVERY);
};

// The largest step that has no frame in it; what a busy browser did not show is no hole of the stream.
function largestGap() {
  const frame = Math.min(...steps.map(([, gap, count]) => gap / count).filter((length) => length > 0.001));
  const gaps = steps.map(([at, gap, count]) => [gap - (count - 1) * frame, at]);
  const [maxGap, gapAt] = gaps.reduce((most, one) => (one[0] > most[0] ? one : most), [0, null]);
  return {maxGap, gapAt};
}

globalThis.report = () => ({
  ...seen,
  ...largestGap(),
  paused: video.paused && !video.ended,
  currentTime: video.currentTime,
  duration: Number.isFinite(video.duration) ? video.duration : null,
  ended: video.ended,
  buffered: video.buffered.length,
});
