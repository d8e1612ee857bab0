// Chance that can be replayed: the same seed, the same numbers.

/** Numbers from 0 up to 1, without it. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}
