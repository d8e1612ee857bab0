// Bytes of an operation as they come: its percentage, its speed and how long it will still take. Says when it is time to tell
// and when to write; does neither.
import type { ModelOperation } from './model-operation.js';

const TELL_EVERY_MS = 200;
const WRITE_EVERY_MS = 1_000;
/** A speed measured over less is noise. */
const MEASURE_SECONDS = 0.5;

export class ByteProgress {
  readonly #operation: ModelOperation;
  #writtenAt = performance.now();
  #toldAt = 0;
  /** Where the speed is measured from. */
  #from: { at: number; bytes: number };

  constructor(operation: ModelOperation) {
    this.#operation = operation;
    this.#from = { at: performance.now(), bytes: operation.receivedBytes };
  }

  /** @returns what is due now */
  update(receivedBytes: number, totalBytes: number | null, message: string | undefined): 'nothing' | 'tell' | 'write' {
    const operation = this.#operation;
    const at = performance.now();
    // It began anew.
    if (receivedBytes < operation.receivedBytes) this.#from = { at, bytes: receivedBytes };
    operation.receivedBytes = receivedBytes;
    operation.totalBytes = totalBytes;
    if (message !== undefined) operation.message = message;
    if (totalBytes) operation.progress = Math.min(99, Math.round((receivedBytes / totalBytes) * 1_000) / 10);
    if (at - this.#toldAt < TELL_EVERY_MS) return 'nothing';
    this.#toldAt = at;
    this.#measure(at);
    if (at - this.#writtenAt <= WRITE_EVERY_MS) return 'tell';
    this.#writtenAt = at;
    return 'write';
  }

  #measure(at: number): void {
    const { receivedBytes, totalBytes } = this.#operation;
    const seconds = (at - this.#from.at) / 1_000;
    if (seconds <= MEASURE_SECONDS) return;
    const bytesPerSecond = Math.round((receivedBytes - this.#from.bytes) / seconds);
    this.#operation.bytesPerSecond = bytesPerSecond;
    this.#operation.etaSeconds =
      totalBytes && bytesPerSecond > 0 ? Math.round((totalBytes - receivedBytes) / bytesPerSecond) : null;
  }
}
