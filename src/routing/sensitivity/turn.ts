// How much of a text is read before others are served: some milliseconds.
export const TURN_CHARS = 131_072;
