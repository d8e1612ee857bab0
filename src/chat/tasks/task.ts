// What a task is, and where tasks are kept. No I/O in this file.
import type { Owner } from '../../shared/owner.js';
import type { Language } from '../intent.js';

export type TaskStatus = 'PENDING' | 'PROCESSING' | 'COMPLETED' | 'FAILED';

/** Bytes of a picture; their kind is known by its name or its first bytes. */
export interface Picture {
  mediaType: string;
  base64: string;
}

/** What was asked for; kept as it came, so that a task can run again after a restart. */
export interface TaskRequest {
  content: string;
  /** Whose; absent in tasks of earlier versions, which are the house's. */
  owner?: Owner;
  /** Language the result must have. */
  preferredLanguage: Language | null;
  sessionId: string | null;
  /** For its session from now on, or where it has none for this task alone; absent leaves them as they are. */
  instructions?: string;
  preferenceScope: string | null;
  tone: string | null;
  styleNotes: string | null;
  forcedTool: string | null;
  forcedProvider: string | null;
  /** Named for this task alone; absent in tasks of earlier versions, and where the routing decides. */
  model?: string | null;
  forcedIntent: string | null;
  /** How many came along. */
  images: number;
  /** Kept apart from the rest, until the task has ended, and then with its message; absent once they are on disk. */
  pictures?: readonly Picture[] | undefined;
  storeKnowledge: boolean;
  /** Generic names, such as `max_tokens`. */
  generationParams: Record<string, unknown> | null;
  expectedConfigHash: string | null;
  expectedRuntimeId: string | null;
  /** The client's IANA zone. */
  timeZone?: string | null;
  /** Sensitivity that was known when it was asked, such as that of the turn it follows. */
  labels?: readonly string[];
  extraContext: { files?: string[]; links?: string[]; paths?: string[]; notes?: string[] } | null;
}

export interface ContextUsed {
  lessons: string[];
  memoryEntries: string[];
}

export interface Task {
  id: string;
  /** Order of submission; never reused. 0 until it is stored. */
  seq: number;
  request: TaskRequest;
  status: TaskStatus;
  result: string | null;
  logs: string[];
  /** The contract's `context_history`, under its own names. */
  context: Record<string, unknown>;
  contextUsed: ContextUsed | null;
  /** Milliseconds since the epoch, UTC. */
  createdAt: number;
}

export interface TaskPage {
  limit: number;
  offset: number;
  beforeSeq?: number | undefined;
  /** Whose tasks; the house sees all of them. */
  viewer?: Owner | undefined;
}

/** Where tasks are kept. Everything that returns a promise resolves when it is on disk. */
export interface TaskRepository {
  /** Fills in `seq`. */
  insert(task: Task, idempotencyKey: string | null): Promise<void>;
  /** What came along with a task that has not ended, or can be resumed. */
  pictures(id: string): Picture[];
  /** Bytes of all pictures of tasks that have not ended. */
  pictureBytes(): number;
  /** From here on a restart does not simply run it again. */
  markProcessing(id: string): Promise<void>;
  /** Further text of running answers; may be lost in a crash up to the last call. */
  appendParts(parts: ReadonlyMap<string, string>): void;
  /** Status, result, logs and context as they are now. */
  save(tasks: readonly Task[]): Promise<void>;
  get(id: string): Task | undefined;
  idOf(idempotencyKey: string): string | undefined;
  /** Newest first. */
  list(page: TaskPage): Task[];
  /** Tasks a former process left: oldest first, those that ran with the text they had written. */
  unfinished(): Task[];
  countOfSession(sessionId: string): number;
}

/** A question of its own, with everything else as it is when nobody says otherwise. It belongs to no session. */
export const followUpRequest = ({
  content,
  labels,
  owner,
}: {
  content: string;
  labels: readonly string[];
  owner: Owner;
}): TaskRequest => ({
  content,
  owner,
  labels,
  preferredLanguage: null,
  sessionId: null,
  preferenceScope: null,
  tone: null,
  styleNotes: null,
  forcedTool: null,
  forcedProvider: null,
  forcedIntent: null,
  images: 0,
  storeKnowledge: true,
  generationParams: null,
  expectedConfigHash: null,
  expectedRuntimeId: null,
  extraContext: null,
});
