// Plays a stream in headless Chromium and prints one JSON report.
//   node play.mjs --player hls|dash|shaka|native --url URL --seconds N [--force-switch] [--until-end]
//                 [--max-gap S] [--shot FILE] [--chromium PATH]
// Exit status: 0 good, 1 not good, 2 could not be judged.
import {chromium} from 'playwright-core';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {parseArgs} from 'node:util';

const here = import.meta.dirname;
const LIBRARIES = {
  hls: 'hls.js/dist/hls.min.js',
  dash: 'dashjs/dist/modern/umd/dash.all.min.js',
  shaka: 'shaka-player/dist/shaka-player.compiled.js',
  native: null,
};
// Without these, a browser on a machine that is not on the Internet tries to reach it all the time.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--disable-web-security'];
const START_WITHIN = 30_000; // ms to the first frame

const {values: options} = parseArgs({options: {
  player: {type: 'string'}, url: {type: 'string'}, seconds: {type: 'string', default: '15'},
  'force-switch': {type: 'boolean', default: false}, 'until-end': {type: 'boolean', default: false},
  'max-gap': {type: 'string', default: '0.3'}, shot: {type: 'string'},
  chromium: {type: 'string', default: '/usr/bin/chromium'},
}});

function pageServer() {
  const library = LIBRARIES[options.player];
  const files = {'/page.js': path.join(here, 'page.js')};
  if (library) files['/library.js'] = path.join(here, 'node_modules', library);
  const html = `<!doctype html><link rel="icon" href="data:,"><video width="640" height="360"></video>`
    + (library ? '<script src="/library.js"></script>' : '') + '<script src="/page.js"></script>';
  const server = http.createServer((request, response) => {
    const file = files[request.url];
    response.setHeader('Content-Type', file ? 'text/javascript' : 'text/html');
    response.end(file ? fs.readFileSync(file) : html);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function judge(report, startup) {
  const why = [...report.errors];
  if (startup === null) why.push('no frame was shown');
  if (report.paused) why.push('it stood still');
  if (report.stalls.length) why.push(`${report.stalls.length} stalls: ${report.stalls.map((s) => `${Math.round(s.ms)} ms at ${s.at.toFixed(2)}`)}`);
  if (report.maxGap > Number(options['max-gap'])) why.push(`a hole of ${report.maxGap.toFixed(3)} s before ${report.gapAt}`);
  if (options['until-end'] && !report.ended) why.push(`the end was not reached: ${report.currentTime} of ${report.duration}`);
  return why;
}

async function play(page) {
  const {player, url, 'force-switch': forceSwitch, 'until-end': untilEnd} = options;
  await page.evaluate((o) => globalThis.start(o), {player, url, forceSwitch, untilEnd});
  const began = Date.now();
  await page.waitForFunction(() => globalThis.report().first !== null, null, {timeout: START_WITHIN}).catch(() => {});
  let report = await page.evaluate(() => globalThis.report());
  const startup = report.first === null ? null : Date.now() - began;
  if (startup !== null) {
    const seconds = Number(options.seconds) * 1000;
    if (options['until-end']) {
      await page.waitForFunction(() => globalThis.report().ended, null, {timeout: seconds}).catch(() => {});
    } else {
      await page.waitForTimeout(seconds);
    }
    report = await page.evaluate(() => globalThis.report());
  }
  return {startup, ...report};
}

const server = await pageServer();
const browser = await chromium.launch({executablePath: options.chromium, args: FLAGS});
let code = 2;
try {
  const page = await browser.newPage();
  const failed = [];
  page.on('response', (answer) => { if (answer.status() >= 400) failed.push(`${answer.status()} ${answer.url()}`); });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const report = await play(page);
  if (options.shot) await page.screenshot({path: options.shot});
  const why = judge(report, report.startup);
  why.push(...failed);
  console.log(JSON.stringify({player: options.player, ok: why.length === 0, why, ...report}, null, 1));
  code = why.length === 0 ? 0 : 1;
} catch (error) {
  console.log(JSON.stringify({player: options.player, ok: false, why: [String(error)]}));
} finally {
  await browser.close();
  server.close();
}
process.exit(code);
