// Files inside the one file (assemble.mjs): in gzip and base64. For the page and for its worker.
'use strict';

/* exported unpacked */
/** A promise of an ArrayBuffer. A Response of the stream would give it, in four times the time. */
async function unpacked(text) {
  const bytes = Uint8Array.fromBase64?.(text) ??
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const {readable, writable} = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  for (const done of [writer.write(bytes), writer.close()]) done.catch(() => {});  // the reader hears of it

  const parts = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}
