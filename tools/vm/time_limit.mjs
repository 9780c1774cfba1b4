// What may take forever, with a limit.

import {HostLost} from './failure.mjs';

/** For a browser to start, and again for it to open the harness's page with the machine in it. */
export const kBrowserSeconds = 60;

export async function withinSeconds(seconds, what, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new HostLost(`timeout: ${what} took over ${seconds} s`)),
      seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
