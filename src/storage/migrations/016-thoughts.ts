// What a model thought before it answered: kept beside the answer, and no part of it.
export const thoughts = `
ALTER TABLE messages ADD COLUMN thought TEXT;
ALTER TABLE stream_parts ADD COLUMN thought TEXT;
`;
