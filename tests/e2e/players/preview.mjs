// Opens the worker's preview page, waits until it plays, takes its picture and prints one JSON report.
//   node preview.mjs --url URL --shot FILE [--seconds N] [--chromium PATH]
// Exit status: 0 it plays and its console holds no error, 1 not so, 2 could not be judged.
import {chromium} from 'playwright-core';
import {parseArgs} from 'node:util';

const {values: options} = parseArgs({options: {
  url: {type: 'string'}, shot: {type: 'string'}, seconds: {type: 'string', default: '20'},
  chromium: {type: 'string', default: '/usr/bin/chromium'},
}});
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'];
const PLAYED = 1; // seconds that it must have shown

const browser = await chromium.launch({executablePath: options.chromium, args: FLAGS});
let code = 2;
try {
  const page = await browser.newPage({viewport: {width: 1120, height: 1000}});
  const errors = [];
  page.on('console', (line) => { if (line.type() === 'error') errors.push(line.text()); });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(options.url);
  await page.waitForFunction((least) => {
    const video = document.querySelector('video');
    const shown = [...Array(video.played.length).keys()].reduce((sum, i) => sum + video.played.end(i) - video.played.start(i), 0);
    return shown >= least;
  }, PLAYED, {timeout: Number(options.seconds) * 1000}).catch(() => errors.push('the page does not play'));
  if (options.shot) await page.screenshot({path: options.shot, fullPage: true});
  const shown = await page.evaluate(() => ({
    title: document.title,
    phase: document.getElementById('phase').textContent,
    note: document.getElementById('note').textContent,
    rungs: document.querySelectorAll('#rungs tr').length,
    origins: document.querySelectorAll('#origins tr').length,
  }));
  console.log(JSON.stringify({ok: errors.length === 0, why: errors, ...shown}, null, 1));
  code = errors.length === 0 ? 0 : 1;
} catch (error) {
  console.log(JSON.stringify({ok: false, why: [String(error)]}));
} finally {
  await browser.close();
}
process.exit(code);
