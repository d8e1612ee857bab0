// A better answer to a question somebody was not satisfied with: the same question again, with what was wrong. It belongs
// to no session, so the labels of the one it came from go along.
import type { FollowUpTasks, JudgedTurn } from '../learning/ports.js';
import type { Orchestrator } from '../orchestrator.js';
import { followUpRequest } from './task.js';

const PROMPT_CHARS = 40_000;

export class OrchestratedFollowUps implements FollowUpTasks {
  readonly #orchestrator: () => Orchestrator;

  constructor(orchestrator: () => Orchestrator) {
    this.#orchestrator = orchestrator;
  }

  async submit({ prompt, labels, owner }: JudgedTurn, remark: string): Promise<string> {
    const content = `${prompt.slice(0, PROMPT_CHARS)}\n\n---\nA person was not satisfied with the earlier answer and remarked:\n${remark}\n\nAnswer again and do better on that point.`;
    const task = await this.#orchestrator().submit(followUpRequest({ content, labels, owner }));
    return task.id;
  }
}
