// Phrases proposed for an intent, and what somebody decided about each.
export const learnedPhrases = `
CREATE TABLE learned_phrases (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL UNIQUE,
  phrase TEXT NOT NULL,
  intent TEXT NOT NULL,
  language TEXT NOT NULL,
  source TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'proposed',
  seen INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  reviewed_at INTEGER
);
CREATE INDEX learned_phrases_by_state ON learned_phrases(state);
`;
