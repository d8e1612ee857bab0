// Reads the text out of files people give. Each file gets a thread with bounds on time and memory; a file that breaks them
// is refused with the reason, and nothing else notices.
import { Worker } from 'node:worker_threads';
import type { DocumentPage, DocumentReader as DocumentReaderPort } from '../chat/memory/knowledge-ports.js';
import { AppError } from '../shared/errors.js';

export type { DocumentPage } from '../chat/memory/knowledge-ports.js';

export type DocumentRefusal = 'damaged' | 'encrypted' | 'no_text' | 'too_large' | 'too_slow' | 'too_much_memory';
export type DocumentKind = 'text' | 'markdown' | 'html' | 'pdf' | 'docx';

export interface DocumentTask {
  kind: DocumentKind;
  bytes: Uint8Array;
}

const HEAP_MB = 256;
/** Beside the heap, which the thread itself is held to: buffers a file makes it allocate. */
const GROWTH_BYTES = 768 * 1_048_576;
const GROWTH_LOOK_MS = 100;
const WAITING_LIMIT = 8;

const BY_EXTENSION: Readonly<Record<string, DocumentKind>> = {
  txt: 'text',
  text: 'text',
  log: 'text',
  csv: 'text',
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
  pdf: 'pdf',
  docx: 'docx',
};
const BY_MEDIA_TYPE: Readonly<Record<string, DocumentKind>> = {
  'text/plain': 'text',
  'text/csv': 'text',
  'text/markdown': 'markdown',
  'text/html': 'html',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
};
export const MEDIA_TYPE: Readonly<Record<DocumentKind, string>> = {
  text: 'text/plain',
  markdown: 'text/markdown',
  html: 'text/html',
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

export interface DocumentReaderOptions {
  /** The bundled thread. */
  workerPath: string | URL;
  timeoutMs: number;
}

export class DocumentReader implements DocumentReaderPort {
  readonly #options: DocumentReaderOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: DocumentReaderOptions) {
    this.#options = options;
  }

  /** One file at a time. @throws AppError `unsupported`, `invalid_document`, `runtime_busy`, `cancelled` */
  async read(
    file: { name: string; mediaType: string | null; bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<{ pages: DocumentPage[]; mediaType: string }> {
    const kind = kindOf(file);
    if (this.#waiting >= WAITING_LIMIT)
      throw new AppError('runtime_busy', `${WAITING_LIMIT} files wait to be read already.`);
    this.#waiting += 1;
    const read = this.#turn.then(() => this.#run({ kind, bytes: file.bytes }, signal));
    this.#turn = read.catch(() => {});
    try {
      return { pages: await read, mediaType: MEDIA_TYPE[kind] };
    } finally {
      this.#waiting -= 1;
    }
  }

  async #run(task: DocumentTask, signal: AbortSignal): Promise<DocumentPage[]> {
    if (signal.aborted) throw new AppError('cancelled', 'Reading the file was stopped.');
    const worker = new Worker(this.#options.workerPath, {
      workerData: task,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      stdout: true,
      stderr: true,
    });
    const timers: NodeJS.Timeout[] = [];
    let stop: () => void = () => {};
    try {
      return await new Promise<DocumentPage[]>((resolve, reject) => {
        worker.on(
          'message',
          (answer: { pages?: DocumentPage[]; refused?: { reason: DocumentRefusal; message: string } }) => {
            if (answer.pages) resolve(answer.pages);
            else reject(refused(answer.refused?.reason ?? 'damaged', answer.refused?.message ?? 'It cannot be read.'));
          },
        );
        worker.on('error', (error: NodeJS.ErrnoException) =>
          reject(
            error.code === 'ERR_WORKER_OUT_OF_MEMORY'
              ? refused('too_much_memory', `Reading it takes more than ${HEAP_MB} MB.`)
              : refused('damaged', 'It cannot be read.', error),
          ),
        );
        worker.on('exit', () => reject(refused('damaged', 'Reading it ended without a result.')));
        const { timeoutMs } = this.#options;
        timers.push(
          setTimeout(
            () => reject(refused('too_slow', `Reading it takes longer than ${timeoutMs / 1_000} s.`)),
            timeoutMs,
          ),
        );
        const before = process.memoryUsage.rss();
        timers.push(
          setInterval(() => {
            if (process.memoryUsage.rss() - before > GROWTH_BYTES)
              reject(refused('too_much_memory', 'Reading it takes too much memory.'));
          }, GROWTH_LOOK_MS),
        );
        stop = () => reject(new AppError('cancelled', 'Reading the file was stopped.'));
        signal.addEventListener('abort', stop, { once: true });
      });
    } finally {
      for (const timer of timers) clearInterval(timer);
      signal.removeEventListener('abort', stop);
      await worker.terminate();
    }
  }
}

const refused = (reason: DocumentRefusal, message: string, cause?: unknown): AppError =>
  new AppError('invalid_document', message, { details: { reason }, cause });

/** What the bytes say comes first: a name can be anything. @throws AppError `unsupported` */
function kindOf({
  name,
  mediaType,
  bytes,
}: {
  name: string;
  mediaType: string | null;
  bytes: Uint8Array;
}): DocumentKind {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.byteLength)).toString('latin1');
  if (start.startsWith('%PDF-')) return 'pdf';
  const named =
    BY_EXTENSION[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ??
    BY_MEDIA_TYPE[mediaType?.split(';')[0]?.trim().toLowerCase() ?? ''];
  if (start.startsWith('PK\u0003\u0004')) {
    if (named === 'docx') return 'docx';
  } else if (named === 'pdf' || named === 'docx') throw refused('damaged', `This is no ${named} file.`);
  else if (named) return named;
  throw new AppError('unsupported', 'Files of this kind are not read; txt, md, html, pdf and docx are.');
}
