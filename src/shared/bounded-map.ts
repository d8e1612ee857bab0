// A cache with a bound: by number of entries and, where values differ much in size, by their sizes together. What was not
// asked for longest goes first.

export interface Bounds<V> {
  entries: number;
  /** Of all values together, in whatever `sizeOf` counts. */
  size?: number;
  sizeOf?: (value: V, key: string) => number;
}

export class BoundedMap<V> {
  readonly #bounds: Required<Bounds<V>>;
  readonly #values = new Map<string, V>();
  #size = 0;

  constructor({ entries, size = Number.POSITIVE_INFINITY, sizeOf = () => 0 }: Bounds<V>) {
    this.#bounds = { entries, size, sizeOf };
  }

  /** Entries. */
  get count(): number {
    return this.#values.size;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  /** What was not asked for longest comes first. */
  entries(): [string, V][] {
    return [...this.#values];
  }

  /** A value larger than all of them may be together is not kept. */
  set(key: string, value: V): void {
    this.delete(key);
    const size = this.#bounds.sizeOf(value, key);
    if (size > this.#bounds.size) return;
    this.#values.set(key, value);
    this.#size += size;
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#bounds.entries && this.#size <= this.#bounds.size) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#size -= this.#bounds.sizeOf(value, key);
    this.#values.delete(key);
  }
}
