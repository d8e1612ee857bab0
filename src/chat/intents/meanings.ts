// What each intent means, in words for a model that has to choose.
import type { IntentId } from '../intent.js';

export const INTENT_MEANINGS: Readonly<Record<IntentId, string>> = {
  GENERAL_CHAT: 'talk, a question of general knowledge, an explanation, a text such as a letter or a poem',
  KNOWLEDGE_SEARCH: "search the person's own notes, documents or earlier conversations",
  CODE_GENERATION: 'write, change or mend program code',
  CODE_REVIEW: 'judge code that exists: mistakes, quality, safety',
  RESEARCH: 'look something up on the internet: news, prices, weather, papers',
  COMPLEX_PLANNING: 'plan or design a whole system or project of several steps',
  VERSION_CONTROL: 'do something with git: commit, branch, push, history',
  FILE_OPERATION: 'read, write, list, move or delete files and folders',
  TOOL_CREATION: 'make a new tool, skill or plugin for the assistant itself',
  E2E_TESTING: 'test a page or an app in a browser: click, fill forms, screenshots',
  DOCUMENTATION: 'write or update documentation or a README',
  RELEASE_PROJECT: 'release a version of the project: version number, changelog, tag',
  START_CAMPAIGN: "start to work on the project's goals autonomously",
  STATUS_REPORT: 'report the progress of the project: milestones, goals, tasks',
  INFRA_STATUS: 'say whether servers and services run',
  HELP_REQUEST: 'say what the assistant itself can do',
  TIME_REQUEST: "say the time or today's date",
  UNSUPPORTED_TASK: 'something only a person can do: order food, phone somebody, switch on a light, pay',
};
