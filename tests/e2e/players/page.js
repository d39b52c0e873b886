// In the page: one player, and what it shows. `start` begins, `report` tells; nothing here decides good or bad.
const SWITCH_EVERY = 3000; // ms between forced rungs
const STALL = 300; // ms without progress of a playing element

const video = document.querySelector('video');
const seen = {frames: 0, maxGap: 0, gapAt: null, stalls: [], errors: [], rungs: 0, sizes: [], first: null, last: null};

const adapters = {
  native(url) {
    video.src = url;
    return {rungs: () => 1, force() {}};
  },
  hls(url) {
    const hls = new Hls({maxBufferLength: 12, enableWorker: false});
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && seen.errors.push(`hls.js ${data.type} ${data.details}`));
    hls.loadSource(url);
    hls.attachMedia(video);
    return {rungs: () => hls.levels.length, force: (index) => { hls.nextLevel = index; }};
  },
  dash(url) {
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({streaming: {abr: {autoSwitchBitrate: {video: false}}}});
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
    player.configure({abr: {enabled: false}});
    player.attach(video).then(() => player.load(url)).catch((error) => seen.errors.push(`shaka ${error.code}`));
    const tracks = () => player.getVariantTracks().sort((a, b) => a.bandwidth - b.bandwidth);
    return {rungs: () => tracks().length, force: (index) => player.selectVariantTrack(tracks()[index], false)};
  },
};

function onFrame(_, frame) {
  if (seen.last !== null && !video.seeking) {
    const gap = frame.mediaTime - seen.last;
    if (gap > seen.maxGap) { seen.maxGap = gap; seen.gapAt = frame.mediaTime; }
  }
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

globalThis.start = ({player, url, forceSwitch}) => {
  video.muted = true;
  video.addEventListener('error', () => seen.errors.push(`video element: ${video.error?.message}`));
  video.addEventListener('pause', () => { if (!video.ended) video.play(); });
  video.requestVideoFrameCallback(onFrame);
  const adapter = adapters[player](url);
  video.play().catch(() => {});
  watchStalls();
  let turn = 0;
  setInterval(() => {
    if (seen.first === null) return;
    seen.rungs = Math.max(seen.rungs, adapter.rungs());
    if (forceSwitch && seen.rungs > 1) adapter.force(turn++ % seen.rungs);
  }, SWITCH_EVERY);
};

globalThis.report = () => ({
  ...seen,
  currentTime: video.currentTime,
  duration: Number.isFinite(video.duration) ? video.duration : null,
  ended: video.ended,
  buffered: video.buffered.length,
});
