// Pictures that are kept with the messages they came with. No I/O in this file.
import type { Picture } from '../tasks/task.js';

export interface PictureFacts {
  /** SHA-256 of its bytes. */
  hash: string;
  mediaType: string;
  sizeBytes: number;
}

export interface SessionPictures {
  /** What came with a question, in its order. */
  factsOf(requestId: string): PictureFacts[];
  /** Those of a question themselves. */
  of(requestId: string): Picture[];
  /** Only where a message of the session has it. */
  read(sessionId: string, hash: string): Picture | undefined;
}
