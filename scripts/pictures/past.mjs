// Puts conversations into the past of a database whose server is stopped, so that a list looks as after weeks of use.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const HOUR_MS = 3_600_000;

/** `further` conversations of two messages each, beside those that are there. */
export function spreadOverWeeks(dataDir, further) {
  const database = new DatabaseSync(join(dataDir, 'venom.db'));
  const sessions = database.prepare('SELECT pk, id FROM sessions ORDER BY pk DESC').all();
  const move = database.prepare('UPDATE sessions SET created_at = ?, updated_at = ? WHERE pk = ?');
  const moveMessages = database.prepare('UPDATE messages SET created_at = ? + seq * 20000 WHERE session_pk = ?');
  const now = Date.now();
  const ageMs = (index) => (index < 3 ? index * 0.4 : index < 5 ? 20 + index : index * 14) * HOUR_MS;
  database.exec('BEGIN');
  for (const [index, { pk }] of sessions.entries()) {
    const at = now - ageMs(index) - 60_000;
    move.run(at, at, pk);
    moveMessages.run(at, pk);
  }
  for (let number = 0; number < further; number += 1) {
    const at = now - ageMs(sessions.length + number);
    const { pk } = database
      .prepare(
        `INSERT INTO sessions (id, title, boot_id, created_at, updated_at, next_seq) VALUES (?, ?, 'past', ?, ?, 3) RETURNING pk`,
      )
      .get(`session-past-${number}`, FURTHER_TITLES[number % FURTHER_TITLES.length], at, at);
    addMessages(
      database,
      pk,
      `past-${number}`,
      [
        ['user', FURTHER_TITLES[number % FURTHER_TITLES.length]],
        ['assistant', 'Certainly. Here is what I know about it.'],
      ],
      at,
    );
  }
  database.exec('COMMIT');
  database.close();
}

export function addMessages(database, sessionPk, requestPrefix, messages, at) {
  const insert = database.prepare(
    `INSERT INTO messages (session_pk, seq, request_id, role, content, status, model, created_at) VALUES (?, ?, ?, ?, ?, 'complete', ?, ?)`,
  );
  for (const [index, [role, content]] of messages.entries())
    insert.run(
      sessionPk,
      index + 1,
      `${requestPrefix}-${index >> 1}`,
      role,
      content,
      role === 'assistant' ? 'qwen3-4b-instruct' : null,
      at + index * 1_000,
    );
}

const FURTHER_TITLES = [
  'Shell script that renames photos by date',
  'Names for a sailing boat',
  'What changed in the tax rules for 2026?',
  'Umowa najmu: co sprawdzić przed podpisaniem',
  'Wie lange hält Hefe im Kühlschrank?',
  'SQL: newest row of each group',
  'Explain monads to a plumber',
  'Packing list for three days in the mountains',
  'Regular expression for ISO dates with an optional time and an offset, also across several lines',
  'Proofread the minutes of Monday',
];
