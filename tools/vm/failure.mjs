// The ways a run can fail, each with the exit code that callers rely on.

export const kBadInput = 3;
export const kMissingProgram = 4;

export class Failure extends Error {
  constructor(exit_code, text) {
    super(text);
    this.exit_code = exit_code;
  }
}

/** Thrown when the machine may never answer again: its host has to go. */
export class HostLost extends Failure {
  constructor(text) {
    super(kBadInput, text);
  }
}

export const badInput = (text) => new Failure(kBadInput, text);

export const missing = (what, cure = 'tools/setup') =>
  new Failure(kMissingProgram, `${what} is missing; this installs it: ${cure}`);

// Scratch's loaders reject with strings, plain objects and errors alike, some of them megabytes long.
export function textOf(reason) {
  const text = reason instanceof Error ? reason.message
    : typeof reason === 'string' ? reason : JSON.stringify(reason);
  return String(text).slice(0, 2000);
}
