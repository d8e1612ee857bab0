// Grammars are tried on llama.cpp itself, which needs no model for that.
import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { afterAll, beforeAll } from 'vitest';

/** For the tests of one file. @returns whether the engine would have let each of some texts through */
export function engineGrammars(): (grammar: string, ...texts: string[]) => Promise<boolean[]> {
  let llama: Llama;
  beforeAll(async () => {
    llama = await getLlama({
      build: 'never',
      gpu: false,
      progressLogs: false,
      skipDownload: true,
      logLevel: LlamaLogLevel.disabled,
    });
  }, 60_000);
  afterAll(() => llama.dispose());
  return async (grammar, ...texts) => {
    const compiled = (await llama.createGrammar({ grammar })) as unknown as { _testText: (text: string) => boolean };
    return texts.map((text) => compiled._testText(text));
  };
}
