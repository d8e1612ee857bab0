// What a skill's function is given, with nothing special about it.
import type { SkillContext } from '../../src/skills/base-skill.js';
import type { Workspace } from '../../src/skills/workspace.js';

export const skillContext = (workspace: Workspace, given: Partial<SkillContext> = {}): SkillContext => ({
  workspace,
  logger: { debug: () => {}, warn: () => {} },
  signal: new AbortController().signal,
  owner: null,
  sessionId: null,
  requestId: null,
  labels: [],
  onProgress: () => {},
  ...given,
});
