// What the commands print: text for people, or one JSON document on stdout with --json.
import type { Writable } from 'node:stream';
import { visibleText } from './visible-text.js';

export type Output = Writable & { isTTY?: boolean; columns?: number };

export class Terminal {
  readonly json: boolean;
  readonly #out: Output;
  readonly #error: Output;

  constructor(json: boolean, out: Output = process.stdout, error: Output = process.stderr) {
    this.json = json;
    this.#out = out;
    this.#error = error;
  }

  /** Whether a person looks at stderr, so that a moving bar makes sense. */
  get interactive(): boolean {
    return !this.json && this.#error.isTTY === true;
  }

  /** Whether a person reads the answer as it comes; else only what is final may be written. */
  get readByPerson(): boolean {
    return !this.json && this.#out.isTTY === true;
  }

  get columns(): number {
    return this.#error.columns ?? 80;
  }

  /** The command's answer: `value` with --json, else `text`. Called once per command. */
  result(value: unknown, text: string): void {
    this.#out.write(this.json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${shown(this.#out, text)}\n`);
  }

  /** A part of a text that is still being written, such as a model's answer. */
  write(text: string): void {
    this.#out.write(shown(this.#out, text));
  }

  /** For the person who waits; never part of the answer. */
  note(text: string): void {
    if (!this.json) this.#error.write(`${shown(this.#error, text)}\n`);
  }

  /** Lines in the place of those that were drawn before; only where it is interactive. */
  redraw(lines: readonly string[], drawnBefore: number): void {
    const up = drawnBefore === 0 ? '' : `\u001b[${drawnBefore}A`;
    this.#error.write(`${up}${lines.map((line) => `\u001b[2K${visibleText(line)}`).join('\n')}\n`);
  }
}

/** A file or another program gets the text as it is. */
const shown = (output: Output, text: string): string => (output.isTTY === true ? visibleText(text) : text);

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values, one pair a line; what is null is left out. */
export function facts(pairs: readonly (readonly [string, unknown])[]): string {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known
    .map(([name, value]) => `${name.padEnd(width)}  ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n');
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
