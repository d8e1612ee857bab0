// Where an answer in JSON is whole. Grammars allow blank space after it, and small models fill the rest of their answer
// with that.

export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** Whether the outermost object or list ends within this piece of text. Of bare values it is never told. */
  push(text: string): boolean {
    for (const character of text) {
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (character === '\\') this.#escaped = true;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === '{' || character === '[') this.#depth += 1;
      else if (character === '}' || character === ']') {
        this.#depth -= 1;
        if (this.#depth === 0) return true;
      }
    }
    return false;
  }
}
