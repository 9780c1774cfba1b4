// Doubles as 16 hex digits, so that they cross process borders bit for bit.
// Runs in Node and in pages; a run may record a million logits, hence the table.

const quads = Array.from({length: 65536}, (_, bits) => bits.toString(16).padStart(4, '0'));
const view = new DataView(new ArrayBuffer(8));

/** Sign and exponent first; -0 and infinities keep their bits. */
export function hexOfDouble(number) {
  view.setFloat64(0, number);
  return quads[view.getUint16(0)] + quads[view.getUint16(2)] +
    quads[view.getUint16(4)] + quads[view.getUint16(6)];
}

/** "n:" + hex for a number, "s:" + text for anything else: Scratch tells "1" from 1 in places. */
export function taggedValue(value) {
  return typeof value === 'number' ? `n:${hexOfDouble(value)}` : `s:${value}`;
}
