// Questions of tools to persons as rows.
import type { Owner } from '../shared/owner.js';
import type {
  AnswerAction,
  Question,
  QuestionPage,
  QuestionRepository,
  QuestionState,
  ToolAnswer,
} from '../skills/question-ports.js';
import type { SqliteStore } from './sqlite-store.js';

const KEPT = 2_000;

export class SqliteQuestions implements QuestionRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  add(question: Question): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          `INSERT INTO skill_questions (id, owner, tool, title, server, hash, question, session_id, request_id, state,
           created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          question.id,
          question.owner,
          question.tool,
          question.title,
          question.server,
          question.hash,
          JSON.stringify(question.question),
          question.sessionId,
          question.requestId,
          question.state,
          question.createdAt,
        );
      this.#store
        .prepare(
          `DELETE FROM skill_questions WHERE state NOT IN ('waiting', 'answered') AND pk <=
           (SELECT max(pk) FROM skill_questions) - ?`,
        )
        .run(KEPT);
    });
  }

  move(
    id: string,
    from: readonly QuestionState[],
    to: { state: QuestionState; answer?: ToolAnswer; answeredAt?: number },
  ): Promise<boolean> {
    return this.#store.commit(
      () =>
        Number(
          this.#store
            .prepare(
              `UPDATE skill_questions SET state = ?, answer = ?, action = ifnull(?, action),
               answered_at = ifnull(?, answered_at) WHERE id = ? AND state IN (SELECT value FROM json_each(?))`,
            )
            .run(
              to.state,
              to.answer ? JSON.stringify(to.answer) : null,
              to.answer?.action ?? null,
              to.answeredAt ?? null,
              id,
              JSON.stringify(from),
            ).changes,
        ) > 0,
    );
  }

  get(id: string): Question | undefined {
    const row = this.#store.prepare('SELECT * FROM skill_questions WHERE id = ?').get(id);
    return row && toQuestion(row);
  }

  list(query: QuestionPage): Question[] {
    return this.#store
      .prepare(
        `SELECT * FROM skill_questions WHERE state = ifnull(?1, state) AND (?2 IS NULL OR session_id = ?2)
           AND (?3 IS NULL OR owner = ?3) ORDER BY pk DESC LIMIT ?4`,
      )
      .all(query.state ?? null, query.sessionId ?? null, query.viewer ?? null, query.limit)
      .map(toQuestion);
  }

  ofRequest(requestId: string): Question[] {
    return this.#store
      .prepare('SELECT * FROM skill_questions WHERE request_id = ? ORDER BY pk')
      .all(requestId)
      .map(toQuestion);
  }
}

const textOrNull = (value: unknown): string | null => (value === null ? null : String(value));

const toQuestion = (row: Record<string, unknown>): Question => ({
  id: String(row['id']),
  owner: row['owner'] as Owner,
  tool: String(row['tool']),
  title: String(row['title']),
  server: textOrNull(row['server']),
  hash: String(row['hash']),
  question: JSON.parse(String(row['question'])) as Question['question'],
  sessionId: textOrNull(row['session_id']),
  requestId: String(row['request_id']),
  state: String(row['state']) as QuestionState,
  action: textOrNull(row['action']) as AnswerAction | null,
  answer: row['answer'] === null ? null : (JSON.parse(String(row['answer'])) as ToolAnswer),
  createdAt: Number(row['created_at']),
  answeredAt: row['answered_at'] === null ? null : Number(row['answered_at']),
});
