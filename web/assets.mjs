// Files that belong to the page: beside it, or inside it where it is one file (assemble.mjs).
/* global unpacked */

// Undefined where the page is not one file. It may still be coming; then what is last has come in part.
async function inside(name) {
  const find = () => document.getElementById(`asset:${name}`);
  if (document.readyState === 'loading' && !find()?.nextSibling) {
    await new Promise((done) => document.addEventListener('DOMContentLoaded', done, {once: true}));
  }
  return find()?.textContent;
}

/** An ArrayBuffer. */
export async function asset(name) {
  const text = await inside(name);
  if (text) return unpacked(text);
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.arrayBuffer();
}
