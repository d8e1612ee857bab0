// Whether what an engine answers is an answer, before and while it is passed on: a stream has exactly one end, its mark or
// an error event, and a whole answer is read before its status is told.
import { Readable } from 'node:stream';
import { refusalDetails } from '../runtimes/retry-policy.js';
import type { ForwardedAnswer } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';

/** Of an answer that is no stream. */
const MOST_BYTES = 33_554_432;
/** Of one that is: what a client takes is not held here, but who reads for ever is never told that something is wrong. */
const MOST_STREAM_BYTES = 268_435_456;
const MOST_LINE_BYTES = 4_194_304;
const LINE_FEED = 10;
/** An end may lie across two pieces; this much of the former one is looked at again. */
const CARRIED_CHARS = 32;
const END_MARK = /(?:^|[\r\n])data: ?\[DONE\][^\r\n]*/;
/** Where a stream tells it, in one of its last events. */
const USAGE = '"usage"';
/** From there on: more than any of them is long. */
const USAGE_CHARS = 1_024;
const ERROR_EVENT = /(?:^|[\r\n])data: ?\{"error":/;

export interface ToldUsage {
  prompt: number;
  completion: number;
}

export interface CheckedAnswer extends ForwardedAnswer {
  /** Looks at a stream while it is passed on. */
  end?: OneEnd;
  /** Once the body has ended: what was wrong with it. */
  failure(): AppError | undefined;
  /** Once the body has ended: the tokens it says it took. */
  usage(): ToldUsage | undefined;
}

/**
 * Answers with an error status pass as they are, as long as a client can read them.
 * @param onBytes  told the length of each piece that came
 * @throws AppError `upstream_protocol`, `upstream_redirect`, `upstream_rejected`, `upstream_reset`, `upstream_timeout`
 */
export async function checkedForward(
  answer: ForwardedAnswer,
  streamed: boolean,
  onBytes: (bytes: number) => void,
): Promise<CheckedAnswer> {
  const { status, contentType, retryAfter, body } = answer;
  const refuse = (
    code: 'upstream_redirect' | 'upstream_rejected' | 'upstream_protocol',
    message: string,
    details?: Record<string, unknown>,
  ): never => {
    body.on('error', () => {}).destroy();
    throw new AppError(code, message, details && { details });
  };
  if (status >= 300 && status < 400) refuse('upstream_redirect', 'The model server sends its clients elsewhere.');
  if (status >= 400) {
    if (!/json/i.test(contentType)) {
      const details = refusalDetails(status, retryAfter, Date.now());
      refuse('upstream_rejected', `The model server answered HTTP ${status}.`, details);
    }
    return {
      ...answer,
      failure: () => new AppError('upstream_rejected', `The model server answered HTTP ${status}.`),
      usage: () => undefined,
    };
  }
  if (status !== 200) refuse('upstream_protocol', `The model server answered HTTP ${status} without an answer.`);
  if (!streamed) return whole(answer, onBytes);
  if (!/event-stream/i.test(contentType))
    refuse('upstream_protocol', `The model server answered with ${contentType.slice(0, 60)} instead of a stream.`);
  const end = new OneEnd(onBytes);
  return { ...answer, end, failure: () => end.failure, usage: () => end.usage };
}

async function whole(
  { status, contentType, bytesSent, body }: ForwardedAnswer,
  onBytes: (bytes: number) => void,
): Promise<CheckedAnswer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      onBytes(piece.length);
      if (size > MOST_BYTES) throw new AppError('upstream_protocol', 'The answer of the model server is too large.');
      pieces.push(piece);
    }
  } catch (error) {
    throw broken(error);
  }
  const text = Buffer.concat(pieces);
  if (!isCompletion(text)) throw new AppError('upstream_protocol', 'What the model server sent is no answer.');
  return {
    status,
    contentType,
    bytesSent,
    body: Readable.from([text]),
    failure: () => undefined,
    usage: () => usageIn(text.toString('latin1')),
  };
}

function isCompletion(text: Buffer): boolean {
  try {
    const { choices } = JSON.parse(text.toString('utf8')) as { choices?: unknown };
    return Array.isArray(choices);
  } catch {
    return false;
  }
}

