// What a person chose for one conversation: that it stays on top of the list, and what the assistant is told in it.
export const sessionChoices = `
ALTER TABLE sessions ADD COLUMN pinned_at INTEGER;
ALTER TABLE sessions ADD COLUMN instructions TEXT;
`;
