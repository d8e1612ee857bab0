// translate: a text into another language, by the active model.
import type { McpServer } from '@modelcontextprotocol/server';
import type { Translator } from '../../../chat/translation/translator.js';
import * as contract from '../../../contract/mcp-tools.js';
import { ProgressReporter } from '../progress.js';
import { answering, type ToolCaller } from '../tool-result.js';

export function translateTool(
  server: McpServer,
  { translator, ...caller }: { translator: Translator } & ToolCaller,
): void {
  server.registerTool(
    'translate',
    {
      title: 'Translate',
      description: 'Translates a text. Code, addresses and placeholders in it stay as they are.',
      inputSchema: contract.TranslateInput,
      outputSchema: contract.TranslateResult,
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
    },
    answering(caller, async ({ text, target_lang, source_lang, allow_any }, context) => {
      const { source, pieces } = translator.begin({
        text,
        target: target_lang,
        source: source_lang,
        useCache: true,
        allowAny: allow_any,
        signal: context.mcpReq.signal,
      });
      const progress = new ProgressReporter(context);
      const warnings: object[] = [];
      let translated = '';
      try {
        for await (const piece of pieces) {
          translated += piece.text;
          if (piece.warning) warnings.push(piece.warning);
          progress.report({ done: translated.length, message: piece.text });
        }
      } finally {
        await progress.end();
      }
      return { translated_text: translated, target_lang, source_lang: source, warnings };
    }),
  );
}