/** Sees to it that a stream has one end: piece by piece, without a stream of its own between engine and client. */
export class OneEnd {
  readonly #onBytes: (bytes: number) => void;
  #failure: AppError | undefined;
  #ended = false;
  #bytes = 0;
  #lineBytes = 0;
  #carried = '';
  #lineIsOpen = false;
  /** The last that was said of usage, and what followed. */
  #usage = '';

  constructor(onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
  }

  get failure(): AppError | undefined {
    return this.#failure;
  }

  get usage(): ToldUsage | undefined {
    return usageIn(this.#usage);
  }

  /** What of a piece goes on to the client. @throws AppError `upstream_protocol` where the stream has no end */
  take(piece: Buffer): Buffer | undefined {
    this.#onBytes(piece.length);
    this.#bytes += piece.length;
    const lastLine = piece.lastIndexOf(LINE_FEED);
    this.#lineBytes = lastLine === -1 ? this.#lineBytes + piece.length : piece.length - lastLine - 1;
    if (this.#lineBytes > MOST_LINE_BYTES)
      throw new AppError('upstream_protocol', 'The model server sent an endless line.');
    if (this.#bytes > MOST_STREAM_BYTES)
      throw new AppError('upstream_protocol', 'The answer of the model server is too large.');
    if (this.#ended) return undefined;
    const text = this.#carried + piece.toString('latin1');
    const told = text.lastIndexOf(USAGE);
    // Its beginning may lie in what was carried over, and then it is found once more, as a whole.
    if (told !== -1) this.#usage = text.slice(told, told + USAGE_CHARS);
    else if (this.#usage !== '' && this.#usage.length < USAGE_CHARS)
      this.#usage += piece.toString('latin1', 0, USAGE_CHARS - this.#usage.length);
    const mark = END_MARK.exec(text);
    if (mark) {
      this.#ended = true;
      // What comes after the end is not passed on: a client would not know what to make of it.
      const upTo = Math.max(0, mark.index + mark[0].length - this.#carried.length);
      return Buffer.concat([piece.subarray(0, upTo), Buffer.from('\n\n')]);
    }
    if (ERROR_EVENT.test(text))
      this.#failure = new AppError('upstream_rejected', 'The model server failed in its answer.');
    this.#carried = text.slice(-CARRIED_CHARS);
    this.#lineIsOpen = !/[\r\n]$/.test(text);
    return piece;
  }

  /** What the client is told at the end of the body, where the body did not say it. */
  close(): string {
    if (this.#ended || this.#failure) return '';
    return this.#fail(new AppError('upstream_truncated', 'The model server ended its answer without saying so.'));
  }

  /** The same where it broke off. */
  break(error: unknown): string {
    return this.#ended || this.#failure ? '' : this.#fail(broken(error));
  }

  #fail(error: AppError): string {
    this.#failure = error;
    const { code, message } = error;
    const text = JSON.stringify({ error: { message, type: 'server_error', param: null, code } });
    // What was cut off within a line must not swallow the event.
    return `${this.#lineIsOpen ? '\n\n' : ''}data: ${text}\n\n`;
  }
}

/** The last that a text tells; undefined where it tells none. */
function usageIn(text: string): ToldUsage | undefined {
  const told = text.slice(Math.max(0, text.lastIndexOf(USAGE)));
  const prompt = /"prompt_tokens":\s*(\d{1,12})/.exec(told)?.[1];
  const completion = /"completion_tokens":\s*(\d{1,12})/.exec(told)?.[1];
  return prompt === undefined || completion === undefined
    ? undefined
    : { prompt: Number(prompt), completion: Number(completion) };
}

function broken(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { name = '', code = '' } = error as { name?: string; code?: string };
  if (name === 'AbortError' || code === 'UND_ERR_ABORTED') return new AppError('cancelled', 'The request was stopped.');
  if (/TIMEOUT/i.test(code) || name === 'TimeoutError')
    return new AppError('upstream_timeout', 'The model server fell silent within its answer.');
  return new AppError('upstream_reset', 'The model server cut its answer off.');
}
