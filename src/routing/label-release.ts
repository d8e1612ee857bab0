// Taking labels off a session: only on a person's word, with a reason that is kept beside the session's receipts. It opens
// nothing by itself: the gate goes on reading every text that would leave.
import { AppError } from '../shared/errors.js';
import type { LabelRelease, LabelReleases, SensitivityRules, SessionLabels } from './ports.js';
import { findSensitiveInTurns, kindsOf } from './sensitivity.js';

/** Read again to say where a label comes from; of longer sessions the newest part. */
const READ_CHARS = 1_000_000;

export interface SessionText {
  seq: number;
  content: string;
  /** A person's own words, which are weighed and not only looked at for shapes. */
  said: boolean;
}

/** A session's text with what was found in it. */
export interface LabelledText {
  seq: number;
  labels: readonly string[];
}

export interface SessionLabelState {
  labels: readonly string[];
  /** Messages that hold what a label is about, by place. What they are part of is found again, and the label returns. */
  foundIn: readonly LabelledText[];
  releases: readonly LabelRelease[];
}

export interface SessionLabelsDeskParts {
  /** All that is in force, wherever it came from. */
  labels: SessionLabels['of'];
  releases: LabelReleases;
  /** Oldest first. @throws AppError `session_not_found` */
  texts: (sessionId: string) => SessionText[];
  sensitivity: SensitivityRules;
  now: () => number;
  onRelease: (sessionId: string, release: LabelRelease) => void;
}

export class SessionLabelsDesk {
  readonly #parts: SessionLabelsDeskParts;

  constructor(parts: SessionLabelsDeskParts) {
    this.#parts = parts;
  }

  /** @throws AppError `session_not_found` */
  async state(sessionId: string): Promise<SessionLabelState> {
    const { labels, releases, texts } = this.#parts;
    const foundIn = await this.#found(texts(sessionId));
    return {
      foundIn,
      labels: [...labels(sessionId)].sort(),
      releases: releases.releases(sessionId),
    };
  }

  releases(sessionId: string): readonly LabelRelease[] {
    return this.#parts.releases.releases(sessionId);
  }

  /**
   * @param wanted  labels to take off; all that are in force where none are named
   * @throws AppError `session_not_found`, `conflict` where nothing of what is named is in force
   */
  async release(sessionId: string, wanted: readonly string[] | undefined, reason: string): Promise<SessionLabelState> {
    const { releases, now, onRelease } = this.#parts;
    const { labels: inForce } = await this.state(sessionId);
    const labels = wanted === undefined ? inForce : inForce.filter((label) => wanted.includes(label));
    const missing = wanted?.filter((label) => !inForce.includes(label)) ?? [];
    if (labels.length === 0 || missing.length > 0)
      throw new AppError(
        'conflict',
        inForce.length === 0
          ? 'Nothing is labelled in this session.'
          : `The labels of this session are ${inForce.join(', ')}; ${missing.join(', ')} is not among them.`,
        { details: { labels: [...inForce] } },
      );
    const release = { labels, reason, at: now() };
    releases.release(sessionId, release);
    onRelease(sessionId, release);
    return this.state(sessionId);
  }

  /** A stored message carries its session's labels too; here it matters in which of them the thing itself stands. */
  async #found(texts: readonly SessionText[]): Promise<LabelledText[]> {
    const { localOnly, options } = this.#parts.sensitivity;
    if (!localOnly) return [];
    const found: LabelledText[] = [];
    let left = READ_CHARS;
    for (const { seq, content, said } of texts.toReversed()) {
      left -= content.length;
      if (left < 0) break;
      const labels = kindsOf(await findSensitiveInTurns(content, said ? options : { ...options, shapesOnly: true }));
      if (labels.length > 0) found.unshift({ seq, labels });
    }
    return found;
  }
}
