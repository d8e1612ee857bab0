// Answers that are kept because their client may go on from them by id.
import type { Owner } from '../../shared/owner.js';

export interface StoredResponse {
  id: string;
  owner: Owner;
  /** The answer this one went on from. */
  previousId: string | null;
  /** Milliseconds since the epoch, UTC. */
  createdAt: number;
  /** As it was sent. */
  response: Readonly<Record<string, unknown>>;
  /** What was new in the request. */
  input: readonly unknown[];
}

export interface ResponseRepository {
  /** On disk when it resolves. The oldest go when there are too many. @throws AppError `insufficient_storage` */
  save(stored: StoredResponse): Promise<void>;
  get(id: string): StoredResponse | undefined;
  /** Whether there was one. */
  remove(id: string): Promise<boolean>;
}
