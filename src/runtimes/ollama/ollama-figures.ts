// What Ollama says at the end of its answers of how long their parts took, since the start.

const NANOSECONDS_PER_MS = 1_000_000;

/** Nanoseconds and tokens, as they stand in the last line of an answer. */
interface Ending {
  load_duration?: number | null | undefined;
  prompt_eval_count?: number | null | undefined;
  prompt_eval_duration?: number | null | undefined;
  eval_count?: number | null | undefined;
  eval_duration?: number | null | undefined;
}

class Mean {
  #sum = 0;
  #count = 0;

  add(value: number | null | undefined): void {
    if (typeof value !== 'number') return;
    this.#sum += value;
    this.#count += 1;
  }

  /** Milliseconds; null where nothing was told. */
  get ms(): number | null {
    return this.#count === 0 ? null : Math.round((this.#sum / this.#count / NANOSECONDS_PER_MS) * 100) / 100;
  }
}

export class OllamaFigures {
  samples = 0;
  promptTokens = 0;
  tokens = 0;
  readonly #load = new Mean();
  readonly #prompt = new Mean();
  readonly #answer = new Mean();

  add(ending: Ending): void {
    this.samples += 1;
    this.promptTokens += ending.prompt_eval_count ?? 0;
    this.tokens += ending.eval_count ?? 0;
    this.#load.add(ending.load_duration);
    this.#prompt.add(ending.prompt_eval_duration);
    this.#answer.add(ending.eval_duration);
  }

  get loadMs(): number | null {
    return this.#load.ms;
  }

  get promptMs(): number | null {
    return this.#prompt.ms;
  }

  get answerMs(): number | null {
    return this.#answer.ms;
  }
}
