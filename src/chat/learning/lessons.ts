// Lessons: what went wrong or right before, in situation, result and conclusion, found again by what is asked.
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { Memory } from '../memory/memory.js';
import { everySession, type MemoryEntry, type MemoryPlace } from '../memory/ports.js';

const PART_CHARS = 1_200;
const SEARCHED_CHARS = 500;

export interface Lesson {
  id: string;
  situation: string;
  result: string;
  conclusion: string;
  tags: readonly string[];
  taskId: string | null;
  createdAt: number;
}

export interface NewLesson {
  situation: string;
  result: string;
  conclusion: string;
  tags: readonly string[];
  taskId: string | null;
  sessionId: string | null;
  /** Whose turn it comes from. */
  owner: Owner;
  labels: readonly string[];
}

export class Lessons {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** A lesson from labelled words stays in its session; any other is for all sessions of its owner. */
  async add(lesson: NewLesson): Promise<string | null> {
    if (lesson.labels.length > 0 && lesson.sessionId === null) return null;
    const [situation, result, conclusion] = [lesson.situation, lesson.result, lesson.conclusion].map((part) =>
      part.slice(0, PART_CHARS),
    ) as [string, string, string];
    const { id } = await this.#memory.add({
      text: lessonText({ situation, result, conclusion }),
      scope:
        lesson.labels.length > 0
          ? { kind: 'session', sessionId: lesson.sessionId as string }
          : everySession(lesson.owner),
      kind: 'lesson',
      origin: 'user',
      source: 'feedback',
      labels: lesson.labels,
      requestId: lesson.taskId,
      details: { situation, result, conclusion, tags: [...lesson.tags] },
      // Found by what was asked; the rest would only blur that.
      chunks: [{ text: situation, page: null, start: 0 }],
    });
    return id;
  }

  async find(
    text: string,
    { owner, sessionId }: { owner: Owner; sessionId: string | null },
    limit: number,
    signal?: AbortSignal,
  ): Promise<{ id: string; text: string; labels: readonly string[] }[]> {
    const places: MemoryPlace[] = [
      owner === null ? 'lessons' : { owner },
      ...(sessionId === null ? [] : [{ sessionId }]),
    ];
    const promising = places.filter((place) => this.#memory.holds(place, 'lesson'));
    if (limit === 0 || promising.length === 0) return [];
    const { hits } = await this.#memory.search({
      text: text.slice(0, SEARCHED_CHARS),
      places: promising,
      kinds: ['lesson'],
      limit,
      signal,
    });
    return hits.map(({ entry }) => ({ id: entry.id, text: lessonText(toLesson(entry)), labels: entry.labels }));
  }

  list(page: { limit: number; offset: number; tag?: string | undefined; viewer?: Owner | undefined }): {
    lessons: Lesson[];
    total: number;
  } {
    const { entries, total } = this.#memory.list({ ...page, kind: 'lesson' });
    return { lessons: entries.map(toLesson), total };
  }

  /** @throws AppError `memory_not_found` */
  async remove(id: string): Promise<void> {
    if (this.#memory.get(id)?.kind !== 'lesson') throw new AppError('memory_not_found', `There is no lesson ${id}.`);
    await this.#memory.remove(id);
  }

  clear(): Promise<{ entries: number }> {
    return this.#memory.clear('lessons');
  }
}

const lessonText = ({ situation, result, conclusion }: Pick<Lesson, 'situation' | 'result' | 'conclusion'>): string =>
  `Situation: ${situation}\nResult: ${result}\nConclusion: ${conclusion}`;

function toLesson(entry: Omit<MemoryEntry, 'text'>): Lesson {
  const text = (name: string) => String(entry.details?.[name] ?? '');
  const tags = entry.details?.['tags'];
  return {
    id: entry.id,
    situation: text('situation'),
    result: text('result'),
    conclusion: text('conclusion'),
    tags: Array.isArray(tags) ? tags.map(String) : [],
    taskId: entry.requestId,
    createdAt: entry.createdAt,
  };
}
