// What the context of a turn is made of, as kept for each session. No I/O in this file.

export interface SessionSummaryText {
  text: string;
  /** The summary covers the messages up to this one. */
  upToSeq: number;
  /** `heuristic`, or the model's name. */
  madeBy: string;
  updatedAt: number;
}

export interface SessionContextRepository {
  summary(sessionId: string): SessionSummaryText | null;
  saveSummary(sessionId: string, summary: SessionSummaryText): Promise<void>;
  /** Of everything that was ever said in the session; they only grow. */
  labels(sessionId: string): string[];
  addLabels(sessionId: string, labels: readonly string[], now: number): void;
  /** The whole of it, or the summary if it covers messages from `fromSeq` on. */
  forget(sessionId: string, fromSeq?: number): Promise<void>;
}
