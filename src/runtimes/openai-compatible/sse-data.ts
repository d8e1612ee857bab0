// The `data` of server-sent events, from bytes that may be cut anywhere.
import { StringDecoder } from 'node:string_decoder';
import { AppError } from '../../shared/errors.js';

const MAX_EVENT_CHARS = 4_194_304;

/** Only what model servers send is kept: comments, ids and event names are passed over. @see WHATWG HTML, 9.2.6 */
export class SseData {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #data: string | undefined;
  #started = false;

  /** @throws AppError `upstream_protocol` when one event grows beyond 4 Mi characters */
  push(bytes: Uint8Array): string[] {
    let text = this.#rest + this.#decoder.write(bytes as Buffer);
    if (!this.#started && text !== '') {
      this.#started = true;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    const complete: string[] = [];
    let from = 0;
    // Looked for once: most servers send none, and a search per line would read the packet once per line.
    let cr = text.indexOf('\r');
    for (;;) {
      if (cr !== -1 && cr < from) cr = text.indexOf('\r', from);
      const lf = text.indexOf('\n', from);
      const isCr = cr !== -1 && (lf === -1 || cr < lf);
      const end = isCr ? cr : lf;
      if (end === -1) break;
      // A CR at the very end may be the first half of CRLF: wait for the next bytes.
      if (isCr && end === text.length - 1) break;
      this.#line(text.slice(from, end), complete);
      from = isCr && text.charCodeAt(end + 1) === 10 ? end + 2 : end + 1;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > MAX_EVENT_CHARS)
      throw new AppError('upstream_protocol', 'The model server sent an endless line.');
    return complete;
  }

  /** An event without its closing blank line still counts, as some servers leave it out at the end. */
  end(): string[] {
    const complete: string[] = [];
    const last = this.#rest.replace(/\r$/, '');
    if (last !== '') this.#line(last, complete);
    this.#line('', complete);
    this.#rest = '';
    return complete;
  }

  #line(line: string, complete: string[]): void {
    if (line === '') {
      if (this.#data !== undefined) complete.push(this.#data);
      this.#data = undefined;
    } else if (line.startsWith('data:')) {
      const data = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
      this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`;
      // Of many short lines as of one long one.
      if (this.#data.length > MAX_EVENT_CHARS)
        throw new AppError('upstream_protocol', 'The model server sent an endless event.');
    }
  }
}
