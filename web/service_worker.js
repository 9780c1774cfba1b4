// Keeps the page for later visits without network. The name of the store changes with the contents
// (assemble.mjs writes both), so that a new version of the page is never mixed with an old one.
'use strict';

const kStore = 'sb3lm-@VERSION@';
const kFiles = ['@FILES@'];

self.addEventListener('install', (event) => {
  const keep = async () => {
    const store = await caches.open(kStore);
    await store.addAll(kFiles.map((name) => new Request(name, {cache: 'reload'})));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener('activate', (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('sb3lm-') && name !== kStore) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

self.addEventListener('fetch', (event) => {
  // A model's address is not ours to keep.
  if (event.request.method !== 'GET' || !event.request.url.startsWith(self.registration.scope)) return;
  const find = async () => {
    const store = await caches.open(kStore);
    return await store.match(event.request, {ignoreSearch: true}) ?? fetch(event.request);
  };
  event.respondWith(find());
});
