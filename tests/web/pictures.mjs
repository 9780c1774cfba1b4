// Writes the pictures of the page: on a desk after a project has been made, on a phone, in the dark.
//   pictures.mjs FOLDER

import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

import {kOnePage, requirePage, WebPage} from './support.mjs';
import {kExpected, withFolder} from '../e2e/support.mjs';
import {kPhone} from '../e2e/project_page.mjs';
import {launchChromium} from '../../tools/vm/chromium.mjs';

const kDesk = {viewport: {width: 920, height: 900}};

async function picture(chromium, out, options, whole, prepare) {
  const page = await WebPage.open(chromium, pathToFileURL(kOnePage).href, {offline: true, ...options});
  await page.whenOpen('Dictionary cat');
  await page.ask(kExpected.question);
  await page.ask('What is a bridge?');
  await prepare(page);
  await page.page.screenshot({path: out, fullPage: whole});
  await page.close();
}

await withFolder(async () => {
  requirePage();
  const [out] = process.argv.slice(2);
  const chromium = await launchChromium();
  const nothing = async () => {};
  try {
    await picture(chromium, join(out, 'web.png'), kDesk, false, nothing);
    await picture(chromium, join(out, 'web-phone.png'), kPhone, false, nothing);
    await picture(chromium, join(out, 'web-made.png'), {...kDesk, colorScheme: 'dark'}, true,
      async (page) => page.build({title: 'Dictionary cat'}));
  } finally {
    await chromium.close();
  }
});
