// When each output token appeared. Runs in Node and in pages.
// `tick` is called after every step of every script: a look at one length costs nothing that shows,
// and generation gives way after one or two tokens, so they get their times without polling.

export class TokenClock {
  #list;
  #items;
  #times = [];
  #began = performance.now();

  constructor(list) {
    this.#list = list;
    this.#items = list?.value;
    this.#times = new Array(list ? list.value.length : 0).fill(null);
  }

  tick() {
    if (!this.#list) return;
    const items = this.#list.value;
    // "delete all" puts a new array in place, so old tokens cannot be taken for new ones.
    if (items !== this.#items || items.length < this.#times.length) {
      this.#items = items;
      this.#times = [];
    }
    if (items.length > this.#times.length) {
      const now = performance.now();
      while (this.#times.length < items.length) this.#times.push(now);
    }
  }

  get count() {
    return this.#list ? this.#times.length : 0;
  }

  /** Milliseconds per token; the first one counts from the broadcast and so includes the prompt. */
  intervals() {
    let last = this.#began;
    // Tokens that were there before the broadcast have no time.
    return this.#times.filter((now) => now !== null).map((now) => {
      const interval = now - last;
      last = now;
      return Number(interval.toFixed(3));
    });
  }
}
