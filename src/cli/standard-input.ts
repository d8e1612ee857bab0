// What comes into a command: a text from a pipe, or a secret that a person types unseen.
import { fstatSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import { Writable } from 'node:stream';
import { AppError } from '../shared/errors.js';

const MAX_BYTES = 4_000_000;

export class StandardInput {
  readonly #stream: Readable & { isTTY?: boolean };

  constructor(stream: Readable & { isTTY?: boolean } = process.stdin) {
    this.#stream = stream;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** The words, and what is in the pipe after them. Empty where there is neither. */
  async question(words: readonly string[]): Promise<string> {
    const asked = words.join(' ').trim();
    const piped = asked === '' || this.#isPiped() ? await this.text() : '';
    return [asked, piped].filter(Boolean).join('\n\n');
  }

  /** Everything up to the end; nothing where a person sits there. @throws AppError `payload_too_large` */
  async text(): Promise<string> {
    if (this.isTerminal) return '';
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of this.#stream) {
      const buffer = Buffer.from(part);
      bytes += buffer.length;
      if (bytes > MAX_BYTES) throw new AppError('payload_too_large', `More than ${MAX_BYTES} bytes came in.`);
      parts.push(buffer);
    }
    return Buffer.concat(parts).toString('utf8').trim();
  }

  /** Never from the arguments, which every process of the machine can read. */
  async secret(prompt: string): Promise<string> {
    if (!this.isTerminal) return this.text();
    process.stderr.write(prompt);
    const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
    const line = createInterface({ input: this.#stream, output: unseen, terminal: true });
    const ended = new AbortController();
    line.on('close', () => ended.abort());
    try {
      return (await line.question('', { signal: ended.signal })).trim();
    } catch (cause) {
      throw new AppError('cancelled', 'Cancelled.', { cause });
    } finally {
      line.close();
      process.stderr.write('\n');
    }
  }

  /** Beside a question only a real pipe or file is read: a script's inherited stdin may never end. */
  #isPiped(): boolean {
    if (this.#stream !== process.stdin) return !this.isTerminal;
    try {
      const stdin = fstatSync(0);
      return stdin.isFIFO() || stdin.isFile();
    } catch {
      return false;
    }
  }
}
