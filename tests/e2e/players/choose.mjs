// Takes the second input by hand on the worker's page, again and again, and prints one JSON report.
//   node choose.mjs --url URL --answers WRONG,RIGHT [--chromium PATH]
// A question of the page is answered with the next of the answers; there is one click more than answers.
// Exit status: 0 it could be done, 2 it could not.
import {chromium} from 'playwright-core';
import {parseArgs} from 'node:util';

const {values: options} = parseArgs({options: {
  url: {type: 'string'}, answers: {type: 'string'}, chromium: {type: 'string', default: '/usr/bin/chromium'},
}});
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

const browser = await chromium.launch({executablePath: options.chromium, args: FLAGS});
let code = 2;
try {
  const page = await browser.newPage();
  const answers = options.answers.split(','), clicks = answers.length + 1, asked = [], told = [];
  page.on('dialog', (dialog) => { asked.push(dialog.message()); dialog.accept(answers.shift()); });
  await page.goto(options.url);
  await page.waitForFunction(() => document.querySelectorAll('#inputs button').length > 1);
  for (let click = 0; click < clicks; click++) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/api/input'));
    await page.evaluate(() => document.querySelectorAll('#inputs button')[1].click());
    const answer = await answered;
    told.push([answer.status(), await answer.text()]);
  }
  console.log(JSON.stringify({ok: true, asked, told}));
  code = 0;
} catch (error) {
  console.log(JSON.stringify({ok: false, why: [String(error)]}));
} finally {
  await browser.close();
}
process.exit(code);
